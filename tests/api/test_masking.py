"""What stays legible of a masked prompt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.services.masking import DOT, common_words, mask
from detector.assessment import Template

FRAME = common_words([Template(template_id="1", text="Explain {…} step by step.")])


def test_the_template_stays_legible() -> None:
    """Constant words of a template are left, its fillings are dots, whatever the case."""
    assert mask("EXPLAIN Noether's theorem, step by step.", FRAME) == "EXPLAIN •••••••'• •••••••, step by step."


@given(st.text())
def test_nothing_else_is_legible(text: str) -> None:
    """No letter or digit is left where no word is common; length and layout are."""
    masked = mask(text, frozenset())
    assert len(masked) == len(text)
    assert not any(c.isalnum() for c in masked.replace(DOT, ""))
