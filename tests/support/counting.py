"""Counts tokens in tests that do not examine a tokenizer: one for each word."""


def count_words(text: str) -> int:
    """The number of words, used as the number of tokens."""
    return len(text.split())
