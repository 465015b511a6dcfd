"""Skills and prompt templates of this project: where they are found, and how they are used."""
