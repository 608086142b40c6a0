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

    verdict.reasons(
        [reason("risk of the campaign", 4.0, 1.0, "nobody"), reason("share of requests", 1.5, 0.98, "many")]
    )


def test_a_place_in_a_campaign_stands_beside_the_reasons() -> None:
    """It is neither counted nor summed among them, nor ranked among ordinary accounts, which have none."""
    app = AppTest.from_function(_page).run(timeout=30)
    assert not app.exception
    said = all_text(app)
    assert "1 reason, together +1.50 log-odds, beside its place in a campaign" in said
    assert ("Percentile among many" in said, "Percentile among nobody" in said) == (True, False)
