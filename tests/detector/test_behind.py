"""The requests behind each reason, on a log whose every request is made for it."""

from __future__ import annotations

import numpy as np
import pytest

from detector.behind import MOST, Behind, behind
from detector.event import Event, Params, Usage
from detector.pipeline import Detector
from detector.signals import SIGNALS
from detector.view import View
from tests.detector.builders import event

ANSWER = "The treaty was signed in the old town hall by both of the mayors in the spring."
PASSAGE = "The committee met and discussed the plan for the harbour at length before it adjourned " * 4
FRAME = "Answer the following question as an expert in its field would. "
STEPS = "Think step by step and write down your complete chain of thought before you answer."


def log() -> list[Event]:
    """Requests of one account that differ in one thing each; their ids say which."""
    made = {
        **{
            f"framed{i}": event(0, turns=(FRAME + q,))
            for i, q in enumerate(("Why is ice slippery?", "Who was Euler?", "What is tin?"))
        },
        **{f"sampled{i}": event(0, turns=("Write a poem on rust",)) for i in range(3)},
        "first": event(0, turns=("hello there",)),
        "follow": event(0, minute=1, turns=("hello there", "and then?")),
        "replayed": event(0, turns=("never asked here", "go on")),
        "deep": event(0, turns=("Is it red?",), params=Params(logprobs=True, top_logprobs=20)),
        "answered": event(0, turns=("When was it signed?",), response=ANSWER),
        "fed": event(0, minute=5, turns=(f"Rewrite this. {ANSWER}",)),
        "asked": event(0, turns=("How tall is it?",)),
        "again": event(0, minute=90, turns=("How tall is it?",)),
        "long": event(0, turns=("Sum this up: " + "many words of my own " * 90,)),
        **{f"passage{i}": event(0, turns=(f"{PASSAGE}\nQuestion {q}",)) for i, q in enumerate(("on cost", "on time"))},
        "wordy": event(0, turns=("What is the capital of Peru?",), usage=Usage(input_tokens=10, output_tokens=900)),
        "terse": event(
            0, turns=("Translate the attached letter into French",), usage=Usage(input_tokens=900, output_tokens=10)
        ),
        **{f"user{i}": event(0, turns=(f"So {i}?",), end_user_id="u1") for i in range(2)},
        "stranger": event(0, turns=("So what?",), end_user_id="u2"),
        "steps": event(0, turns=(f"How many apples do 4 baskets of 3 hold? {STEPS}",)),
        "other_model": event(0, turns=("Which one?",), model="small"),
    }
    for name, one in made.items():
        one.event_id, one.model = name, one.model or "large"
        one.usage = one.usage if one.usage.input_tokens else Usage(input_tokens=50, output_tokens=50)
    return list(made.values())


@pytest.fixture(scope="module")
def found(detector: Detector) -> dict[int, dict[str, Behind]]:
    """What stands behind every signal, by whether it is there (1) or missing (-1)."""
    profiles = detector.profile(detector.features(log()))
    view = View(profiles)
    (acct,) = view.acct
    return {
        sign: {
            SIGNALS[j].name: one
            for j, one in behind(profiles.sample, view, {acct: np.full(len(SIGNALS), sign, np.int8)})[acct].items()
        }
        for sign in (1, -1)
    }


@pytest.mark.parametrize(
    ("signal", "shown"),
    [
        ("template_slots", {"framed0", "framed1", "framed2"}),
        ("repeated_sampling", {"sampled0", "sampled1", "sampled2"}),
        ("follow_ups", {"follow"}),
        ("session_replay", {"replayed"}),
        ("logprobs", {"deep"}),
        ("feedback_loop", {"fed"}),
        ("revisits", {"asked", "again"}),
        ("own_documents", {"long"}),
        ("returning_passages", {"passage0", "passage1"}),
        ("answer_length", {"wordy"}),
        ("end_users", {"user0", "user1"}),
        ("reasoning_elicitation", {"steps"}),
    ],
)  # fmt: skip
def test_a_reason_points_to_the_requests_that_show_it(
    found: dict[int, dict[str, Behind]], signal: str, shown: set[str]
) -> None:
    """These requests, and no other of the account, show the signal; all others lack it."""
    assert shown <= set(found[1][signal].event_ids)
    assert found[1][signal].requests == len(shown)
    assert not shown & set(found[-1][signal].event_ids)
    assert found[-1][signal].requests == len(log()) - len(shown)


def test_a_missing_model_is_the_other_one(found: dict[int, dict[str, Behind]]) -> None:
    """Where one model takes nearly all, what lacks the reason is what went to another."""
    assert found[-1]["model_share"].event_ids == ["other_model"]


def test_what_is_of_all_together_says_so(found: dict[int, dict[str, Behind]]) -> None:
    """A pace, hours or a breadth is no request's: no number is given, and a sample of the account stands for it."""
    whole = {s.name for s in SIGNALS if s.shows is None}
    assert whole == {
        "corpus_coverage", "even_pace", "human_rhythm", "narrow_domain", "output_volume", "round_the_clock",
    }  # fmt: skip
    for name in whole:
        assert found[1][name].requests is None
        assert found[1][name].of == len(log())
        assert len(found[1][name].event_ids) == MOST


def test_shares_of_requests_name_them() -> None:
    """A signal that is a share of requests can say which."""
    assert all(s.shows for s in SIGNALS if s.unit == "share of requests")
