"""Servers of the Model Context Protocol: which there are, who allowed them, and what a session does with them."""
