"""Texts of the simulator from the real corpora, split by whole corpora: what teaches never measures.

``train`` holds permissively licensed corpora and the built-in grammar; ``test`` holds other corpora altogether (real
ShareGPT conversations, Alpaca, SGD, Evol-Instruct, ...), of any licence, since they serve measurement only.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any
from zlib import crc32

from benchmarks.detection.licences import DEFAULT_CORPORA, rows
from detector.simulate import Prompt, Texts, built_in

TRAIN = (
    "arena_hard_v2_user_prompts",
    "belle_eval_zh",
    "bfcl_live_function_calls",
    "camel_role_grid_requests",
    "clarin_sms_spam_prompts",
    "glaive_toolcall_demo",
    "hh_rlhf_harmless_dialogues",
    "humaneval_mbpp",
    "prompts_chat",
    "tau_bench_support_agents",
    "toolbench_queries",
)
TEST = (
    "aider_single_dev_prompts",
    "alpaca_5000",
    "autoj_user_queries_58_scenarios",
    "clinc150_intents",
    "evol_instruct_code",
    "instructionwild_user_prompts",
    "inthewild_jailbreak_prompts",
    "self_instruct_seed_tasks",
    "selfinstruct_generation_requests",
    "sgd_support_dialogues",
    "sharegpt_conversations",
)
SHARED = {  # corpus -> field by whose values it is split
    "finetune_cot_teacher_requests": "task",
    "llm_as_judge_requests": "source",
    "mmlu_ceval_cmmlu_eval_run": "lang",
    "p3_templated_nlp_tasks": "template",
    "text2sql_questions": "database",
}
TRAIN_GROUPS = (  # of the train side: whoever is fitted on three of them is judged on the fourth
    ("hh_rlhf_harmless_dialogues", "humaneval_mbpp", "p3_templated_nlp_tasks", "toolbench_queries"),
    (
        "arena_hard_v2_user_prompts",
        "clarin_sms_spam_prompts",
        "glaive_toolcall_demo",
        "llm_as_judge_requests",
        "text2sql_questions",
    ),
    ("bfcl_live_function_calls", "camel_role_grid_requests", "finetune_cot_teacher_requests", "prompts_chat"),
    ("belle_eval_zh", "mmlu_ceval_cmmlu_eval_run", "tau_bench_support_agents"),
)
UNUSED = ("distillation_tool_templates",)  # templates without fillings
CORPORA = (*TRAIN, *TEST, *SHARED)

CHATS = (
    "sharegpt_conversations",
    "hh_rlhf_harmless_dialogues",
    "instructionwild_user_prompts",
    "arena_hard_v2_user_prompts",
    "prompts_chat",
    "inthewild_jailbreak_prompts",
)
INSTRUCTIONS = ("alpaca_5000", "self_instruct_seed_tasks", "belle_eval_zh", "autoj_user_queries_58_scenarios")
MAX_TURNS = 12
MAX_TURN = 3000  # characters
MIN_PAIR = 60  # characters of an answer that is worth grading or cleaning
LONG = 700  # characters from which a rendered task is a document
MIN_PIPELINE = 8  # requests of one template that make a pipeline
OWN_SHARE = {"train": 0.3, "test": 0.1}  # of the grammar's texts in a pool, so that no corpus stands for all of a role
FEW = 400  # a pool smaller than this is filled up from the grammar


def side_of(corpus: str, row: dict[str, Any]) -> str | None:
    """``train`` or ``test``, or None for a corpus that is not used."""
    if corpus in TRAIN:
        return "train"
    if corpus in TEST:
        return "test"
    if corpus in SHARED:
        return "train" if crc32(str(row.get(SHARED[corpus])).encode()) % 2 else "test"
    return None


def _turns(row: dict[str, Any]) -> list[str]:
    said = [t.get("content") for t in row.get("turns") or [] if t.get("role") == "user"]
    turns = [t[:MAX_TURN] for t in said if isinstance(t, str) and t.strip()]
    return turns[:MAX_TURNS] or [row["text"][:MAX_TURN]]


class _Filler:
    """Puts rows into pools by the part they play."""

    def __init__(self) -> None:
        self.texts = Texts()
        self.pipelines: dict[str, list[Prompt]] = defaultdict(list)
        self.harvests: dict[str, list[Prompt]] = defaultdict(list)

    def add(self, corpus: str, row: dict[str, Any]) -> None:
        out, text = self.texts, row["text"].strip()
        answer = row.get("response")
        if isinstance(answer, str) and len(answer) >= MIN_PAIR:
            if corpus in (*INSTRUCTIONS, "evol_instruct_code", "toolbench_queries") and len(out.pairs) <= len(
                out.answers
            ):
                out.pairs.append((text[:1500], answer[:2500]))
            else:
                out.answers.append(answer[:2500])
        if corpus in CHATS:
            out.chats.append(_turns(row))
        elif corpus in INSTRUCTIONS:
            out.instructions.append(text[:2000])
        elif corpus == "finetune_cot_teacher_requests":
            out.questions.append(re.sub(r"^Q: ", "", text).split("\nA: Let's")[0])
            self.harvests["reasoning"].append(Prompt(text))
        elif corpus in ("camel_role_grid_requests", "selfinstruct_generation_requests"):
            self.harvests["instruction_synthesis"].append(Prompt(text))
        elif corpus in ("humaneval_mbpp", "evol_instruct_code"):
            out.code.append(text[:2000])
        elif corpus in ("toolbench_queries", "aider_single_dev_prompts", "glaive_toolcall_demo"):
            out.agent_tasks.append(text[:1500])
        elif corpus == "p3_templated_nlp_tasks":
            (out.documents if len(text) > LONG else out.snippets).append(text)
            self.pipelines[row["template"]].append(Prompt(text[:6000]))
        elif corpus in ("sgd_support_dialogues", "tau_bench_support_agents"):
            out.support.append(_turns(row))
        elif corpus == "clarin_sms_spam_prompts":
            out.snippets.append(text.split("Content of the SMS:")[-1].strip())
            self.pipelines[corpus].append(Prompt(text))
        elif corpus in ("clinc150_intents", "bfcl_live_function_calls"):
            out.snippets.append(text[:600])
            if corpus == "bfcl_live_function_calls":
                out.agent_tasks.append(text[:1500])
        elif corpus == "text2sql_questions":
            out.sql.append(text)
        elif corpus == "mmlu_ceval_cmmlu_eval_run":
            out.choices.append(text)
        elif corpus == "llm_as_judge_requests":
            out.judging.append(Prompt(text[:8000], row.get("system")))

    def finish(self, own: Texts, share: float, rng: random.Random) -> Texts:
        """Fill up from the grammar and shuffle."""
        out = self.texts
        out.topics = own.topics
        for field in fields(Texts):
            pool = getattr(out, field.name)
            if field.name == "topics" or isinstance(pool, dict) or field.name in ("templated", "judging"):
                continue
            spare = getattr(own, field.name)
            pool.extend(spare[: max(int(len(pool) * share), FEW - len(pool), 0)])
            rng.shuffle(pool)
        out.templated = [prompts for prompts in self.pipelines.values() if len(prompts) >= MIN_PIPELINE]
        out.harvests = dict(self.harvests)
        return out


def texts(
    side: str,
    seed: int = 1,
    corpora: Path = DEFAULT_CORPORA,
    exclude: Sequence[str] = (),
    licence: str | None = None,
    include: Sequence[str] = (),
) -> Texts:
    """Pools of one side (``train``, ``test``, or ``all`` of both).

    ``exclude`` names corpora that are left out, ``include`` the only ones taken; ``licence`` is ``permissive`` or ``all``
    (None: permissive for train, else all). Raises ValueError for an unknown corpus and FileNotFoundError without corpora.
    """
    for name in (*exclude, *include):
        if name not in CORPORA:
            raise ValueError(f"unknown corpus {name!r}: choose among {', '.join(sorted(CORPORA))}")
    if not corpora.is_dir():
        raise FileNotFoundError(f"{corpora} does not exist: give the folder of the corpora with --corpora")
    filler = _Filler()
    for corpus, row in rows(corpora, licence or ("permissive" if side == "train" else "all")):
        known = side_of(corpus, row)
        if (
            known is None
            or corpus in exclude
            or (include and corpus not in include)
            or (row.get("text") or "").strip() == ""
        ):
            continue
        if side in (known, "all"):
            filler.add(corpus, row)
    own = built_in(seed + (0 if side == "train" else 1000), 2500)
    return filler.finish(own, OWN_SHARE.get(side, 0.1), random.Random(seed))
