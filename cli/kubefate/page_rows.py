"""Rows of web consoles: Ingresses and Istio."""

from collections.abc import Iterator

from cli.kubefate.rows import PARTY, Follows, Kind, Part, Row

_CONSOLES = {"fateboard": "fateboard", "client": "notebook", "spark": "spark", "rabbitmq": "rabbitmq", "pulsar": "pulsar"}
_SERVING_PAGES = {"servingProxy": "servingProxy", "servingAdmin": "servingAdmin"}


def page_rows(kinds: tuple[Kind, ...]) -> Iterator[Row]:
    """Ingresses and Istio of the consoles of a party, or of its FATE-Serving."""
    yield Row("ingressClassName", Part("fate:boards.className", "absent: nginx, with an `ingress` block"), kinds)
    for word, console in _CONSOLES.items() if kinds == PARTY else _SERVING_PAGES.items():
        yield Row(f"ingress.{word}.annotations", Part(f"boards.{console}.annotations"), kinds, "map")
        yield Row(f"ingress.{word}.hosts[].name", Part(f"boards.{console}.host", "one host for each console"), kinds)
        yield Row(f"ingress.{word}.hosts[].path", Part(f"boards.{console}.path"), kinds)
        yield Row(f"ingress.{word}.tls[].secretName", Part("fate:boards.tls.kubernetesSecret", "one Secret for all consoles"), kinds)
        yield Row(f"ingress.{word}.tls[].hosts", Follows("hosts"), kinds, "list")
    yield Row("istio.enabled", Part("fate:boards.kind: istio"), kinds, "flag")
