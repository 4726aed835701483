"""The Jobs of a party: the tables of an external database, and passwords that change in a server."""

from pathlib import Path

from federation.base import naming
from federation.chart_values.fate import PartyValues
from federation.chart_values.modules import Container, SecretKey
from federation.config.modules import ModuleSpec
from federation.config.party import module_specs
from federation.config.units import PartyUnit
from federation.links.external_engines import external_engines
from federation.manifests.jobs import JobPlan, Task, Where, job, script
from federation.manifests.secrets import previous, pull_secret_names
from federation.units.party.secrets import party_credentials

# The chart's own files, which the module mysql makes its tables from.
_SQL = Path(__file__).resolve().parents[3] / "charts" / "fate-party" / "files"
# The tables of each version of Eggroll. FATE-Flow makes its own.
_TABLES = {
    "2.4": ("eggroll-2.4.sql",),
    "2.5": ("eggroll-2.4.sql", "eggroll-2.5.sql"),
    "3.0": ("eggroll-2.4.sql", "eggroll-2.5.sql", "eggroll-3.0.sql"),
}
_NO_TABLES = "-- Without Eggroll there is nothing to make: FATE-Flow makes its own tables.\n"


def party_jobs(
    unit: PartyUnit,
    values: PartyValues,
    keys: dict[str, SecretKey],
) -> tuple[JobPlan, ...]:
    """The Jobs that run before the party's workloads. The workloads wait for each."""
    jobs = [_schema(values, _where(unit, "mysql"))] if "mysql" in external_engines(unit.spec) else []
    credentials = party_credentials(unit)
    servers: dict[str, Container | None] = {"mysql": values.database.client, "rabbitmq": values.modules.rabbitmq}
    for slot, container in servers.items():
        if previous(slot) in keys and container is not None:
            jobs.append(job(_rotation(slot, credentials[slot].entry, values, keys, container), _where(unit, slot)))
    return tuple(jobs)


def _where(unit: PartyUnit, module: str) -> Where:
    spec = module_specs(unit.spec)[module] or ModuleSpec()
    return Where(
        instance=unit.key,
        namespace=unit.namespace,
        labels=unit.labels,
        pull_policy=unit.stack.images.pull_policy,
        pull_secrets=pull_secret_names(unit.stack.images),
        node_selector=spec.node_selector or {},
        tolerations=spec.tolerations,
    )


def _schema(values: PartyValues, where: Where) -> JobPlan:
    """The tables of an external database; without Eggroll it only checks the connection and the user's rights."""
    database = values.database
    tables = (
        _NO_TABLES if values.eggroll is None else "\n".join((_SQL / name).read_text("utf-8") for name in _TABLES[values.eggroll.version])
    )
    task = Task(
        name=naming.DATABASE_SCHEMA,
        command=("sh", "/scripts/database-schema.sh", "/scripts/tables.sql"),
        files={"database-schema.sh": script("database-schema.sh"), "tables.sql": tables},
        env=_database(values) | {"MYSQL_DATABASE": database.name},
        secrets={"MYSQL_PWD": database.password},
        container=database.client,
    )
    return job(task, where)


def _database(values: PartyValues) -> dict[str, str]:
    database = values.database
    return {"MYSQL_HOST": database.host, "MYSQL_PORT": str(database.port), "MYSQL_USER": database.user}


def _rotation(slot: str, entry: str, values: PartyValues, keys: dict[str, SecretKey], container: Container) -> Task:
    """The change of a password; `entry` is the new one's place, which makes the Job run again for the next change."""
    shell, name, env = "sh", naming.DATABASE_PASSWORD, _database(values)
    if slot == "rabbitmq" and values.rabbitmq is not None:
        broker = values.rabbitmq
        shell, name = "bash", naming.RABBITMQ_PASSWORD
        env = {"RABBITMQ_HOST": broker.host, "RABBITMQ_ADMIN_PORT": str(broker.management_port), "RABBITMQ_USER": broker.user}
    return Task(
        name=name,
        command=(shell, f"/scripts/{name}.sh"),
        files={f"{name}.sh": script(f"{name}.sh")},
        env=env,
        secrets={"NEW_PASSWORD": keys[slot], "PREVIOUS_PASSWORD": keys[previous(slot)]},
        container=container,
        occasion=entry,
    )
