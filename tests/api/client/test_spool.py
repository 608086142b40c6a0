"""The spool: first in, first out, bounded, and whole after a crash at any point."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.client.spool import DiskSpool, MemorySpool, Position, Spool, SpoolInUse

steps = st.lists(
    st.tuples(st.sampled_from(["append", "send", "restart", "crash"]), st.integers(1, 40)), min_size=1, max_size=60
)


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(60, 4000), st.integers(20, 200))
def test_a_spool_is_a_queue(todo: list[tuple[str, int]], max_bytes: int, segment_bytes: int) -> None:
    """Against a list: what goes in comes out once and in order, over restarts and crashes; it never holds more than it may."""
    with tempfile.TemporaryDirectory() as name:
        spool = DiskSpool(Path(name), max_bytes, segment_bytes=segment_bytes)
        model: list[bytes] = []
        for number, (what, amount) in enumerate(todo):
            if what == "append":
                line = b"x" * amount + b"%d\n" % number
                fits = sum(map(len, model)) + len(line) <= max_bytes
                assert spool.append(line) == fits
                model += [line] if fits else []
            elif what == "send":
                lines, position = spool.peek(amount, 100)
                assert list(lines) == model[: len(lines)]
                assert bool(lines) == bool(model)
                spool.commit(position)
                model = model[len(lines) :]
            else:
                spool.close()
                if what == "crash":  # in the middle of a line
                    last = max(Path(name).glob("*.jsonl"))
                    with last.open("ab") as file:
                        file.write(b"half a li")
                spool = DiskSpool(Path(name), max_bytes, segment_bytes=segment_bytes)
            assert spool.size == sum(map(len, model))
            assert sum(p.stat().st_size for p in Path(name).glob("*.jsonl")) <= max_bytes + segment_bytes + 50
        spool.close()


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 10), st.integers(1, 100))
def test_memory_and_disk_are_alike(sizes: list[int], lines: int, size: int) -> None:
    """Both spools give the same batches."""
    with tempfile.TemporaryDirectory() as name:
        spools: list[Spool] = [MemorySpool(500), DiskSpool(Path(name), 500)]
        taken = [[spool.append(b"a" * n + b"\n") for n in sizes] for spool in spools]
        assert taken[0] == taken[1]
        while True:
            batches = []
            for spool in spools:
                batch, position = spool.peek(lines, size)
                spool.commit(position)
                batches.append(list(batch))
            assert batches[0] == batches[1]
            if not batches[0]:
                break
        spools[1].close()


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    """A second process is refused with words, until the first is gone, even if that was killed."""
    program = (
        "import sys, time; from pathlib import Path; from api.client.spool import DiskSpool\n"
        "s = DiskSpool(Path(sys.argv[1]), 1000); s.append(b'x\\n'); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(SpoolInUse, match="each its own folder"):
            DiskSpool(tmp_path, 1000)
        other.kill()
    spool = DiskSpool(tmp_path, 1000)
    assert spool.peek(10, 1000) == ([b"x\n"], Position(0, 2))
    spool.close()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk takes only a part of a line, that line is refused and the file stays whole."""
    spool = DiskSpool(tmp_path, 1000)
    assert spool.append(b"first\n")
    real, calls = os.write, []

    def write(file: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(file, bytes(data)[:3])

    monkeypatch.setattr(os, "write", write)
    assert not spool.append(b"second\n")
    monkeypatch.setattr(os, "write", real)
    assert spool.append(b"third\n")
    assert list(spool.peek(10, 1000)[0]) == [b"first\n", b"third\n"]
    spool.close()
