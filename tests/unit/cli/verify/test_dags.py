"""The jobs are those that FATE's own client makes, which FATE-Flow 2.2.0 ran."""

from collections.abc import Callable
from typing import Any

import pytest

from cli.verify import dags

GUEST = {"role": "guest", "party_id": ["9999"]}
HOST = {"role": "host", "party_id": ["10000"]}


def made(job: Callable[[str, str], dags.Dag]) -> dict[str, Any]:
    """A job's dag."""
    return dict(job("9999", "10000")["dag"])


@pytest.mark.parametrize("job", [dags.toy, dags.psi, dags.train])
def test_every_job_has_both_parties_and_only_what_a_dag_may_have(job: Callable[[str, str], dags.Dag]) -> None:
    dag = made(job)
    assert dag["parties"] == [GUEST, HOST]
    assert set(dag) <= {"parties", "stage", "tasks", "party_tasks", "conf"}
    assert job("9999", "10000")["schema_version"] == "2.0.0"


# Of fate_client 2.2.0: FateFlowPipeline().get_dag() of the same pipeline, without its defaults of parameters.
_ARTIFACT = {"output_artifact_key": "output_data", "parties": [GUEST, HOST], "producer_task": "reader_0"}
_PSI = {
    "component_ref": "psi",
    "dependent_tasks": ["reader_0"],
    "inputs": {"data": {"input_data": {"task_output_artifact": _ARTIFACT}}},
    "parameters": {},
    "stage": "default",
}


def test_psi_is_what_the_pipeline_of_fate_makes() -> None:
    dag = made(dags.psi)
    assert dag["tasks"] == {"reader_0": {"component_ref": "reader", "parameters": {}, "stage": "default"}, "psi_0": _PSI}
    assert dag["party_tasks"] == {
        "guest_9999": {"parties": [GUEST], "tasks": {"reader_0": {"parameters": {"namespace": "fatefed", "name": "sample-guest"}}}},
        "host_10000": {"parties": [HOST], "tasks": {"reader_0": {"parameters": {"namespace": "fatefed", "name": "sample-host"}}}},
    }


def test_train_evaluates_at_the_guest_what_the_trees_learned_of_the_shared_people() -> None:
    tasks = made(dags.train)["tasks"]
    assert tasks["psi_0"] == _PSI
    trained = {"output_artifact_key": "output_data", "parties": [GUEST, HOST], "producer_task": "psi_0"}
    assert tasks["sbt_0"]["inputs"]["data"]["train_data"]["task_output_artifact"] == trained
    assert tasks["evaluation_0"]["parties"] == [GUEST]
    scored = [{"output_artifact_key": "train_output_data", "parties": [GUEST], "producer_task": "sbt_0"}]
    assert tasks["evaluation_0"]["inputs"]["data"]["input_datas"]["task_output_artifact"] == scored


def test_each_task_depends_on_a_task_of_the_job() -> None:
    tasks = made(dags.train)["tasks"]
    needed = [other for task in tasks.values() for other in task.get("dependent_tasks", [])]
    assert needed == ["reader_0", "psi_0", "sbt_0"]
    assert set(needed) < set(tasks)
