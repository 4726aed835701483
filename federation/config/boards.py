"""How consoles of parties and their FATE-Serving are shown to browsers: the models of `fate:boards` and of `boards` of a unit."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Domain, Host, Label, NonEmpty, Port, UrlPath


def _without_port(value: Any) -> Any:
    if isinstance(value, str) and re.search(r":[0-9]*$", value):
        raise ValueError(f"{value!r} holds a port: write the name only, and the browsers' port under boards.port")
    return value


BoardHost = Annotated[Domain, BeforeValidator(_without_port)]


class ConsoleSpec(Model):
    """How one console of every party is shown."""

    annotations: dict[str, str] = Field({}, description="Annotations of its object, in addition to those of boards; these win.")


class PartyConsoleSpec(ConsoleSpec):
    """How one console of one party is shown."""

    host: BoardHost | None = Field(None, description="Host name instead of <party>.<console>.<domain>.")
    path: UrlPath = Field("/", description="Path below the host; the console must support it.")


class _Named(Model):
    @model_validator(mode="before")
    @classmethod
    def _a_console_without_settings_is_written_as_an_empty_map(cls, data: Any) -> Any:
        if isinstance(data, dict) and (empty := sorted(str(name) for name, value in data.items() if value is None)):
            raise ValueError(f"{', '.join(empty)}: has no value; write {{}} to show it with the usual settings, or remove the line")
        return data

    @property
    def named(self) -> dict[str, Any]:
        """The settings of each console that the stack file names."""
        return {name: value for name, value in self.by_key().items() if value is not None}


class ConsolesSpec(_Named):
    """The consoles that are shown, by name. Those with weak sign-in or none are shown only when they are named."""

    fateboard: ConsoleSpec | None = None
    notebook: ConsoleSpec | None = None
    spark: ConsoleSpec | None = Field(None, description="Spark's web page: no sign-in.")
    rabbitmq: ConsoleSpec | None = Field(None, description="RabbitMQ's management page: the broker's own password only.")
    pulsar: ConsoleSpec | None = Field(None, description="Pulsar's admin API: no sign-in.")
    namenode: ConsoleSpec | None = Field(None, description="HDFS's web page with WebHDFS: no sign-in.")
    serving_proxy: ConsoleSpec | None = Field(None, description="FATE-Serving's HTTP address for applications: no sign-in.")
    serving_admin: ConsoleSpec | None = Field(None, description="FATE-Serving's console.")
    site_portal: ConsoleSpec | None = Field(None, description="The pages of every Site Portal, as <party>.frontend.<domain>.")


_PartyConsole = PartyConsoleSpec | Literal["none"] | None


class PartyBoardsSpec(_Named):
    """Differences for one party: `none` hides a console, settings show it."""

    fateboard: _PartyConsole = None
    notebook: _PartyConsole = None
    spark: _PartyConsole = None
    rabbitmq: _PartyConsole = None
    pulsar: _PartyConsole = None
    namenode: _PartyConsole = None


class ServingBoardsSpec(_Named):
    """Differences for the FATE-Serving of one party: `none` hides a page, settings show it."""

    serving_proxy: _PartyConsole = None
    serving_admin: _PartyConsole = None


class BoardsTls(Model):
    """The certificate for every host: a Secret of type kubernetes.io/tls, or two entries of fate:secrets."""

    secret: NonEmpty | None = Field(None, description="Prefix under fate:secrets: NAME-certificate and NAME-key, both PEM.")
    kubernetes_secret: Label | None = Field(None, description="Name of a Secret that exists in the namespace of each party.")

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.secret is None) == (self.kubernetes_secret is None):
            raise ValueError("name either secret or kubernetesSecret")
        return self


class _Boards(Model):
    domain: BoardHost = Field(description="Consoles are <party>.<console>.<domain>, such as 9999.fateboard.bank-a.example.")
    address: Host | None = Field(None, description="Where browsers reach the ingress controller or gateway; for the hosts-file line only.")
    port: Port | None = Field(None, description="Port at which browsers reach it, when it is neither 80 nor 443.")
    annotations: dict[str, str] = Field({}, description="Annotations of each console's object, for the controller.")
    consoles: ConsolesSpec = Field(
        ConsolesSpec(), description="Which consoles; absent: fateboard, notebook, serving-admin and Site Portal, where they are deployed."
    )


class IngressBoards(_Boards):
    """An Ingress (networking.k8s.io/v1) for each console."""

    kind: Literal["ingress"]
    class_name: NonEmpty | None = Field(None, description="ingressClassName; absent: the cluster's default class.")
    tls: BoardsTls | None = Field(None, description="Absent: plain HTTP.")


class GatewayReference(Model):
    """A Gateway that the cluster's administrator runs; its listener must allow routes from the parties' namespaces."""

    name: Label
    namespace: Label
    section_name: NonEmpty | None = Field(None, description="One of its listeners; absent: all that fit.")


class HttpRouteBoards(_Boards):
    """An HTTPRoute (gateway.networking.k8s.io/v1) for each console; the cluster must have Gateway API's definitions."""

    kind: Literal["httpRoute"]
    gateway: GatewayReference
    https: bool = Field(False, description="Whether that Gateway's listener is HTTPS; TLS ends there, with its own certificate.")


class IstioBoards(_Boards):
    """Istio's Gateway for each party and a VirtualService for each console; the cluster must have Istio."""

    kind: Literal["istio"]
    selector: dict[str, str] = Field({"istio": "ingressgateway"}, description="Labels of Istio's ingress gateway pods.")
    credential_name: Label | None = Field(
        None, description="Secret of type kubernetes.io/tls in the namespace of Istio's ingress gateway; absent: plain HTTP."
    )


BoardsSpec = Annotated[IngressBoards | HttpRouteBoards | IstioBoards, Field(discriminator="kind")]
