"""What the project knows, as text that people own."""
