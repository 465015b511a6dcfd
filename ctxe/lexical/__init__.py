"""Text analysis shared by planner, recall and folds: words, stems, identifiers and rankings, without side effects."""
