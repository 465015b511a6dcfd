"""Skills: folders with a SKILL.md, found, measured, matched to a task and offered to the model."""
