"""How a request is composed: budget, assembly, folds; pure functions over plain values."""
