"""The tools of the model; every tool is a value."""
