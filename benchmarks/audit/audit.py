"""Speed and memory of the batch audit: python -m benchmarks.audit.audit --events 10000 50000 200000

Simulated logs of about 1.2 kB a row. Each size is audited in a process of its own; beside it, in the same run, the floor:
a process that only parses the rows and embeds their last prompts. Writes results.json beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from detector.simulate import PRESETS, Scenario, simulate

RESULTS = Path(__file__).parent / "results.json"
FLOOR = """
import sys
from detector.encoders import load_encoder
from detector.formats import read
from detector.templates import prompt_text
encoder = load_encoder("static")
import time
start = time.perf_counter()
for batch in read([sys.argv[1]]):
    encoder.encode([prompt_text(e)[1] for e in batch.events])
print(time.perf_counter() - start)
"""


def make_log(path: Path, events: int) -> None:
    """A simulated log of so many events: seeds are added up until there are enough."""
    demo = PRESETS["demo"]
    encoder, written, seed = msgspec.json.Encoder(), 0, 100
    with path.open("wb") as file:
        while written < events:
            traffic = simulate(Scenario(days=7, size=demo.size, tenants=demo.tenants, campaigns=demo.campaigns), seed)
            for event in traffic.events[: events - written]:
                file.write(encoder.encode(event) + b"\n")
            written += min(len(traffic.events), events - written)
            seed += 1


def run(command: list[str]) -> tuple[float, float, str]:
    """Wall seconds, peak megabytes and output of a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise RuntimeError(f"{command} failed: {output[-500:]}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def main() -> None:
    """Measure all sizes and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    options = parser.parse_args()
    rows = []
    for events in options.events:
        with tempfile.TemporaryDirectory() as folder:
            log, out = Path(folder) / "log.jsonl", Path(folder) / "out"
            make_log(log, events)
            floor = float(run([sys.executable, "-c", FLOOR, str(log)])[2])
            wall, memory, _ = run(
                [sys.executable, "-c", "from detector.cli import main; main()", "audit", str(log), "--out", str(out)]
            )
            timings = json.loads((out / "report.json").read_text())["run"]["timings"]
            row = {
                "events": events,
                "bytes_per_row": log.stat().st_size // events,
                "wall_seconds": round(wall, 1),
                "events_per_second": round(events / wall),
                "peak_mb": round(memory),
                "floor_seconds": round(floor, 1),
                "work_over_floor": round(sum(timings.values()) / floor, 2),
                **{k: round(v, 1) for k, v in timings.items()},
            }
            rows.append(row)
            print(row, flush=True)
    RESULTS.write_text(
        json.dumps(
            {
                "command": "python -m benchmarks.audit.audit --events " + " ".join(map(str, options.events)),
                "rows": rows,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
