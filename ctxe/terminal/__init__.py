"""Events on the screen: rendering, tables, the input line."""
