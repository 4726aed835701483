"""Ingresses and Istio of KubeFATE as `fate:boards`."""

import re
from collections.abc import Mapping
from typing import Any

from cli.kubefate.clusters import Cluster, listed
from cli.kubefate.draft import Draft
from cli.kubefate.source import Path_, plain

# KubeFATE's word for a console, its name here, and the module that has it.
_CONSOLES = {"fateboard": "fateboard", "client": "notebook", "spark": "spark", "rabbitmq": "rabbitmq", "pulsar": "pulsar"}
_LABEL = re.compile(r"^[^.]+\.(?:fateboard|notebook|spark|rabbitmq|pulsar)\.(.+)$")


def boards(cluster: Cluster, draft: Draft) -> None:
    """`fate:boards`, and what each console of the party has of its own."""
    if cluster.kind != "party":
        return
    istio = plain(cluster.file.get("istio")).get("enabled") is True
    ingress = plain(cluster.file.get("ingress"))
    shown = {
        word: plain(settings) for word, settings in ingress.items() if word in _CONSOLES and word in cluster.modules - cluster.unneeded
    }
    if not shown and not istio:
        return
    kind_key: Path_ = ("istio", "enabled") if istio else ("ingress",)
    draft.put(("boards", "kind"), "istio" if istio else "ingress", kind_key)
    draft.put(("boards", "domain"), *_domain(shown))
    if istio:
        draft.ask("Istio: fate:boards.credentialName names the certificate's Secret; KubeFATE had fateboard-credential, client-credential")
    else:
        draft.put(("boards", "className"), cluster.file.get("ingressClassName") or "nginx",
                  ("ingressClassName",) if cluster.file.get("ingressClassName") else None, "")  # fmt: skip
    for word, settings in shown.items():
        _console(cluster, draft, word, settings)
    _tls(draft, shown)


def _domain(shown: Mapping[str, Any]) -> tuple[str, Path_ | None, str]:
    """What ends the hosts' names."""
    for word, settings in shown.items():
        for number, host in enumerate(listed(settings.get("hosts"))):
            name = str(host.get("name", ""))
            found = _LABEL.match(name)
            domain = found[1] if found else name.partition(".")[2]
            if "." in domain:
                return domain, ("ingress", word, "hosts", str(number), "name"), ""
    return "example.com", None, "KubeFATE's default"


def _console(cluster: Cluster, draft: Draft, word: str, settings: Mapping[str, Any]) -> None:
    at, origin = f"boards.{_CONSOLES[word]}", ("ingress", word)
    draft.put(("boards", "consoles", _CONSOLES[word]), {}, origin)
    for number, host in enumerate(listed(settings.get("hosts"))):
        here = (*origin, "hosts", str(number))
        if number:
            draft.lose((*here, "name"), "a console has one host here")
            continue
        if host.get("name"):
            draft.put(cluster.at(f"{at}.host"), host["name"], (*here, "name"))
        if host.get("path") not in (None, "", "/"):
            draft.put(cluster.at(f"{at}.path"), host["path"], (*here, "path"))
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
