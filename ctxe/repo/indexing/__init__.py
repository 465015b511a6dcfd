"""The index of the code base: files read, definitions and imports found, words counted, history remembered."""
