"""Words, stems, identifiers and rankings: pure text work shared by planner, recall and folds."""
