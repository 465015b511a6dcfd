"""Memory and failures of this project, for the commands and for what stands in a request."""
