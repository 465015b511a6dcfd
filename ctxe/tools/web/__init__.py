"""Web pages: fetched from checked addresses only, limited in size, and converted to Markdown."""
