"""Speed and memory of the batch audit: python -m benchmarks.audit.audit --events 10000 50000 200000 1000000

For each size a simulated log (benchmarks.audit.log) is audited in a process of its own; beside it, in the same run, the floors
(benchmarks.audit.work): processes that only parse the rows and embed their prompts. Writes results.json beside this file.
Loading of libraries and weights is told apart: it is the same for every size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.audit.log import make_log
from benchmarks.audit.work import FLOORS

RESULTS = Path(__file__).parent / "results.json"


def run(work: str, log: Path, out: Path) -> dict[str, Any]:
    """What a piece of work told of itself, with the peak memory of its process in megabytes."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.audit.work", work, str(log), str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(command)} failed")
    return json.loads(output.splitlines()[-1]) | {"peak_mb": usage.ru_maxrss / 1024}


def measure(events: int, folder: Path, floors: list[str]) -> dict[str, Any]:
    """Audit a log of one size, and the floors beside it."""
    log = folder / f"{events}.jsonl"
    if not log.exists():
        make_log(log, events)
    with tempfile.TemporaryDirectory() as out:
        told = {work: run(work, log, Path(out)) for work in ("audit", *floors)}
    audit, first = told["audit"], told[floors[0]]
    return {
        "events": first["events"],
        "accounts": audit["accounts"],
        "flagged": audit["flagged"],
        "bytes_per_row": log.stat().st_size // first["events"],
        "different_prompts": round(first["different_prompts"] / first["events"], 3),
        "audit_seconds": round(audit["wall"], 2),
        "audit_cpu_seconds": round(audit["cpu"], 2),
        "load_seconds": round(audit["load"], 2),
        "peak_mb": round(audit["peak_mb"]),
        "events_per_second": round(first["events"] / audit["wall"]),
        "stages": {stage: round(seconds, 2) for stage, seconds in audit["stages"].items()},
        "floors": {
            name: {
                "seconds": round(told[name]["wall"], 2),
                "cpu_seconds": round(told[name]["cpu"], 2),
                "peak_mb": round(told[name]["peak_mb"]),
                "audit_over_floor": round(audit["wall"] / told[name]["wall"], 2),
                "audit_over_floor_cpu": round(audit["cpu"] / told[name]["cpu"], 2),
            }
            for name in floors
        },
    }


def growth(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each further event costs from one size to the next: constant where the audit is linear."""
    steps = []
    for small, large in pairwise(rows):
        more = large["events"] - small["events"]
        steps.append(
            {
                "from": small["events"],
                "to": large["events"],
                "cpu_us_per_event": round((large["audit_cpu_seconds"] - small["audit_cpu_seconds"]) / more * 1e6),
                "bytes_per_event": round((large["peak_mb"] - small["peak_mb"]) / more * 2**20),
            }
        )
    return steps


def main() -> None:
    """Measure all sizes and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 50_000, 200_000, 1_000_000])
    parser.add_argument("--floors", nargs="+", choices=FLOORS, default=list(FLOORS))
    parser.add_argument("--logs", type=Path, help="folder where the logs are kept, and taken from the next time")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.logs or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for events in sorted(options.events):
            rows.append(measure(events, folder, options.floors))
            print(json.dumps(rows[-1]), flush=True)
    command = "python -m benchmarks.audit.audit --events " + " ".join(map(str, sorted(options.events)))
    found = {"command": command, "cores": os.cpu_count(), "rows": rows, "growth": growth(rows)}
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["growth"]))


if __name__ == "__main__":
    main()
