"""Failures: recognised, remembered, paired with what fixed them, and told before the same step is taken again."""
