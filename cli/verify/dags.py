"""The jobs of `fatefed verify`, as FATE-Flow 2.x takes them (schema of `dag_schema`: fate_flow/entity/spec/dag, FATE 2.0 to 2.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

from cli.data.sample import sample_name
from cli.data.upload import NAMESPACE

Dag = Mapping[str, Any]
PSI, EVALUATION = "psi_0", "evaluation_0"
_READER, _BOOST = "reader_0", "sbt_0"
# Oldest that FATE-Flow 2.x takes; it needs nothing newer.
_SCHEMA = "2.0.0"
_TREES, _DEPTH, _BINS = 3, 3, 16


def toy(guest: str, host: str) -> Dag:
    """FATE's example: both parties send each other the numbers of 100 rows. Reads no table."""
    task = {"component_ref": "toy_example", "stage": "default", "parameters": {"data_num": 100, "partition": 4}}
    return _dag(guest, host, {"toy_0": task})


def psi(guest: str, host: str) -> Dag:
    """The people that both samples have."""
    return _dag(guest, host, _until_psi(guest, host), tables=True)


def train(guest: str, host: str) -> Dag:
    """A model of both samples' features: PSI, Hetero SecureBoost, and its evaluation at the guest."""
    boost = {
        "component_ref": "hetero_secureboost",
        "dependent_tasks": [PSI],
        "parameters": {"num_trees": _TREES, "max_depth": _DEPTH, "max_bin": _BINS, "objective": "binary:bce"},
        "inputs": {"data": {"train_data": _output(PSI, "output_data", _parties(guest, host))}},
    }
    boost["parameters"] |= {"he_param": {"kind": "paillier", "key_length": 1024}}  # type: ignore[operator]
    evaluation = {
        "component_ref": "evaluation",
        "dependent_tasks": [_BOOST],
        "stage": "default",
        "parameters": {"default_eval_setting": "binary"},
        "parties": _parties(guest),
        "inputs": {
            "data": {"input_datas": {"task_output_artifact": [_artifact(_BOOST, "train_output_data", _parties(guest))]}},
        },
    }
    return _dag(guest, host, {**_until_psi(guest, host), _BOOST: boost, EVALUATION: evaluation}, tables=True)


def _until_psi(guest: str, host: str) -> dict[str, Any]:
    reader = {"component_ref": "reader", "stage": "default", "parameters": {}}
    inputs = {"data": {"input_data": _output(_READER, "output_data", _parties(guest, host))}}
    return {
        _READER: reader,
        PSI: {"component_ref": "psi", "dependent_tasks": [_READER], "stage": "default", "parameters": {}, "inputs": inputs},
    }


def _dag(guest: str, host: str, tasks: Mapping[str, Any], *, tables: bool = False) -> Dag:
    made: dict[str, Any] = {"parties": _parties(guest, host), "stage": "train", "tasks": dict(tasks)}
    if tables:
        made["party_tasks"] = {f"{role}_{party}": _reads(role, party) for role, party in (("guest", guest), ("host", host))}
    return {"schema_version": _SCHEMA, "dag": made}


def _reads(role: str, party: str) -> dict[str, Any]:
    table = {"namespace": NAMESPACE, "name": sample_name(role)}
    return {"parties": [{"role": role, "party_id": [party]}], "tasks": {_READER: {"parameters": table}}}


def _parties(guest: str, host: str | None = None) -> list[dict[str, Any]]:
    roles = [("guest", guest), *([("host", host)] if host is not None else [])]
    return [{"role": role, "party_id": [party]} for role, party in roles]


def _output(task: str, key: str, parties: Sequence[Any]) -> dict[str, Any]:
    return {"task_output_artifact": _artifact(task, key, parties)}


def _artifact(task: str, key: str, parties: Sequence[Any]) -> dict[str, Any]:
    return {"producer_task": task, "output_artifact_key": key, "parties": list(parties)}
