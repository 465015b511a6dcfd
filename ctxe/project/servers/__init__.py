"""Servers of the Model Context Protocol: which are configured, who approved them, and how a session uses them."""
