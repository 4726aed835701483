#!/bin/sh
# A nightly look at one stack: STACK=bank-a sh docs/jobs/nightly.sh
# It needs the stack's backend, passphrase and read access to the cluster, and changes nothing. Exit status:
#   0  nothing waits for `pulumi up`, nothing ends soon, and no exported descriptor is out of date
#   1  something does; it is named. A certificate that `pulumi up` renews shows as a change of its Secret
#   2  the preview failed
set -eu
: "${STACK:?names the stack, such as STACK=bank-a}"
found=$(mktemp)
trap 'rm -f "$found"' EXIT
pulumi preview -s "$STACK" --json --non-interactive > "$found" || { pulumi preview -s "$STACK" --non-interactive >&2 || true; exit 2; }
python3 - "$found" <<'PY'
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    preview = json.load(file)
changes = [f"{step['op']} {step['urn'].split('::', 2)[2]}" for step in preview["steps"] if step["op"] not in ("same", "read", "refresh")]
said = [entry["message"].strip() for entry in preview.get("diagnostics", []) if entry.get("severity") == "warning"]
signs = r"\b(expires on|expired on|has expired|ends on|ended on|your exported descriptor is out of date)\b"
due = [message for message in said if re.search(signs, message)]
print("\n".join([*changes, *due]) or "nothing to do")
sys.exit(1 if changes or due else 0)
PY
