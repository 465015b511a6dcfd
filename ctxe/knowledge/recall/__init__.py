"""Recall: one ranker for memory, decisions, daily logs, failures and folded session text."""
