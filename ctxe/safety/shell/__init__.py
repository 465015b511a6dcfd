"""A command line read: its parts, what they are made to do, and whether they provably only read."""
