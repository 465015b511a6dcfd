"""One ranker for everything remembered: memory, decisions, daily logs, failures and folded session text."""
