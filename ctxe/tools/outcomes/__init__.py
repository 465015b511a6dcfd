"""Reading the output of a command: the tests that ran and failed, the first error and its place."""
