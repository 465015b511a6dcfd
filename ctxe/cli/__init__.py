"""The command line: parse, call the project, hand to the terminal; no decisions."""
