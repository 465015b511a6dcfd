"""Pages: one subject looked at whole, as lines, tables, SVG or HTML; they ask for nothing and wait for nobody."""
