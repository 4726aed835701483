"""A canary in every slot for a secret: readable in Secret objects and in encrypted state only, whatever the engine and fatefed say."""

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from federation.config.stack import StackSpec
from federation.stack.load import load_stack
from sandbox import pki
from sandbox.workspace import Workspace
from tests.engine.operators import operator
from tests.support.canaries import KEYS, MANAGER, PASSWORDS, PORTALS, STACKS, canary, filled, marks

pytestmark = pytest.mark.engine

# Entries that nobody but their owner's own programs read: no Secret in the cluster holds them.
_NOT_IN_THE_CLUSTER = {"identity", "party-9999-ca-1"}


@dataclass
class Watched:
    """A stack with its secrets, and everything that was said or written on the way, by where."""

    space: Workspace
    given: dict[str, str]
    heard: dict[str, str] = field(default_factory=dict)

    def hears(self, where: str, *command: str) -> None:
        """Run a command and keep what it says."""
        done = self.space.attempt(*command, "-s", self.space.organization)
        self.heard[where] = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, self.heard[where]

    def readable(self) -> list[str]:
        """Each entry that can be read somewhere, and where."""
        wanted = {name: marks(value) for name, value in self.given.items()}
        return [
            f"{name} in {where}"
            for where, text in self.heard.items()
            for name, found in wanted.items()
            if any(mark in text for mark in found)
        ]


def _passwords(folder: Path, kubeconfig: Path) -> Watched:
    space = operator("canary", folder, kubeconfig, PASSWORDS)
    consoles = sorted(host for unit in load_stack(space.stack_file).plan.units for host in unit.console_hosts.values())
    authority = pki.new_authority("consoles")
    key = pki.new_key()
    given = {name: canary(name) for name in _named(PASSWORDS) - {"registry", "consoles"}}
    given["registry"] = json.dumps({"auths": {"registry.example": {"auth": canary("registry")}}})
    given["consoles-key"] = pki.key_pem(key).decode()
    given["consoles-certificate"] = pki.pem(pki.issue(authority, key.public_key(), consoles[0], names=consoles)).decode()
    return _given(space, given)


def _keys(folder: Path, kubeconfig: Path) -> Watched:
    space = operator("canary-keys", folder, kubeconfig, KEYS)
    authority, key = pki.new_authority("federation", kind="rsa-2048"), pki.new_key("rsa-2048")
    name = "9998.fraud.example"
    given = {f"party-{party}-{slot}": canary(slot) for party in ("9999", "9998") for slot in ("mysql", "mysql-root")}
    # Pulsar gets it in another format than this one.
    given["party-9998-key"] = pki.key_pem(key, "traditional").decode()
    given["party-9998-certificate"] = pki.pem(pki.issue(authority, key.public_key(), name, names=[name])).decode()
    given["party-9998-ca"] = pki.pem(authority.certificate).decode()
    watched = _given(space, given)
    watched.hears("fatefed trust init", "fatefed", "trust", "init")
    watched.hears("fatefed identity create", "fatefed", "identity", "create")
    for made in ("identity", "party-9999-ca-1", "party-9999-key"):
        watched.given[made] = space.run("pulumi", "config", "get", "--path", f"fate:secrets.{made}", "-s", space.organization)
    return watched


def _portals(config: dict[str, Any], folder: Path, kubeconfig: Path) -> Watched:
    """Site Portals and an FML Manager: passwords, and two certificates of the federation's CA for each."""
    space = operator(config["organization"], folder, kubeconfig, config)
    authority, given = pki.new_authority("federation"), dict[str, str]()
    plan = load_stack(space.stack_file).plan
    for unit in plan.units:
        role = {"fmlManager": "fmlmanager", "sitePortal": f"site-{unit.key.rpartition('-')[2]}"}.get(unit.kind)
        for side in ("server", "client") if role else ():
            key, name = pki.new_key(), f"{role}.{side}.fraud.example"
            names = [name, "localhost"] if side == "server" else [name]
            usages: list[Any] = [side]
            given[f"{unit.key}-{side}-certificate"] = pki.pem(
                pki.issue(authority, key.public_key(), name, names=names, usages=usages)
            ).decode()
            given[f"{unit.key}-{side}-key"] = pki.key_pem(key).decode()
            given[f"{unit.key}-ca"] = pki.pem(authority.certificate).decode()
    given |= {name: canary(name) for name in plan.secret_names if name not in given}
    return _given(space, given)


def _named(config: dict[str, Any]) -> set[str]:
    """Every entry of fate:secrets that a configuration names in a slot."""
    return {name for names in filled(StackSpec.model_validate(config)).values() for name in names}


def _given(space: Workspace, given: dict[str, str]) -> Watched:
    for name, value in given.items():
        space.set_secret(name, value.encode())
    return Watched(space, dict(given))


_MAKE: dict[str, Callable[[Path, Path], Watched]] = {
    "passwords": _passwords,
    "keys": _keys,
    "portals": partial(_portals, PORTALS),
    "manager": partial(_portals, MANAGER),
}


