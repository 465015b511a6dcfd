"""Memory and failures of this project, for the commands and for the context window."""
