"""A chat, at the keyboard or headless: its options, its loop, and the slash commands."""
