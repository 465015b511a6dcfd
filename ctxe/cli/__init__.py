"""The command line: it parses, calls the project and passes the result to the terminal; it decides nothing."""
