"""Entries of the memory folder: Markdown files with front matter, their ids and links, and how they are stored."""
