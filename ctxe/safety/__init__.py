"""Limits on commands, on data that leaves, on the powers of a repository, and on text for the terminal."""
