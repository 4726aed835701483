"""Rows of web consoles: Ingresses and Istio."""

from collections.abc import Iterator

from cli.convert.clusters import Cluster, ClusterKind
from cli.convert.rows.row import PARTY, Condition, Follows, Part, Row
from cli.convert.rows.shared import charts_to

# KubeFATE's word for a console, and its name here: of a party, and of FATE-Serving.
CONSOLES = {"fateboard": "fateboard", "client": "notebook", "spark": "spark", "rabbitmq": "rabbitmq", "pulsar": "pulsar"}
# Host names of the consoles in charts up to 1.6.0: the key below `host`, and the module that shows it.
HOST_KEYS = {"fateboard": "fateboard", "client": "client", "sparkUI": "spark", "rabbitmqUI": "rabbitmq", "pulsarUI": "pulsar"}
SERVING_CONSOLES = {"servingProxy": "servingProxy", "servingAdmin": "servingAdmin"}


def deployed(word: str) -> Condition:
    """Keys that count when their module is deployed."""

    def used(cluster: Cluster) -> str | None:
        return None if cluster.deploys(word) else f"{word} is not deployed"

    return used


# The names of consoles stand under `host` up to chart 1.6.0, and under `ingress` from 1.6.1 on.
_BEFORE_INGRESS_BLOCKS = charts_to("1.6.0", "takes the names under ingress")


def page_rows(kinds: tuple[ClusterKind, ...]) -> Iterator[Row]:
    """Ingresses and Istio of the consoles of a party, or of its FATE-Serving."""
    yield Row("ingressClassName", Part("fate:boards.className", "absent: nginx, with an `ingress` block"), kinds)
    for word, console in (CONSOLES if kinds == PARTY else SERVING_CONSOLES).items():
        used = (deployed(word),)
        one_secret = Part("fate:boards.tls.kubernetesSecret", "one Secret for all consoles")
        yield Row(f"ingress.{word}.annotations", Part(f"boards.{console}.annotations"), kinds, "map", used=used)
        yield Row(f"ingress.{word}.hosts[].name", Part(f"boards.{console}.host", "one host for each console"), kinds, used=used)
        yield Row(f"ingress.{word}.hosts[].path", Part(f"boards.{console}.path"), kinds, used=used)
        yield Row(f"ingress.{word}.tls[].secretName", one_secret, kinds, used=used)
        yield Row(f"ingress.{word}.tls[].hosts", Follows("hosts"), kinds, "list", used=used)
    if kinds == PARTY:
        for key, word in HOST_KEYS.items():
            yield Row(f"host.{key}", Part(f"boards.{CONSOLES[word]}.host"), kinds, used=(_BEFORE_INGRESS_BLOCKS, deployed(word)))
    yield Row("istio.enabled", Part("fate:boards.kind: istio"), kinds, "flag")
