"""What the detector says, as it is shown."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.dashboard.pages import all_text


def _page() -> None:
    from api.schemas.evidence import EvidenceOut
    from dashboard import verdict

    def reason(unit: str, contribution: float, percentile: float, among: str) -> EvidenceOut:
        return EvidenceOut(
            signal="s", title="Title", direction="for", value=0.9, unit=unit, percentile=percentile,
            contribution=contribution, text="Text.", among=among,
        )  # fmt: skip

    place = reason("risk of the campaign", 0.1, 1.0, "nobody")
    verdict.reasons([place, *(reason("share of requests", 1.5, 0.98, "many") for _ in range(verdict.STRONGEST))])
    verdict.reasons([place])


def test_a_place_in_a_campaign_stands_beside_the_reasons() -> None:
    """It is neither counted nor summed among them, nor ranked among ordinary accounts, which have none."""
    app = AppTest.from_function(_page).run(timeout=30)
    assert not app.exception
    said = all_text(app)
    assert "5 reasons, together +7.50 log-odds, beside its place in a campaign" in said
    assert "0 reasons, beside its place in a campaign" in said
    assert "weaker" not in said
    assert ("Percentile among many" in said, "Percentile among nobody" in said) == (True, False)
