"""Entries of the memory folder: Markdown files with front matter, their names and links, read and written with care."""
