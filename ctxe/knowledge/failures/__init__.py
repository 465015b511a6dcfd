"""Failures: detected, remembered, paired with their fix, and reported before the same call is repeated."""
