"""Instruction files of every tool and prompt templates: found, scoped, bounded, compared."""
