"""YAML is read the same way where PyYAML was built without libyaml."""

import json
import subprocess
import sys

_PROGRAM = """
import json, sys
if sys.argv[1] == "without":
    sys.modules["yaml._yaml"] = None
import yaml
from cli.convert.defaults import CHARTS_READ
from cli.tools import helm
from cli.tools.redact import redacted_text
from federation.base.yaml_file import YamlFile
from federation.catalogue.releases import built_in_rows
file = YamlFile("a:\\n  b: [1, {c: 2020-01-01}]\\n  a: 1\\n  a: 2\\n", "own.yaml")
print(json.dumps({
    "libyaml": yaml.__with_libyaml__,
    "rows": built_in_rows("fate"), "charts": CHARTS_READ, "place": file.place_of(("a", "b", "1", "c")), "values": file.values,
    "twice": [str(problem) for problem in file.duplicates()],
    "redacted": redacted_text("user: fate\\npassword: hunter2\\n"),
    "rendered": [*yaml.load_all("a: 2020-01-01", Loader=helm._Loader)],
}, default=str))
"""


def read(how: str) -> dict[str, object]:
    """What a process with or without libyaml reads."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM, how], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, object] = json.loads(done.stdout)
    return answers


def test_without_libyaml_the_same_is_read_more_slowly() -> None:
    fast, slow = read("with"), read("without")
    assert (fast.pop("libyaml"), slow.pop("libyaml")) == (True, False)
    assert fast["place"] == "own.yaml:2 a.b.1.c"
    assert fast["rendered"] == [{"a": "2020-01-01"}]
    assert fast == slow
