"""Parsing a command line: its parts, the harm they could do, and whether they provably only read."""
