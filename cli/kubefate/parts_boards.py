"""Ingresses and Istio of KubeFATE as `fate:boards`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cli.kubefate.clusters import Cluster, listed
from cli.kubefate.draft import Draft
from cli.kubefate.source import Path_, plain

# KubeFATE's word for a console, its name here, and the module that has it.
_CONSOLES = {"fateboard": "fateboard", "client": "notebook", "spark": "spark", "rabbitmq": "rabbitmq", "pulsar": "pulsar"}
_CONSOLES |= {"servingProxy": "servingProxy", "servingAdmin": "servingAdmin"}
_LABEL = re.compile(r"^[^.]+\.(?:fateboard|notebook|spark|rabbitmq|pulsar|serving-proxy|serving-admin)\.(.+)$")
# Hosts that stand at the module itself, in KubeFATE's spelling.
_HOSTS = {"servingProxy": "ingerssHost", "servingAdmin": "ingressHost"}


def boards(cluster: Cluster, draft: Draft) -> None:
    """`fate:boards`, and what each console of the party has of its own."""
    if cluster.kind not in ("party", "serving"):
        return
    istio = plain(cluster.file.get("istio")).get("enabled") is True
    ingress = plain(cluster.file.get("ingress"))
    shown = {
        word: plain(settings) for word, settings in ingress.items() if word in _CONSOLES and word in cluster.modules - cluster.unneeded
    }
    shown |= {word: {} for word, key in _HOSTS.items() if word in cluster.modules and cluster.file.get(word, key) and word not in shown}
    if not shown and not istio:
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
            found = _LABEL.match(name)
            domain = found[1] if found else name.partition(".")[2]
            if "." in domain:
                return domain, origin, ""
    return "example.com", None, "KubeFATE's default"


def _hosts(cluster: Cluster, word: str, settings: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    """The names of a console, each with its key."""
    for number, host in enumerate(listed(settings.get("hosts"))):
        yield ("ingress", word, "hosts", str(number), "name"), str(host.get("name", ""))
    if (key := _HOSTS.get(word)) is not None and cluster.file.get(word, key):
        yield (word, key), str(cluster.file.get(word, key))


def _console(cluster: Cluster, draft: Draft, word: str, settings: Mapping[str, Any]) -> None:
    at, origin = f"boards.{_CONSOLES[word]}", ("ingress", word)
    draft.put(("boards", "consoles", _CONSOLES[word]), {}, origin)
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
