"""The code base under work: files, symbols, history, plan, outline, undo points."""
