"""Borders: what may run, what may leave, what a repository may say, what may reach the terminal."""
