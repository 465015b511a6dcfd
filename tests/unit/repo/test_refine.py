"""The changes that a model requests when it checks a plan."""

from __future__ import annotations

import pytest

from ctxe.repo.planning.refine import read_answer


@pytest.mark.parametrize("search", ['"tea pot"', '["tea", "pot"]', '["tea", 3, "pot"]'])
def test_a_search_is_words_or_a_list_of_them(search: str) -> None:
    assert read_answer(f'{{"search": {search}}}', lambda path: True).search == "tea pot"
