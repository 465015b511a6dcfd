"""What the output of a command says: which tests ran and failed, the first error, and where it points."""
