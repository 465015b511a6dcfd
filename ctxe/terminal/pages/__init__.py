"""Pages: full views of one subject as lines, tables, SVG or HTML, without any interaction."""
