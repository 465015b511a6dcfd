"""A coding session in the terminal that decides what the model sees, shows it, and remembers."""

__version__ = "0.1.0"
