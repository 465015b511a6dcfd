"""Domain modules and prompt templates of this project: where they are, and how they are used."""
