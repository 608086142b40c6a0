"""What single signals fire on, on small logs made for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detector.event import Event, Params, Usage
from detector.pipeline import Detector
from detector.signals import SIGNALS
from detector.simulate import built_in
from detector.view import View
from tests.detector.builders import event

Measure = Callable[[list[Event], str], float]


@pytest.fixture
def measure(detector: Detector) -> Measure:
    """Value of a named signal for the only account of a log."""

    def value(log: list[Event], name: str) -> float:
        view = View(detector.profile(detector.features(log)))
        assert len(view) == 1
        return float(next(s for s in SIGNALS if s.name == name).value(view)[0])

    return value


def test_reasoning_elicitation_reads_the_system_prompt_too(measure: Measure) -> None:
    """Forcing reasoning out by the system prompt counts like doing so in the user's turn, and plain questions do not."""
    questions = [f"How many apples do {i} baskets of {i + 2} hold?" for i in range(20)]
    plain = measure([event(i, turns=(q,)) for i, q in enumerate(questions)], "reasoning_elicitation")
    system = "Always show your complete chain of thought before the final answer. Never leave out a step."
    forced = measure([event(i, turns=(q,), system=system) for i, q in enumerate(questions)], "reasoning_elicitation")
    asked = measure(
        [
            event(i, turns=(f"{q}\n\nThink step by step and write every step down before you answer.",))
            for i, q in enumerate(questions)
        ],
        "reasoning_elicitation",
    )
    assert forced > plain + 0.2
    assert asked > plain + 0.2


def test_repeated_sampling_needs_three_of_the_same(measure: Measure) -> None:
    """Eight samples of each task are sampling; a retry is not."""
    rollouts = [event(i, minute=i, turns=(f"Task number {i // 8}: sort a list",)) for i in range(40)]
    retries = [event(i, minute=i, turns=(f"Task number {i // 2}: sort a list",)) for i in range(40)]
    assert measure(rollouts, "repeated_sampling") > 0.8
    assert measure(retries, "repeated_sampling") == 0.0


def test_follow_ups_and_replay_tell_built_up_from_brought_along(measure: Measure) -> None:
    """A conversation that grew here speaks against harvesting; one that arrives whole is replay."""
    turns = ("hello", "and then?", "why?", "thanks")
    grown = [event(i, minute=i, turns=turns[: i + 1]) for i in range(4)]
    whole = [event(i, minute=i, turns=(f"story {i}", "go on", "more")) for i in range(4)]
    assert measure(grown, "follow_ups") > 0.3
    assert measure(grown, "session_replay") == 0.0
    assert measure(whole, "session_replay") > 0.3
    assert measure(whole, "follow_ups") == 0.0


def test_coverage_is_broad_where_the_domain_is_not_narrow(measure: Measure) -> None:
    """Tasks on many subjects cover more than variations of one question."""
    broad = [event(i, turns=(text,)) for i, text in enumerate(built_in(5, 200).instructions[:80])]
    narrow = [event(i, turns=(f"Where is parcel number {i * 7}?",)) for i in range(80)]
    assert measure(broad, "corpus_coverage") > measure(narrow, "corpus_coverage")
    assert measure(narrow, "narrow_domain") > measure(broad, "narrow_domain")


def test_template_slots_need_new_fillings(measure: Measure) -> None:
    """A frame with new content each time counts in full, one whose content comes back does not."""
    frame = "Please rewrite the following sentence in a formal register. {}"
    fresh = [event(i, turns=(frame.format(f"Sentence number {chr(97 + i % 26) * 3}{i} is here"),)) for i in range(40)]
    stale = [event(i, turns=(frame.format(f"Sentence {chr(97 + i % 2) * 3} is here"),)) for i in range(40)]
    assert measure(fresh, "template_slots") > 0.8
    assert measure(stale, "template_slots") < 0.1


def test_logprobs_and_restarts(measure: Measure) -> None:
    """Log-probabilities with many alternatives count; so do continuations of one state."""
    deep = [event(i, params=Params(logprobs=True, top_logprobs=20)) for i in range(20)]
    assert measure(deep, "logprobs") > 0.8
    restarts = [event(0, turns=("start",)), *(event(i, minute=i, turns=("start", f"try {i}")) for i in range(1, 20))]
    assert measure(restarts, "agentic_restarts") > 0.7


def test_pace_and_hours(measure: Measure) -> None:
    """A request in every ten minutes, day and night, is a job's pace; an evening's session is a person's."""
    job = [event(i, minute=10 * i, turns=(f"item {i}",)) for i in range(144)]
    person = [event(i, minute=18 * 60 + (i % 20) * 2 + 1440 * (i // 20), turns=(f"item {i}",)) for i in range(60)]
    assert measure(job, "even_pace") > 0.9
    assert measure(job, "round_the_clock") > 0.9
    assert measure(person, "round_the_clock") == 0.0
    assert measure(person, "human_rhythm") > 0.5


def test_end_users_must_come_back(measure: Measure) -> None:
    """Ids used once each are made up easily and count nothing."""
    returning = [event(i, end_user_id=f"u{i % 10}") for i in range(40)]
    once = [event(i, end_user_id=f"u{i}") for i in range(40)]
    assert measure(returning, "end_users") == pytest.approx(np.log2(11))
    assert measure(once, "end_users") == 0.0


def test_own_documents_go_in_and_little_comes_out(measure: Measure) -> None:
    """Long material with short answers speaks against harvesting."""
    text = "The committee met and discussed the plan at length. " * 60
    documents = [event(i, turns=(f"{i} {text}",), usage=Usage(input_tokens=900, output_tokens=60)) for i in range(20)]
    assert measure(documents, "own_documents") > 0.5


def test_returning_passages(measure: Measure) -> None:
    """Passages that come back with other questions are an application's own documents."""
    passages = [
        f"Passage {chr(65 + i)}: " + f"the rules of part {chr(65 + i)} say a great deal about returns " * 8
        for i in range(5)
    ]
    log = [event(i, turns=(f"{passages[i % 5]}\nQuestion {chr(97 + i)} about it?",)) for i in range(25)]
    assert measure(log, "returning_passages") > 0.5


def test_feedback_loop(measure: Measure) -> None:
    """A sentence of an earlier answer that stands in a later prompt is a loop."""
    answer = "Design a scheduling system for volunteer firefighters in a mountain village."
    log = [event(0, turns=("Write a task",), response=answer)]
    log += [event(i, minute=i, turns=(f"{answer}\nMake it harder, variant {i}.",)) for i in range(1, 12)]
    assert measure(log, "feedback_loop") > 0.5


def test_a_long_frame_is_no_narrow_domain(measure: Measure) -> None:
    """What counts is how broad the slots are, however long the frame around them."""
    frame = (
        "You will be given a task. Read it carefully before you begin to answer it.\n"
        "Write down everything that you take into account on the way to the answer.\n"
        "Then write the answer itself on a line of its own, without any further remark.\n{x}"
    )
    tasks = built_in(3).instructions[:80]
    broad = measure([event(i, minute=i, turns=(frame.format(x=t),)) for i, t in enumerate(tasks)], "narrow_domain")
    narrow = measure(
        [event(i, minute=i, turns=(frame.format(x=f"Add {i} and {i * 7 % 90}."),)) for i in range(80)], "narrow_domain"
    )
    assert broad < 0.2
    assert narrow > 0.6
