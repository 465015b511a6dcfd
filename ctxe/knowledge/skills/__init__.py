"""Domain modules: folders with a SKILL.md, found, priced, matched to a task and offered to the model."""
