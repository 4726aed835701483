"""The files generated from the models: JSON schemas of stack files, descriptors and chart values, and the charts' example values.

`python -m federation.stack.schemas` writes them, `--check` tells (exit 1) which are stale.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from federation.base.model import Model
from federation.chart_values.fate import ExchangeValues, PartyValues
from federation.chart_values.portal import PortalValues
from federation.chart_values.serving import ServingValues
from federation.config.stack import StackSpec
from federation.peers.descriptor import Descriptor
from federation.peers.signed import Envelope, Header, Statement
from federation.stack.load import load_stack

# The chart that the others carry in their `charts/`; it takes no values.
LIBRARY = "fate-common"
ROOT = Path(__file__).resolve().parents[2]


def generated_files() -> dict[Path, str]:
    """Every generated file, {path within the repository: text}."""
    charts, stacks = Path("charts"), Path("stacks")
    return {
        charts / "fate-party" / "values.schema.json": _schema(PartyValues),
        charts / "fate-party" / "example-values.yaml": _example("bank-a", "party-9999"),
        charts / "fate-exchange" / "values.schema.json": _schema(ExchangeValues),
        charts / "fate-exchange" / "example-values.yaml": _example("consortium", "exchange"),
        charts / "fate-serving" / "values.schema.json": _schema(ServingValues),
        charts / "fate-serving" / "example-values.yaml": _example("insurer-c", "serving-10001"),
        charts / "fate-portal" / "values.schema.json": _schema(PortalValues),
        charts / "fate-portal" / "example-values.yaml": _example("clinic-d", "site-portal-10002"),
        stacks / "stack.schema.json": _stack_schema(),
        Path("docs/reference/descriptor.schema.json"): _descriptor_schema(),
    }


def stale(files: Mapping[Path, str]) -> list[Path]:
    """The paths whose file under the repository is missing or has another text."""
    return [path for path, text in files.items() if not (ROOT / path).is_file() or (ROOT / path).read_text() != text]


def _schema(model: type[Model]) -> str:
    """The model as JSON schema draft-07, which is what Helm and editors read."""
    body = _draft07(model.model_json_schema(by_alias=True))
    body["properties"][LIBRARY] = {"type": "object", "description": "Added by Helm for the chart library, which takes no values."}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$comment": _generated("chart_values/fate")}
    return json.dumps(head | body, indent=2) + "\n"


def _draft07(node: Any) -> Any:
    """Without what says nothing (titles, nulls: an absent value is left out), and with `$ref` alone, as draft-07 wants it."""
    if isinstance(node, list):
        return [_draft07(item) for item in node]
    if not isinstance(node, dict):
        return node
    if len(choices := [choice for choice in node.get("anyOf", []) if choice != {"type": "null"}]) == 1:
        node = {key: value for key, value in node.items() if key != "anyOf"} | choices[0]
    node = {key: value for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if node.get("default", ...) is None:
        del node["default"]
    if "$ref" in node and len(node) > 1:
        node = {"allOf": [{"$ref": node["$ref"]}]} | {key: value for key, value in node.items() if key != "$ref"}
    return {key: _draft07(value) for key, value in node.items()}


def _stack_schema() -> str:
    """The schema of a stack file, for editors: StackSpec's keys under `config:`, and what Pulumi itself writes."""
    body = StackSpec.model_json_schema(by_alias=True)
    keys = {f"fate:{key}": value for key, value in body["properties"].items()}
    keys["fate:secrets"] = {
        "type": "object",
        "description": "Secrets by name, encrypted: `fatefed secrets init`, `pulumi config set --secret --path`.",
    }
    config = {"type": "object", "properties": keys, "required": [f"fate:{key}" for key in body["required"]]}
    stack = {"type": "object", "properties": {"config": config}, "required": ["config"], "$defs": body["$defs"]}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$comment": _generated("config/stack")}
    return json.dumps(head | _draft07(stack), indent=2) + "\n"


def _descriptor_schema() -> str:
    """The schema of a descriptor file: the envelope, what its parts hold, and the body, which may also stand alone, unsigned."""
    models = {model.__name__: model.model_json_schema(by_alias=True) for model in (Envelope, Header, Statement, Descriptor)}
    definitions = {name: schema for model in models.values() for name, schema in model.pop("$defs", {}).items()}
    definitions |= models
    for part, holds in (("protected", "Header"), ("payload", "Statement")):
        property_schema = definitions["Envelope"]["properties"][part]
        property_schema |= {"contentEncoding": "base64url", "contentMediaType": "application/json", "$comment": f"see #/$defs/{holds}"}
    file = {"anyOf": [{"$ref": "#/$defs/Envelope"}, {"$ref": "#/$defs/Descriptor"}], "$defs": definitions}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$comment": _generated("peers/signed")}
    return json.dumps(head | _draft07(file), indent=2) + "\n"


def _example(stack: str, unit: str) -> str:
    """The chart values of a unit of an example stack."""
    path = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
    values = load_stack(path).plan.unit(unit).chart.values
    text = yaml.safe_dump(values.plain(), sort_keys=False, allow_unicode=True, width=120)
    return f"# {_generated('stack/plan')} From stacks/{path.name}.\n{text}"


def _generated(module: str) -> str:
    return f"Generated by `python -m federation.stack.schemas` from federation/{module}.py: edit that."


def main(arguments: Sequence[str]) -> int:
    """Writes the generated files, or with `--check` only tells which are stale."""
    files = generated_files()
    old = stale(files)
    for path in old:
        if "--check" in arguments:
            print(f"{path} is stale: run python -m federation.stack.schemas", file=sys.stderr)
        else:
            (ROOT / path).write_text(files[path])
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
