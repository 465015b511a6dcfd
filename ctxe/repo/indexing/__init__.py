"""The index of the code base: its files, their definitions, imports and words, and its history."""
