"""Texts become search terms: stems, parts of identifiers, paths."""

from ctxe.lexical.words import LONGEST, identifier_parts, path_terms, plain_words, stem, term_counts, terms


def test_plain_words_are_stemmed_and_common_ones_left_out() -> None:
    assert terms("The retries were retrying because it fails") == ["retri", "retri", "fail"]


def test_an_identifier_gives_itself_and_its_parts() -> None:
    assert terms("parseHTTPHeaders") == ["parsehttpheaders", "pars", "http", "header"]
    assert terms("max_retry_count") == ["max_retry_count", "max", "retri", "count"]
    assert terms("__init__") == ["init"]


def test_single_letters_and_common_words_inside_an_identifier_are_left_out() -> None:
    assert terms("sizeOfA_b") == ["sizeofa_b", "size"]


def test_numbers_are_terms() -> None:
    assert terms("error 404 in utf8") == ["error", "404", "utf8", "utf"]


def test_language_keywords_are_terms() -> None:
    assert terms("def fetch(self): return value") == ["def", "fetch", "self", "return", "valu"]


def test_contractions_leave_no_terms() -> None:
    assert terms("don't can't we're it's you'll") == []


def test_words_in_other_alphabets_stay_whole() -> None:
    assert terms("naïve Größe_neu") == ["naïv", "größe_neu", "größe", "neu"]


def test_text_without_spaces_becomes_character_pairs() -> None:
    assert terms("東京都") == ["東京", "京都"]
    assert terms("東") == ["東"]


def test_a_long_run_is_cut() -> None:
    assert terms("x" * 500) == ["x" * LONGEST]
    assert terms("") == []


def test_counts_are_the_counted_terms() -> None:
    text = "Retry retries parseHeader parse_header the"
    assert term_counts(text) == {"retri": 2, "parseheader": 1, "pars": 2, "header": 2, "parse_header": 1}


def test_parts_keep_the_order_and_are_not_stemmed() -> None:
    assert identifier_parts("parseHTTPHeader_v2") == ["parse", "http", "header", "v", "2"]


def test_path_terms_join_a_name_at_its_dashes() -> None:
    assert path_terms("src/frame-reader/readFrames.py") == [
        "src", "frame_reader", "frame", "reader", "readframes", "read", "frame", "py",
    ]  # fmt: skip


def test_forms_of_a_word_have_one_stem() -> None:
    assert stem("retries") == stem("retrying") == "retri"
    assert stem("wrote") == stem("written") == stem("writing") == "write"
    assert stem("indices") == stem("indexes") == stem("index")
    assert plain_words("It's A_b 3") == ["it", "s", "a_b", "3"]
