"""Pages of the web: asked for at checked addresses only, bounded, and read as Markdown."""
