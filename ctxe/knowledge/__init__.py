"""Project memory: entries as files, their recall for a task, failures, instruction files, skills and upkeep."""
