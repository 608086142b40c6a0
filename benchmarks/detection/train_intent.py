"""Train the shipped intent model: python -m benchmarks.detection.train_intent

Frames of :mod:`benchmarks.detection.intent_frames` around permissively licensed tasks and answers, and whole rows of
permissive corpora that are known to be of a class. Prints accuracy on frames that were left out.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report

from benchmarks.detection import intent_frames as frames
from benchmarks.detection.licences import rows
from detector.encoders import load_encoder
from detector.event import Event, Message
from detector.features import scan
from detector.intent import CLASSES, DEFAULT, STRUCTURE, VECTOR_SCALE, IntentModel, ends, structure

PER_FRAME = 180
FOLDS = 4
WHOLE = {
    "finetune_cot_teacher_requests": "reasoning",
    "llm_as_judge_requests": "grading",
    "camel_role_grid_requests": "synthesis",
    "selfinstruct_generation_requests": "synthesis",
    "toolbench_queries": "dataset",
    "humaneval_mbpp": "dataset",
    "belle_eval_zh": "dataset",
}
TASKS = (
    "arena_hard_v2_user_prompts",
    "hh_rlhf_harmless_dialogues",
    "clinc150_intents",
    "humaneval_mbpp",
    "belle_eval_zh",
    "bfcl_live_function_calls",
    "mmlu_ceval_cmmlu_eval_run",
    "p3_templated_nlp_tasks",
    "toolbench_queries",
    "finetune_cot_teacher_requests",
    "text2sql_questions",
)
ORDINARY = (
    "arena_hard_v2_user_prompts",
    "hh_rlhf_harmless_dialogues",
    "prompts_chat",
    "clinc150_intents",
    "bfcl_live_function_calls",
    "tau_bench_support_agents",
    "p3_templated_nlp_tasks",
    "clarin_sms_spam_prompts",
    "text2sql_questions",
    "mmlu_ceval_cmmlu_eval_run",
    "glaive_toolcall_demo",
)


def examples(seed: int) -> list[tuple[str, str, str, str]]:
    """(system, user, class, group): ``group`` is the frame or corpus, for leaving it out."""
    rng = random.Random(seed)
    texts: dict[str, list[str]] = defaultdict(list)
    answers: list[str] = []
    systems: dict[str, list[str]] = defaultdict(list)
    for corpus, row in rows():
        text = row.get("text") or ""
        if corpus == "finetune_cot_teacher_requests":
            texts[corpus + ":bare"].append(text.removeprefix("Q: ").split("\nA: Let's")[0])
        if text:
            texts[corpus].append(text)
            systems[corpus].append(row.get("system") or "")
        users = [
            t["content"]
            for t in row.get("turns") or []
            if t.get("role") == "user" and isinstance(t.get("content"), str)
        ]
        texts[corpus].extend(users[1:3])
        systems[corpus].extend(row.get("system") or "" for _ in users[1:3])
        if isinstance(row.get("response"), str) and len(row["response"]) > 40:
            answers.append(row["response"][:1500])
        answers.extend(
            t["content"][:1500]
            for t in row.get("turns") or []
            if t.get("role") == "assistant" and isinstance(t.get("content"), str) and len(t["content"]) > 40
        )
    bare = {c: texts.get(c + ":bare") or texts[c] for c in TASKS}

    def task() -> str:
        return rng.choice(bare[rng.choice(TASKS)])[:1500]

    out: list[tuple[str, str, str, str]] = []
    for name, listing in (
        ("reasoning", frames.REASONING),
        ("grading", frames.GRADING),
        ("synthesis", frames.SYNTHESIS),
        ("cleaning", frames.CLEANING),
        ("ordinary", frames.ORDINARY),
    ):
        for i, frame in enumerate(listing):
            for _ in range(PER_FRAME if name != "ordinary" else 2 * PER_FRAME):
                fill = {"x": task(), "a": rng.choice(answers), "b": rng.choice(answers), "n": rng.randint(2, 30)}
                system, user = frame if isinstance(frame, tuple) else ("", frame)
                if not system and rng.random() < 0.3:
                    system = rng.choice(
                        [
                            "You are a helpful assistant.",
                            "You are ChatGPT.",
                            "Answer concisely.",
                            "You are an expert assistant.",
                        ]
                    )
                out.append((system, _fill(user, fill), name, f"{name}{i}"))
    for verb in frames.DATASET_VERBS:
        for topic in rng.sample(frames.DATASET_TOPICS, 40):
            end = rng.choice([".", "", ".", " in simple words.", " for a beginner.", "."])
            out.append(("", f"{verb} {topic}{end}", "dataset", f"verb:{verb}"))
    for corpus, label in WHOLE.items():
        out.extend(("", t, label, corpus) for t in rng.sample(texts[corpus], min(1200, len(texts[corpus]))))
    for corpus in ORDINARY:
        pairs = list(zip(systems[corpus], texts[corpus], strict=False))
        out.extend((s, t, "ordinary", corpus) for s, t in rng.sample(pairs, min(1500, len(pairs))))
    rng.shuffle(out)
    return out


def _fill(frame: str, values: dict[str, object]) -> str:
    for key, value in values.items():
        frame = frame.replace("{" + key + "}", str(value))
    return frame.replace("{{", "{").replace("}}", "}")


def inputs(pairs: list[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of the ends, and structure, of (system, user) pairs."""
    when = datetime(2026, 1, 1, tzinfo=UTC)
    frame, texts = scan(
        [
            Event(event_id=str(i), timestamp=when, account_id="a", system=s or None, messages=[Message(content=u)])
            for i, (s, u) in enumerate(pairs)
        ]
    )
    heads, tails, systems = load_encoder("static").encode(ends(*texts)).reshape(3, len(pairs), -1)
    return np.hstack([heads, tails, systems]), structure(texts.prompts, frame)


def main() -> None:
    """Cross-validate over frames, then fit on all and write the asset."""
    data = examples(7)
    labels = np.array([CLASSES.index(c) for _, _, c, _ in data])
    groups = np.array([g for *_, g in data])
    vectors, structural = inputs([(s, u) for s, u, *_ in data])
    mean, scale = structural.mean(axis=0), structural.std(axis=0) + 1e-3
    scale[[STRUCTURE.index("log_user_turns"), STRUCTURE.index("log_tool_turns"), STRUCTURE.index("has_tools")]] = (
        1e6  # constant here: no weight
    )
    x = np.hstack([vectors * VECTOR_SCALE, (structural - mean) / scale])
    names = sorted(set(groups))
    random.Random(3).shuffle(names)
    predicted = np.zeros(len(labels), int)
    for fold in range(FOLDS):
        held = np.isin(groups, names[fold::FOLDS])
        predicted[held] = _fit(x[~held], labels[~held]).predict(x[held])
    print(classification_report(labels, predicted, target_names=CLASSES, digits=3))
    model = _fit(x, labels)
    IntentModel(model.coef_.T, model.intercept_, mean, scale, "default-1").save(DEFAULT)
    print(f"{len(labels)} requests, {len(names)} frames and corpora -> {DEFAULT}")


def _fit(x: np.ndarray, y: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=0.01, max_iter=300, class_weight="balanced").fit(x, y)


if __name__ == "__main__":
    main()
