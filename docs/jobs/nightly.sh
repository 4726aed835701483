#!/bin/sh
# Reports once a night what one stack waits for: STACK=bank-a sh docs/jobs/nightly.sh
# It needs the stack's backend, passphrase and read access to the cluster. It changes nothing. Exit status:
#   0  nothing waits for `pulumi up`, nothing ends soon, and no exported descriptor is out of date
#   1  something does: the script prints it. A certificate that `pulumi up` renews shows as a change of its Secret
#   2  the preview failed
set -eu
: "${STACK:?names the stack, such as STACK=bank-a}"
preview=$(mktemp)
trap 'rm -f "$preview"' EXIT
pulumi preview -s "$STACK" --json --non-interactive > "$preview" || { pulumi preview -s "$STACK" --non-interactive >&2 || true; exit 2; }
python3 - "$preview" <<'PY'
import json
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    preview = json.load(file)
changes = [f"{step['op']} {step['urn'].split('::', 2)[2]}" for step in preview["steps"] if step["op"] not in ("same", "read", "refresh")]
warnings = [entry["message"].strip() for entry in preview.get("diagnostics", []) if entry.get("severity") == "warning"]
signs = r"\b(expires on|expired on|has expired|ends on|ended on|your exported descriptor is out of date)\b"
due = [message for message in warnings if re.search(signs, message)]
print("\n".join([*changes, *due]) or "nothing to do")
sys.exit(1 if changes or due else 0)
PY
