"""One unit of a plan (a party, an exchange, their counterparts of FATE-Serving, or a portal), and what all kinds share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from federation.access.consoles import HOSTS_FILE
from federation.access.exposure import recorded_exposure
from federation.base.scalars import PartyId
from federation.catalogue.kinds import KINDS, Kind
from federation.chart_values.fate import ExchangeValues, PartyValues
from federation.chart_values.portal import PortalValues
from federation.chart_values.serving import ServingValues
from federation.config.units import AnyUnit
from federation.manifests.jobs import JobPlan
from federation.manifests.modules import ImageUse
from federation.manifests.objects import PULL_SECRET_TYPE, TLS_SECRET_TYPE, Manifest, PodSecurity, SecretPlan, namespace
from federation.manifests.secrets import previous_passwords, pull_secret_names, server_passwords
from federation.trust.mutual_tls import MutualTls
from federation.trust.plan import TlsPlan
from federation.trust.provided import Entries, RecordedCertificates
from federation.units.recorded import digest, recorded_links, recorded_trust, recorded_workloads


@dataclass(frozen=True)
class ChartPlan:
    """One chart and its values, which are fully known."""

    chart: Literal["fate-party", "fate-exchange", "fate-serving", "fate-portal"]
    namespace: str
    values: PartyValues | ExchangeValues | ServingValues | PortalValues


@dataclass(frozen=True)
class UnitPlan:
    """One unit: what is made for it, in the order it is made."""

    key: str
    kind: Kind
    # None: it belongs to no party.
    party_id: PartyId | None
    namespace: str
    release: str
    namespace_object: tuple[Manifest, ...]
    services: tuple[Manifest, ...]
    secrets: tuple[SecretPlan, ...]
    routes: tuple[Manifest, ...]
    policies: tuple[Manifest, ...]
    chart: ChartPlan
    descriptor: Mapping[str, Any]
    modules: Mapping[str, Mapping[str, Any]]
    access: Mapping[str, Any]
    tls: TlsPlan | None
    # The images of its modules, by module.
    images: Mapping[str, ImageUse]
    # What the unit's data rests on, and whether the operator allowed a change that leaves it behind.
    data: Mapping[str, Any]
    allow_data_loss: bool = False
    # What runs before the chart, one after the other with its files.
    jobs: tuple[JobPlan, ...] = ()
    # Whom it dials, and how, by party id; of a star's party its exchange.
    links: Mapping[str, Any] = field(default_factory=dict)
    # Whom it knows and does not dial: why, such as the peer's state.
    blocked: Mapping[str, str] = field(default_factory=dict)
    # Of a hub: the collaborations that say which of its members may talk; empty: all. None: no hub.
    groups: tuple[tuple[PartyId, ...], ...] | None = None
    # Whether destroying it is refused: peers rely on it. None: no peer can.
    protected: bool | None = None
    # Entries of fate:secrets that only the operator has, beside certificates: {name: what it is}.
    provided: Mapping[str, str] = field(default_factory=dict)
    # The certificates of a Site Portal or an FML Manager.
    mutual: MutualTls | None = None
    # Entries of fate:secrets that a program writes into a connection string without quotes.
    unquoted: tuple[str, ...] = ()
    # Custom resources that show consoles; Ingresses are the chart's.
    console_objects: tuple[Manifest, ...] = ()
    # What asks cert-manager for certificates that its workloads need.
    certificates: tuple[Manifest, ...] = ()
    # What says in its namespace whose it is (federation.units.namespace_owner); empty where no stack is known.
    owner: tuple[Manifest, ...] = ()
    # What is public of certificates that the operator gave (federation.trust.provided); empty without the values of fate:secrets.
    shown_certificates: RecordedCertificates = field(default_factory=dict)

    @property
    def recorded(self) -> dict[str, Any]:
        """What the state records of the unit, so that the next preview can say what a change does to it."""
        issuers = {manifest.name: "{kind} {name}".format_map(manifest.fields["spec"]["issuerRef"]) for manifest in self.certificates}
        values, body = self.chart.values.plain(), self.descriptor
        return {
            **recorded_workloads(values),
            **recorded_links(self.links, self.blocked, self.groups),
            **recorded_trust(self.tls),
            **recorded_exposure(self.policies, self.services, values["modules"]),
            "published": digest(body["endpoints"]),
            # Without the id: a stack that learns it belongs to the same federation as before.
            "identity": digest([body["organization"], {key: body["federation"][key] for key in ("name", "domain")}]),
            "consoles": dict(self.console_hosts),
            "boards": digest([values.get("boards"), *(shown.document() for shown in self.console_objects)]),
            "data": dict(self.data),
            **({"issuers": issuers} if issuers else {}),
            **({"provided": self.shown_certificates} if self.shown_certificates else {}),
        }

    @property
    def lacks_authority(self) -> bool:
        """Whether cert-manager would sign with a CA that the stack does not know."""
        return self.tls is not None and self.tls.managed and self.tls.issuer is None

    @property
    def console_hosts(self) -> Mapping[str, str]:
        """The host names of the consoles that browsers reach, by console."""
        return {name: console["host"] for name, console in self.access.items() if "host" in console and name != HOSTS_FILE}

    @property
    def console_certificate(self) -> Mapping[str, str] | None:
        """The names under fate:secrets that hold the consoles' certificate (tls.crt) and key (tls.key)."""
        return next((secret.sources for secret in self.secrets if secret.type == TLS_SECRET_TYPE), None)

    @property
    def provided_certificates(self) -> Mapping[str, Entries]:
        """The certificates that the operator gives, by what they are for (federation.trust.provided)."""
        certificates = {}
        if self.tls is not None and self.tls.provided:
            certificates["pulsar"] = Entries(self.tls.certificate, self.tls.ca)
        if self.mutual is not None:
            entries = self.mutual.sources
            certificates |= {side: Entries(entries[f"{side}.crt"], entries["ca.crt"]) for side in ("server", "client")}
        if (consoles := self.console_certificate) is not None:
            certificates["consoles"] = Entries(consoles["tls.crt"])
        return certificates

    @property
    def data_passwords(self) -> Mapping[str, str]:
        """Entries of fate:secrets whose passwords a server's data holds already, so that nobody can make them anew: {name: what it is}.

        The data is on a claim that the stack names, or `previous` says that the server has the password.
        """
        claims = {module: claim["existingClaim"] for module, claim in self.data.get("claims", {}).items() if "existingClaim" in claim}
        previous = previous_passwords(self.secrets)
        return {
            entry: f"the password that {module}'s data on claim {claims[module]} holds; on an empty claim, a new one"
            if module in claims
            else f"the password that {module} has until `pulumi up` changes it"
            for module, entry in server_passwords(self.secrets).items()
            if module in claims or entry in previous
        }

    @property
    def config_path(self) -> str:
        """Where the stack file describes it, below `fate:`."""
        return ".".join(KINDS[self.kind].path_of(self.party_id))

    @property
    def pull_secret_sources(self) -> tuple[str, ...]:
        """The names under fate:secrets that hold credentials of a registry."""
        return tuple(name for secret in self.secrets if secret.type == PULL_SECRET_TYPE for name in secret.sources.values())


def chart_head(unit: AnyUnit) -> dict[str, Any]:
    """The values with which those of every chart begin."""
    return {
        "instance": unit.key,
        "labels": unit.labels,
        "image_pull_policy": unit.stack.images.pull_policy,
        "image_pull_secrets": pull_secret_names(unit.stack.images),
        "release": unit.spec.release,
    }


def own_namespace(unit: AnyUnit, level: PodSecurity = "baseline") -> tuple[Manifest, ...]:
    """The namespace of a unit, where the stack makes it."""
    return (namespace(unit.namespace, unit.labels, level),) if unit.stack.cluster.makes_namespaces else ()


def module_summary(modules: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The `modules` output: image and replicas of each module."""
    return {name: {"image": module["image"], "replicas": module["replicas"]} for name, module in sorted(modules.items())}
