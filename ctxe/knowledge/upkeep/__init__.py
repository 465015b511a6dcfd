"""What keeps the memory right: decisions, evidence, the playbook, proposals and their review, import and export."""
