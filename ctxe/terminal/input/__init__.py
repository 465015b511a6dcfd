"""What a person types and how it is taken: the input line, questions, keys while the model works, Ctrl-C."""
