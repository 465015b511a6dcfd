"""What stands in a request of this project: sources, files, tools and folds, put together, previewed and read back."""
