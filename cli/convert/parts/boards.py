"""Ingresses and Istio of KubeFATE as `fate:boards`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cli.convert.clusters import Cluster, listed
from cli.convert.defaults import board_host
from cli.convert.draft import Draft
from cli.convert.lookup import row_of
from cli.convert.rows.pages import CONSOLES, HOST_KEYS, SERVING_CONSOLES
from cli.convert.source import Path_, plain
from federation.base.errors import Problem

_CONSOLES = CONSOLES | SERVING_CONSOLES
_LABEL = re.compile(r"^[^.]+\.(?:fateboard|notebook|spark|rabbitmq|pulsar|serving-proxy|serving-admin)\.(.+)$")
# Hosts that stand elsewhere than under `ingress`, in KubeFATE's spelling.
_HOSTS: dict[str, tuple[Path_, ...]] = {
    "servingProxy": (("servingProxy", "ingerssHost"), ("servingProxy", "ingressHost")),
    "servingAdmin": (("servingAdmin", "ingressHost"),),
    **{word: (("host", key),) for key, word in HOST_KEYS.items()},
}


def no_boards(cluster: Cluster, draft: Draft) -> None:
    """A unit of no party has no consoles."""
    _unshown(cluster, draft, {})


def boards(cluster: Cluster, draft: Draft) -> None:
    """`fate:boards`, and what each console of the party has of its own."""
    istio = plain(cluster.file.get("istio")).get("enabled") is True
    ingress = plain(cluster.file.get("ingress"))
    shown = {word: plain(settings) for word, settings in ingress.items() if word in _CONSOLES and cluster.deploys(word)}
    shown |= {
        word: {} for word in _CONSOLES if word not in shown and cluster.deploys(word) and any(True for _ in _hosts(cluster, word, {}))
    }
    if not istio:
        _unshown(cluster, draft, shown)
    if not shown and not istio:
        if cluster.file.get("ingressClassName"):
            draft.lose(("ingressClassName",), "nothing is shown to browsers here unless fate:boards says so")
        return
    if _wrong_hosts(cluster, draft, shown):
        return
    kind_key: Path_ = ("istio", "enabled") if istio else ("ingress",)
    draft.put(("boards", "kind"), "istio" if istio else "ingress", kind_key)
    draft.put(("boards", "domain"), *_domain(cluster, shown))
    if istio:
        draft.ask("Istio: fate:boards.credentialName names the certificate's Secret; KubeFATE had fateboard-credential, client-credential")
    else:
        draft.put(("boards", "className"), cluster.file.get("ingressClassName") or "nginx",
                  ("ingressClassName",) if cluster.file.get("ingressClassName") else None, "")  # fmt: skip
    for word, settings in shown.items():
        _console(cluster, draft, word, settings)
    _tls(draft, shown)


def _domain(cluster: Cluster, shown: Mapping[str, Any]) -> tuple[str, Path_ | None, str]:
    """What ends the hosts' names."""
    for word, settings in shown.items():
        for origin, name in _hosts(cluster, word, settings):
            match = _LABEL.match(name)
            domain = match[1] if match else name.partition(".")[2]
            if "." in domain:
                return domain, origin, ""
    return "example.com", None, "KubeFATE's default"


def _hosts(cluster: Cluster, word: str, settings: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    """The names of a console, each with its key."""
    for number, host in enumerate(listed(settings.get("hosts"))):
        yield ("ingress", word, "hosts", str(number), "name"), str(host.get("name", ""))
    for path in _HOSTS.get(word, ()):
        row = row_of(path, cluster.kind)
        if cluster.file.get(*path) and row is not None and row.knows(cluster.version) and all(used(cluster) is None for used in row.used):
            yield path, str(cluster.file.get(*path))


def _wrong_hosts(cluster: Cluster, draft: Draft, shown: Mapping[str, Any]) -> bool:
    """Refuse names with a port, which no Ingress may have."""
    wrong = [(path, name) for word, settings in shown.items() for path, name in _hosts(cluster, word, settings) if ":" in name]
    for path, name in wrong:
        problem = f"{name!r} is not a host name: it holds a port"
        draft.problems.append(Problem(cluster.file.place_of(path), problem, "write the name alone: the Ingress controller has the port"))
    return bool(wrong)


def _unshown(cluster: Cluster, draft: Draft, shown: Mapping[str, Any]) -> None:
    """KubeFATE's charts make an Ingress for each console, asked or not; this program only what `fate:boards` asks for."""
    left = [word for word in _CONSOLES if cluster.deploys(word) and word not in shown]
    hosts = [host for word in left if (host := board_host(cluster.chart, word, cluster.version, cluster.party)) is not None]
    if hosts:
        draft.warn(
            f"KubeFATE's chart shows {', '.join(hosts)} to browsers, though the file names no host for them: here a console is shown only "
            "when fate:boards says so (docs/guides/boards.md); until then use `kubectl port-forward`"
        )


def _console(cluster: Cluster, draft: Draft, word: str, settings: Mapping[str, Any]) -> None:
    at, origin = f"boards.{_CONSOLES[word]}", ("ingress", word)
    draft.put(("boards", "consoles", _CONSOLES[word]), {}, origin if settings else None)
    for number, (key, name) in enumerate(_hosts(cluster, word, settings)):
        if number:
            draft.lose(key, "a console has one host here")
        elif name:
            draft.put(cluster.at(f"{at}.host"), name, key)
    for host in listed(settings.get("hosts"))[:1]:
        if host.get("path") not in (None, "", "/"):
            draft.put(cluster.at(f"{at}.path"), host["path"], (*origin, "hosts", "0", "path"))
    if settings.get("annotations"):
        draft.put(cluster.at(f"{at}.annotations"), settings["annotations"], (*origin, "annotations"))


def _tls(draft: Draft, shown: Mapping[str, Any]) -> None:
    chosen = None
    for word, settings in shown.items():
        for number, entry in enumerate(listed(settings.get("tls"))):
            origin, name = ("ingress", word, "tls", str(number), "secretName"), entry.get("secretName")
            if chosen is None and name:
                chosen = name
                draft.put(("boards", "tls", "kubernetesSecret"), name, origin, "holds the names of all consoles")
            elif name and name != chosen:
                draft.lose(origin, f"one Secret serves all consoles here ({chosen}): it must hold all their names")
