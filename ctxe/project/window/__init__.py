"""What fills the context window of a session: sources, files, tools and folds, with previews and past requests."""