@pytest.fixture(scope="module", params=_MAKE)
def watched(request: pytest.FixtureRequest, clusters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A stack that lived: previews, an `up` with all that the engine can log, an edit, a refusal, everything fatefed prints."""
    found = _MAKE[request.param](tmp_path_factory.mktemp("canary"), clusters["insurer-d"])
    _live(found)
    return found


def _live(found: Watched) -> None:
    space, events = found.space, found.space.folder / "events.json"
    found.hears("the first preview", "pulumi", "preview", "--diff", "--color", "never")
    found.hears("the first preview, as JSON", "pulumi", "preview", "--json")
    debugged = ("--debug", "--logtostderr", "-v=3", "--event-log", str(events))
    # The variable shows the flag that writes every event of the engine.
    found.hears(
        "pulumi up",
        "env",
        "PULUMI_DEBUG_COMMANDS=true",
        "pulumi",
        "up",
        "--yes",
        "--diff",
        "--color",
        "never",
        "--non-interactive",
        *debugged,
    )
    found.heard["the event log"] = events.read_text()
    found.hears("the second preview", "pulumi", "preview", "--diff", "--show-sames", "--color", "never")
    found.hears("the second preview, as JSON", "pulumi", "preview", "--json", "--show-sames")
    found.hears("the state", "pulumi", "stack", "export")
    found.hears("the outputs", "pulumi", "stack", "output", "--json")
    found.hears("the outputs with all secrets shown", "pulumi", "stack", "output", "--json", "--show-secrets")
    found.hears("the history", "pulumi", "stack", "history", "--json")
    _changed(found)
    _printed(found)
    found.heard |= {
        f"file {path.relative_to(space.folder)}": _text(path) for part in ("stacks", "state") for path in _files(space.folder / part)
    }
    kinds = space.run("kubectl", "api-resources", "--verbs=list", "-o", "name").split()
    assert "secrets" in kinds
    plain = ",".join(kind for kind in kinds if kind != "secrets")
    found.heard["objects of the cluster"] = space.run("kubectl", "get", plain, "--all-namespaces", "-o", "json")


def _changed(found: Watched) -> None:
    """Another value of each entry under its name: exchanged, or refused, as the entry is; a preview says which."""
    space = found.space
    before = space.stack_file.read_text()
    for name, value in list(found.given.items()):
        if "canary-" in value:
            found.given[f"{name}, changed"] = value.replace("canary-", "canary-other-", 1)
            space.set_secret(name, found.given[f"{name}, changed"].encode())
    done = space.attempt("pulumi", "preview", "--diff", "--color", "never", "-s", space.organization)
    found.heard["a preview of changed entries"] = (done.stdout + done.stderr).decode()
    space.stack_file.write_text(before)


def _printed(found: Watched) -> None:
    """Everything that fatefed says or writes of the stack."""
    folder = found.space.folder
    for verb in (("check",), ("plan",), ("status",), ("firewall",), ("topology",), ("images", "list"), ("secrets", "init")):
        found.hears(f"fatefed {' '.join(verb)}", "fatefed", *verb)
    found.hears("fatefed render", "fatefed", "render", "--out", str(folder / "rendered"))
    for unit in load_stack(found.space.stack_file).plan.units:
        found.hears(f"the descriptor of {unit.key}", "fatefed", "descriptor", "export", "--unsigned", "--unit", unit.key, "-o", "-")
    bundle = folder / "bundle.tgz"
    found.hears("fatefed support-bundle", "fatefed", "support-bundle", "-o", str(bundle))
    shutil.unpack_archive(bundle, folder / "bundle")
    for part in ("rendered", "bundle"):
        files = _files(folder / part)
        assert files, f"fatefed wrote nothing into {part}"
        found.heard |= {f"file {path.relative_to(folder)}": _text(path) for path in files}


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def test_the_walk_covers_every_entry_that_the_stack_reads(watched: Watched) -> None:
    loaded = load_stack(watched.space.stack_file)
    assert loaded.source.secret_names() == frozenset(name for name in watched.given if ", " not in name)
    assert set(loaded.plan.secret_names) | {"identity"} == loaded.source.secret_names() | {"identity"}, "each is read"
    hidden = [name for name, value in watched.given.items() if not marks(value)]
    assert sorted(hidden) == sorted(name for name in watched.given if name.endswith(("-certificate", "-ca"))), "certificates are public"


def test_no_canary_is_readable_outside_of_secrets_and_encrypted_state(watched: Watched) -> None:
    assert len(watched.heard) > 30
    assert [where for where, text in watched.heard.items() if len(text) < 2] == [], "an empty text would prove nothing"
    assert watched.readable() == []


def test_each_canary_that_the_cluster_needs_is_in_a_secret_and_no_other_is(watched: Watched) -> None:
    namespaces = {unit.namespace for unit in load_stack(watched.space.stack_file).plan.units}
    secrets = [item for name in namespaces for item in watched.space.kubectl("get", "secrets", "-n", name)["items"]]
    text = "\n".join(base64.b64decode(value).decode() for item in secrets for value in item.get("data", {}).values())
    found = {name for name, value in watched.given.items() if any(mark in text for mark in marks(value))}
    assert found == {name for name, value in watched.given.items() if marks(value) and ", " not in name} - _NOT_IN_THE_CLUSTER


def test_what_was_heard_is_what_could_tell(watched: Watched) -> None:
    """Each text speaks of Secrets, so that a secret that was not hidden would be in it."""
    for where in ("the first preview, as JSON", "the state", "the event log", "the second preview, as JSON"):
        assert "-credentials" in watched.heard[where], where
    entries = [name for name in watched.given if ", " not in name]
    assert [name for name in entries if name not in watched.heard[f"file stacks/{watched.space.stack_file.name}"]] == []


def test_every_canary_stack_is_watched() -> None:
    assert len(_MAKE) == len(STACKS)
