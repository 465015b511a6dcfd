"""Keeps the memory in order: decisions, evidence, the playbook, proposals and their review, import and export."""
