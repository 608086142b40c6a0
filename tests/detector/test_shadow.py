"""Signals in shadow: they have no say anywhere, and nobody's score rises for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detector import accounts, members, ties
from detector.accounts import candidates, score_accounts, score_candidates
from detector.assess import assess, final_scores
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.scoring import Scorer
from detector.shadow import in_shadow
from detector.signals import SIGNALS
from detector.simulate import PRESETS, simulate
from detector.trees import TreeModel, Trees, at_most
from detector.view import View

SCORER = Scorer.load()
FOR = [s.name for s in SIGNALS if s.direction == "for"]
MODELS = {"accounts": accounts.FEATURES, "campaigns": ties.FEATURES, "members": members.FEATURES}
ROWS = 4
VALUES = arrays(np.float64, (ROWS, max(map(len, MODELS.values()))), elements=st.floats(-1, 4))
NAMES = st.lists(st.sampled_from(FOR), unique=True, max_size=4)


@pytest.fixture(scope="module")
def profiles(detector: Detector) -> Profiles:
    """Labelled traffic, profiled."""
    return detector.profile(detector.features(simulate(PRESETS["smoke"], 4).events))


def test_a_split_that_is_decided_gives_way_to_its_left_side() -> None:
    """Where the largest value allowed lies at or below a threshold all go left; a threshold below it stays as it is."""
    trees = Trees(
        roots=[0],
        feature=[0, 0, -1, -1, -1],
        threshold=[2.0, 1.0, 0, 0, 0],
        left=[1, 2, 0, 0, 0],
        right=[4, 3, 0, 0, 0],
        value=[0.5, 0.0, -1.0, 1.0, 3.0],
    )
    x = np.array([[0.0], [1.5], [9.0]])
    assert TreeModel(at_most(trees, {0: 0.0})).predict(x).tolist() == [-1.0, -1.0, -1.0]
    assert TreeModel(at_most(trees, {0: 1.8})).predict(x).tolist() == [-1.0, 1.0, 1.0]
    assert TreeModel(at_most(trees, {0: 2.5})).predict(x).tolist() == [-1.0, 1.0, 3.0]


@settings(deadline=None, max_examples=8)
@given(VALUES, NAMES)
def test_a_signal_in_shadow_counts_as_at_most_the_ordinary_one_in_every_model(
    values: np.ndarray, names: list[str]
) -> None:
    """Each model decides as on the same row with the signals cut down to the honest median, and so never higher."""
    muted = in_shadow(SCORER, names)
    for model, features in MODELS.items():
        x = values[:, : len(features)]
        cut = x.copy()
        for j, feature in enumerate(features):
            if (signal := feature.removeprefix("account_")) in names:
                cut[:, j] = np.minimum(x[:, j], SCORER.ordinary[[s.name for s in SIGNALS].index(signal)])
        got = getattr(muted, model).predict(x)
        assert np.allclose(got, getattr(SCORER, model).predict(cut), atol=1e-9)
        assert (got <= getattr(SCORER, model).predict(x) + 1e-9).all()


@settings(deadline=None, max_examples=3)
@given(VALUES, NAMES.flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_the_order_of_the_names_does_not_matter(values: np.ndarray, orders: tuple[list[str], list[str]]) -> None:
    """Together, in another order, or one after the other: the same scores; no names: those of before."""
    one, other = (in_shadow(SCORER, names) for names in orders)
    in_turn = SCORER
    for name in orders[0]:
        in_turn = in_shadow(in_turn, [name])
    for model, features in MODELS.items():
        x = values[:, : len(features)]
        expected = getattr(one, model).predict(x)
        assert np.allclose(getattr(other, model).predict(x), expected, atol=1e-9)
        assert np.allclose(getattr(in_turn, model).predict(x), expected, atol=1e-9)
        none = getattr(in_shadow(SCORER, []), model).predict(x)
        assert none.tolist() == getattr(SCORER, model).predict(x).tolist()


def test_in_shadow_is_an_exception_for_everybody(profiles: Profiles) -> None:
    """Own scores are those of the same signal excepted for each account, signal by signal."""
    view = View(profiles)
    found = candidates(profiles, view)
    for name in FOR:
        everybody = {account: {name} for account in profiles.accounts["account_id"]}
        excepted = score_candidates(found, view, profiles, SCORER, everybody)
        shadowed = score_candidates(found, view, profiles, in_shadow(SCORER, [name]))
        assert np.allclose(shadowed.log_odds, excepted.log_odds, atol=1e-9)


def test_a_signal_in_shadow_is_no_reason_and_lowers_what_rested_on_it(profiles: Profiles) -> None:
    """No account and no campaign has it among its reasons, its share is nought, no decisive score rises, and some fall."""
    before = assess(profiles, SCORER)
    names = {e.signal for a in before.flagged() for e in a.evidence[:2] if e.direction == "for"} - {"campaign"}
    muted = in_shadow(SCORER, names)
    after = assess(profiles, muted)
    told = {e.signal for a in (*after.accounts, *after.campaigns) for e in a.evidence if e.direction == "for"}
    assert names
    assert not names & told
    own = score_accounts(profiles, muted)
    columns = [s.name in names for s in SIGNALS]
    assert (own.told(np.arange(len(own.log_odds)), muted).contributions[:, columns] == 0).all()
    was = final_scores(profiles, score_accounts(profiles, SCORER), SCORER)
    now = final_scores(profiles, own, muted)
    assert (now <= was + 1e-9).all()
    assert (now < was - 1).any()
    assert all(a.flagged_at for a in after.flagged())
    known = {c.campaign_id: c.flagged_at for c in before.campaigns if c.flagged_at}
    later = {c.campaign_id: c.flagged_at for c in after.campaigns if c.campaign_id in known and c.flagged_at}
    assert later
    assert all(at >= known[name] for name, at in later.items())


def test_what_a_signal_in_shadow_would_say_is_told_beside(profiles: Profiles) -> None:
    """In the accounts where it is strong, whatever their verdict, and in no other; with none in shadow nothing is told."""
    assert not any(a.in_shadow for a in assess(profiles, SCORER).accounts)
    muted = in_shadow(SCORER, ["reasoning_elicitation"])
    own = score_accounts(profiles, muted)
    strong = muted.strong(own.values, own.requests)[:, [s.name for s in SIGNALS].index("reasoning_elicitation")]
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    told = {a.account_id: a.in_shadow for a in assess(profiles, muted).accounts if a.in_shadow}
    assert set(told) == {names[a] for a in own.view.acct.filter(strong.tolist())} != set()
    assert all(s.startswith("Reasoning elicitation. ") for (s,) in told.values())


def test_a_signal_against_cannot_be_put_into_shadow() -> None:
    """Neither one that speaks against harvesting nor an unknown name, and the error says why."""
    with pytest.raises(ValueError, match="speaks against harvesting"):
        in_shadow(SCORER, ["end_users"])
    with pytest.raises(ValueError, match="no signal 'horoscope': the signals are"):
        in_shadow(SCORER, ["horoscope"])


def test_the_shadow_outlives_other_thresholds(detector: Detector) -> None:
    """Another share of false flags does not bring the signal back."""
    muted = detector.in_shadow(["grading"]).with_max_false_flags(0.01)
    assert muted.scorer.shadow == {"grading"}
    assert muted.scorer.weights.max_false_flags == 0.01
