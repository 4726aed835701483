"""Jobs of a plan: what they run, what they know, and when they run again."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from federation.base.errors import FederationError
from federation.manifests.jobs import JobPlan
from federation.units.unit import UnitPlan
from tests.support.configs import EXTERNAL, EXTERNAL_EGGROLL, EXTERNAL_RABBITMQ, RABBITMQ_MESH, STAR_PARTY, Case, Config

SCRIPTS = sorted((Path(__file__).resolve().parents[4] / "federation" / "manifests" / "scripts").iterdir())


def party(case: Case, folder: Path) -> UnitPlan:
    """The plan of party 9999."""
    return case.load(folder).plan.unit("party-9999")


def credentials(case: Case, **given: Config) -> Case:
    """The case with credentials of party 9999."""
    return case.changed(lambda config: config["parties"]["9999"].update(credentials=given))


def pod(plan: JobPlan) -> dict[str, Any]:
    """The pod's spec."""
    spec: dict[str, Any] = plan.job.fields["spec"]["template"]["spec"]
    return spec


ROTATED = credentials(STAR_PARTY, mysql={"secret": "db-2", "previous": "party-9999-mysql"})
ROTATED_BROKER = credentials(RABBITMQ_MESH, rabbitmq={"secret": "mq-2", "previous": "party-9999-rabbitmq"})
CASES = [
    (EXTERNAL, "database-schema"),
    (EXTERNAL_EGGROLL, "database-schema"),
    (ROTATED, "database-password"),
    (ROTATED_BROKER, "rabbitmq-password"),
]


def only(case: Case, folder: Path) -> JobPlan:
    """The one Job of a case."""
    (plan,) = party(case, folder).jobs
    return plan


def test_a_party_without_external_database_and_rotation_has_no_job(tmp_path: Path) -> None:
    assert party(STAR_PARTY, tmp_path).jobs == ()
    assert [plan.job.name for plan in party(EXTERNAL_RABBITMQ, tmp_path).jobs] == ["database-schema"]


