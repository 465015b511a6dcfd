"""The tokens of a picture, by the formulas that providers publish."""

import pytest

from ctxe.domain.model import Model
from ctxe.domain.picture import Picture
from ctxe.providers import catalog
from ctxe.providers.pictures import UNSEEN_TOKENS, picture_encoder, tokens


@pytest.mark.parametrize(
    ("name", "size", "wanted"),
    [
        ("gpt-4o", (1024, 1024), 765),
        ("gpt-4o", (2048, 4096), 1_105),
        ("gpt-4o-mini", (1024, 1024), 2833 + 4 * 5667),
        ("gpt-5", (1024, 1024), 70 + 4 * 140),
        ("o3", (1024, 1024), 75 + 4 * 150),
        ("gpt-4.1-mini", (1024, 1024), 1_659),
        ("gpt-5-nano", (4000, 4000), 3_779),
        ("gpt-6.1-sol", (1920, 1080), 2_448),
        ("claude-sonnet-4-5", (1000, 1000), 1_334),
        ("claude-sonnet-4-5", (4000, 3000), 1_600),
        ("claude-opus-5-5", (1920, 1080), 2_765),
        ("claude-opus-4-8", (8000, 8000), 4_784),
        ("gemini-3.8-flash", (1024, 1024), 1_120),
        ("qwen3.8-max", (280, 280), 116),
        ("gpt-4o", (1, 1), 255),
        ("glm-5.3", (4000, 4000), UNSEEN_TOKENS),
    ],
)
def test_a_picture_costs_the_tokens_that_its_provider_publishes(name: str, size: tuple[int, int], wanted: int) -> None:
    assert tokens(catalog.find(name), *size) == wanted


def test_every_model_has_a_sane_bound_for_every_picture() -> None:
    for model in catalog.models():
        for size in ((1, 1), (1, 8_000), (8_000, 8_000), (1_280, 800)):
            assert 0 < tokens(model, *size) <= 50_000, model.id


def test_picture_bytes_are_loaded_only_for_a_model_with_vision() -> None:
    picture, asked = Picture("d", "a.png", "image/png", 1, 1, 3), list[str]()

    def data(digest: str) -> bytes:
        asked.append(digest)
        return b"abc"

    sees = picture_encoder(Model("x", "y", 9, 9, images=True), data)
    assert (sees(picture), sees(picture), asked) == ("YWJj", "YWJj", ["d"])
    assert picture_encoder(Model("x", "y", 9, 9), data)(picture) == ""
    assert picture_encoder(Model("x", "y", 9, 9, images=True), lambda _: None)(picture) == ""
