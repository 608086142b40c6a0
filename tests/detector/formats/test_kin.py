"""Files whose records are joined with one another are read by one process, all others apart."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from detector.formats.kin import groups
from detector.pipeline import Detector
from detector.profiling import profile_files, profile_in_processes
from detector.progress import Progress
from tests.detector.formats import gateways
from tests.detector.formats.bodies import litellm, row
from tests.detector.formats.otlp.requests import CALL, log, logs, protobuf, span, traces

SPANS = traces(span(1, {"tenant.id": "acme"}), span(2, CALL, parent=1))
TURNS = logs(
    log(2, "gen_ai.user.message", body={"content": "Name a river."}),
    log(2, "gen_ai.choice", body={"message": {"content": "Elbe."}}),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of many kinds."""

    def put(name: str, content: bytes) -> None:
        (tmp_path / name).write_bytes(content)

    put("a.jsonl", json.dumps(SPANS).encode())
    put("b.json.gz", gzip.compress(json.dumps([TURNS], indent=1).encode()))
    put("c.pb", protobuf(SPANS))
    put("d.pb.gz", gzip.compress(protobuf(TURNS)))
    put("e.jsonl", json.dumps(row()).encode())
    put("f.json", b"\n\xef\xbb\xbf [" + json.dumps(litellm()).encode() + b"]")
    put("g.jsonl", json.dumps(gateways.openai_input()).encode())
    put("h.jsonl", json.dumps(gateways.openai_output()).encode() + b"\n")
    put("i.jsonl", json.dumps(gateways.langfuse()).encode())
    put("j.jsonl", b"what is this\n{")
    put("k.jsonl", b"")
    put("l.json", json.dumps(SPANS, indent=2).encode())
    put("m.jsonl.gz", b"no gzip")
    put("n.json", b"[]")
    return tmp_path


def named(found: list[list[Path]]) -> list[str]:
    """Groups by the first letters of their files."""
    return sorted("".join(p.name[0] for p in group) for group in found)


def test_groups_by_what_the_files_hold(folder: Path) -> None:
    """Traces and logs are one group, a batch's requests and answers another; broken, empty and other files stand alone."""
    files = sorted(folder.iterdir())
    assert named(groups(files)) == ["abcdl", "e", "f", "gh", "i", "j", "k", "m", "n"]
    assert sorted(file for group in groups(files) for file in group) == files


def test_groups_by_a_given_format(folder: Path) -> None:
    """Where the format is given, the files need not be looked into."""
    lines = [folder / f"{name}.jsonl" for name in "aeg"]
    assert named(groups(lines, "otlp_logs")) == ["aeg"]
    assert named(groups(lines, "litellm")) == ["a", "e", "g"]


@pytest.mark.slow
def test_processes_join_across_files(folder: Path) -> None:
    """A call's span in one file and its log records in another are one event, as in one process."""
    files = [folder / "a.jsonl", folder / "b.json.gz", folder / "e.jsonl"]
    alone = profile_files(files, Detector.load(), "auto", None, Progress())
    spread = profile_in_processes(files, "processes", "auto", None, None, Progress())
    assert (alone.events, spread.events) == (2, 2)
    assert spread.profiles.equals(alone.profiles)
    assert sorted(alone.profiles.accounts["account_id"]) == ["acct_a", "acme"]
    assert int(alone.profiles.counts["text_rows"].sum()) == 2


def test_attributes_name_the_account(folder: Path) -> None:
    """A name given to the audit goes before those that the format knows."""
    part = profile_files(
        [folder / "a.jsonl"], Detector.load(), "auto", None, Progress(), account_attributes=["gen_ai.request.model"]
    )
    assert part.profiles.accounts["account_id"].to_list() == ["gpt-4o"]
