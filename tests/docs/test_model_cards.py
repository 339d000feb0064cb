"""The model cards are what their generator writes."""

import pytest

from docs import model_cards


@pytest.mark.parametrize("card", model_cards.EVERY, ids=lambda card: card.name)
def test_the_model_card_is_up_to_date(card):
    written = model_cards.path_of(card).read_text(encoding="utf-8")
    assert written == model_cards.text(card), "run python -m docs.model_cards"
    assert f"{card.parameters:,}" in written
