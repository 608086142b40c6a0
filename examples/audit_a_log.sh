#!/bin/sh
# Make a labelled week of traffic, audit it, and measure the audit against the labels. Needs no running service.
set -eu
out=${1:-build/example}
distillwatch simulate --out "$out/traffic"
distillwatch audit "$out/traffic/events.jsonl" --out "$out/audit" || [ $? -eq 1 ]  # 1 says: there are findings
distillwatch evaluate "$out/audit" "$out/traffic"
echo "open $out/audit/report.html in a browser"