@pytest.mark.parametrize(("case", "name"), CASES, ids=[name for _, name in CASES])
def test_a_job_is_hardened_and_knows_passwords_by_reference_only(case: Case, name: str, tmp_path: Path) -> None:
    plan = only(case, tmp_path)
    assert (plan.job.kind, plan.job.name, plan.job.role) == ("Job", name, name)
    spec = pod(plan)
    (container,) = spec["containers"]
    assert spec["restartPolicy"] == "Never"
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert container["securityContext"] == {
        "runAsUser": 999, "runAsNonRoot": True, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["resources"]["limits"]["memory"]
    passwords = {entry["name"] for entry in container["env"] if "valueFrom" in entry}
    assert passwords == ({"MYSQL_PWD"} if name == "database-schema" else {"NEW_PASSWORD", "PREVIOUS_PASSWORD"})
    assert {volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume} == {plan.files.name}
    assert {part.removeprefix("/scripts/") for part in container["command"][1:]} == set(plan.files.fields["data"])


@pytest.mark.parametrize(("case", "name"), CASES, ids=[name for _, name in CASES])
def test_a_finished_job_stays_and_a_failed_one_is_replaced(case: Case, name: str, tmp_path: Path) -> None:
    job = only(case, tmp_path).job
    assert "ttlSecondsAfterFinished" not in job.fields["spec"], "the next `pulumi up` would make it again"
    assert job.annotations == {"pulumi.com/replaceUnready": "true"}
    assert set(job.fields["spec"]) == {"backoffLimit", "activeDeadlineSeconds", "template"}


def template(case: Case, folder: Path) -> dict[str, Any]:
    """What makes a Job run again when it changes."""
    found: dict[str, Any] = only(case, folder).job.fields["spec"]["template"]
    return found


def test_the_schema_runs_again_for_another_target_or_other_tables_only(tmp_path: Path) -> None:
    def changed(**mysql: Any) -> Case:
        return EXTERNAL_EGGROLL.changed(lambda config: config["parties"]["9999"]["engines"]["mysql"]["external"].update(mysql))

    def release(name: str) -> Case:
        return EXTERNAL_EGGROLL.changed(lambda config: config["parties"]["9999"].update(release=name))

    first = template(EXTERNAL_EGGROLL, tmp_path)
    assert template(EXTERNAL_EGGROLL, tmp_path) == first
    assert template(changed(password={"secret": "another"}), tmp_path) == first, "a new password is no reason"
    assert template(changed(host="other.bank-a.example"), tmp_path) != first
    assert template(changed(database="other"), tmp_path) != first
    assert template(release("1.11.1"), tmp_path) != first


def test_each_rotation_is_a_run_of_its_own(tmp_path: Path) -> None:
    again = credentials(STAR_PARTY, mysql={"secret": "db-3", "previous": "db-2"})
    assert template(again, tmp_path) != template(ROTATED, tmp_path)
    assert template(ROTATED, tmp_path) == template(ROTATED, tmp_path)


def test_both_passwords_are_in_the_secret_and_readers_are_told_the_entry(tmp_path: Path) -> None:
    unit = party(ROTATED, tmp_path)
    sources = {secret.name: dict(secret.sources) for secret in unit.secrets}
    assert sources["mysql-credentials"] == {
        "password": "db-2", "previous-password": "party-9999-mysql", "root-password": "party-9999-mysql-root",
    }  # fmt: skip
    assert unit.chart.values.plain()["passwords"] == {"mysql": "db-2"}
    assert party(STAR_PARTY, tmp_path).chart.values.plain()["passwords"] == {}


def test_a_password_of_a_secret_in_the_namespace_is_rotated_too(tmp_path: Path) -> None:
    theirs = {"kubernetesSecret": "ours", "key": "new", "previous": "old"}
    plan = only(credentials(STAR_PARTY, mysql=theirs), tmp_path)
    (container,) = pod(plan)["containers"]
    keys = {entry["name"]: entry["valueFrom"]["secretKeyRef"] for entry in container["env"] if "valueFrom" in entry}
    assert keys == {"NEW_PASSWORD": {"name": "ours", "key": "new"}, "PREVIOUS_PASSWORD": {"name": "ours", "key": "old"}}


def test_a_job_runs_where_its_server_runs_from_the_stack_s_registry(tmp_path: Path) -> None:
    def placed(config: Config) -> None:
        toleration = {"key": "dedicated", "operator": "Exists"}
        config["parties"]["9999"]["modules"] = {
            "mysql": {"nodeSelector": {"pool": "db"}, "tolerations": [toleration], "pullPolicy": "Always"}
        }
        config["images"] = {"registry": "registry.bank-a.example/fate", "pullSecret": {"kubernetesSecret": "login"}}

    spec = pod(only(ROTATED.changed(placed), tmp_path))
    (container,) = spec["containers"]
    assert container["image"].startswith("registry.bank-a.example/fate/mysql:")
    assert container["imagePullPolicy"] == "Always"
    assert (spec["nodeSelector"], spec["imagePullSecrets"]) == ({"pool": "db"}, [{"name": "login"}])
    assert spec["tolerations"] == [{"key": "dedicated", "operator": "Exists"}]


@pytest.mark.parametrize(
    ("case", "credential", "slot", "said"),
    [
        (STAR_PARTY, {"secret": "x", "previous": "x"}, "mysql", "previous names the same entry"),
        (STAR_PARTY, {"secret": "x", "previous": "y"}, "mysqlRoot", "no Job changes the password mysqlRoot"),
        (STAR_PARTY, {"secret": "x", "previous": "y"}, "fateboard", "no Job changes the password fateboard"),
        (STAR_PARTY, {"secret": "x", "previous": "y"}, "notebook", "no Job changes the password notebook"),
        (STAR_PARTY, {"secret": "x", "previous": "y"}, "rabbitmq", "no Job changes the password rabbitmq"),
    ],
)
def test_a_previous_entry_that_nobody_reads_is_refused(case: Case, credential: Config, slot: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(FederationError, match=said):
        credentials(case, **{slot: credential}).load(tmp_path)


def test_the_password_of_an_external_server_is_not_ours_to_change(tmp_path: Path) -> None:
    def change(config: Config) -> None:
        config["parties"]["9999"]["engines"]["mysql"]["external"]["password"]["previous"] = "old"

    with pytest.raises(FederationError, match="can be changed by its owner only"):
        EXTERNAL.changed(change).load(tmp_path)


def test_a_preview_reminds_of_a_rotation_that_is_left_in_the_stack(tmp_path: Path) -> None:
    said = [warning for warning in ROTATED.load(tmp_path).plan.warnings if "previous" in warning]
    assert said == [
        "party 9999: credentials.mysql.previous is still there: run `fatefed secrets rotate db-2` once "
        "`pulumi up` has changed the password; a new deployment would wait for it"
    ]
    assert not [warning for warning in STAR_PARTY.load(tmp_path).plan.warnings if "previous" in warning]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_one_for_its_shell(script: Path) -> None:
    shell = script.read_text().splitlines()[0].removeprefix("#!")
    assert shell in ("/bin/sh", "/bin/bash")
    assert subprocess.run([shell, "-n", str(script)], check=False, env={"PATH": os.environ["PATH"]}).returncode == 0
