"""The user's input: the input line, questions, keys while the model works, Ctrl-C."""
