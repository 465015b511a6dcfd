"""What the model may do; every tool is a value."""
