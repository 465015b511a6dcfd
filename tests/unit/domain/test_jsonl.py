"""JSON of one line is one line to every reader, and every value can be written."""

import json

from ctxe.domain.jsonl import json_text

ODD = "a\x0b\x0c\x1c\x85\u2028\u2029\r\nb"


def test_a_value_is_one_line_for_every_way_to_split_lines() -> None:
    text = json_text({"text": f"é{ODD}"})
    assert len(text.splitlines()) == 1
    assert "é" in text
    assert json.loads(text) == {"text": f"é{ODD}"}


def test_characters_an_encoding_lacks_are_escaped() -> None:
    assert json_text(["é"]) == '["é"]'
    assert json_text(["é"], "ascii") == '["\\u00e9"]'
    assert json_text(["é\udcff"], separators=(",", ":")) == '["\\u00e9\\udcff"]'
