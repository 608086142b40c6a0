"""Texts of the simulator from the real corpora, split by whole corpora: what teaches never measures.

``train`` holds permissively licensed corpora and the built-in grammar; ``test`` holds other corpora altogether (real
ShareGPT conversations, Alpaca, SGD, Evol-Instruct, ...), of any licence, since they serve measurement only.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

from benchmarks.detection.licences import DEFAULT_CORPORA, rows
from detector.simulate import Texts, built_in

TRAIN = (
    "hh_rlhf_harmless_dialogues",
    "arena_hard_v2_user_prompts",
    "prompts_chat",
    "toolbench_queries",
    "glaive_toolcall_demo",
    "camel_role_grid_requests",
    "humaneval_mbpp",
    "belle_eval_zh",
    "clarin_sms_spam_prompts",
    "tau_bench_support_agents",
    "bfcl_live_function_calls",
    "llm_as_judge_requests",
)
TEST = (
    "sharegpt_conversations",
    "instructionwild_user_prompts",
    "autoj_user_queries_58_scenarios",
    "alpaca_5000",
    "self_instruct_seed_tasks",
    "evol_instruct_code",
    "sgd_support_dialogues",
    "clinc150_intents",
    "aider_single_dev_prompts",
    "selfinstruct_generation_requests",
)
SHARED = (
    "finetune_cot_teacher_requests",
    "p3_templated_nlp_tasks",
    "mmlu_ceval_cmmlu_eval_run",
    "text2sql_questions",
)  # split by task, template, language or database


def _side(corpus: str, row: dict[str, Any]) -> str | None:
    if corpus in TRAIN:
        return "train"
    if corpus in TEST:
        return "test"
    if corpus in SHARED:
        key = str(row.get("task") or row.get("template") or row.get("database") or row.get("lang"))
        return "train" if sum(key.encode()) % 2 else "test"
    return None


def _turns(row: dict[str, Any]) -> list[str]:
    turns = [
        t["content"]
        for t in row.get("turns") or []
        if t.get("role") == "user" and isinstance(t.get("content"), str) and t["content"].strip()
    ]
    return [t[:3000] for t in turns[:10]] or [(row.get("text") or "")[:3000]]


def texts(side: str, seed: int = 1, corpora: Path = DEFAULT_CORPORA, exclude: tuple[str, ...] = ()) -> Texts:
    """Pools of one side. ``exclude`` names corpora that are left out."""
    out = Texts()
    own = built_in(seed + (0 if side == "train" else 1000), 1500)
    out.topics = own.topics
    for corpus, row in rows(corpora, "permissive" if side == "train" else "all"):
        if corpus in exclude or _side(corpus, row) != side:
            continue
        text = (row.get("text") or "").strip()
        if not text:
            continue
        response = row.get("response")
        if isinstance(response, str) and len(response) > 60:
            out.answers.append(response[:2000])
        if corpus in (
            "hh_rlhf_harmless_dialogues",
            "sharegpt_conversations",
            "instructionwild_user_prompts",
            "arena_hard_v2_user_prompts",
            "prompts_chat",
        ):
            out.chats.append(_turns(row))
        elif corpus in (
            "alpaca_5000",
            "self_instruct_seed_tasks",
            "toolbench_queries",
            "belle_eval_zh",
            "autoj_user_queries_58_scenarios",
            "glaive_toolcall_demo",
        ):
            out.instructions.append(text[:2000])
        elif corpus in ("camel_role_grid_requests",):
            out.instructions.append(text)
        elif corpus == "finetune_cot_teacher_requests":
            out.questions.append(re.sub(r"^Q: ", "", text).split("\nA: Let's")[0])
        elif corpus in ("humaneval_mbpp", "evol_instruct_code"):
            out.code.append(text[:2000])
            if corpus == "evol_instruct_code":
                out.agent_tasks.append(text[:2000])
        elif corpus == "aider_single_dev_prompts":
            out.agent_tasks.append(text[:1500])
        elif corpus == "p3_templated_nlp_tasks":
            (out.documents if len(text) > 700 else out.snippets).append(text)
        elif corpus in ("sgd_support_dialogues", "tau_bench_support_agents"):
            out.support.append(_turns(row))
        elif corpus == "clarin_sms_spam_prompts":
            out.snippets.append(text.split("Content of the SMS:")[-1].strip())
        elif corpus in ("clinc150_intents", "bfcl_live_function_calls"):
            out.snippets.append(text[:600])
        elif corpus == "text2sql_questions":
            out.sql.append(text)
        elif corpus == "mmlu_ceval_cmmlu_eval_run":
            out.choices.append(text)
    rng = random.Random(seed)
    for name in (
        "chats",
        "instructions",
        "questions",
        "code",
        "agent_tasks",
        "documents",
        "support",
        "answers",
        "snippets",
        "sql",
        "choices",
    ):
        pool = getattr(out, name)
        few = 1500 if side == "train" else 200  # the grammar's texts keep one corpus from standing for all of a role
        pool.extend(getattr(own, name)[: few if len(pool) > 300 else 1500])
        rng.shuffle(pool)
    return out
