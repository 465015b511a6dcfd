"""Instruction files of all tools, and prompt templates: found, scoped, bounded and compared."""
