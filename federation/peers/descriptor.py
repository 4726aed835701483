"""The descriptor: what one party or exchange publishes to its federation. Exported and imported by the same class.

Only addresses, names, versions and public certificates: never a secret. Schema versions 1 and 2, JSON, field by field in
docs/reference/descriptor.md. Here is the unsigned body, which a stack puts out; `federation.peers.signed` signs it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from federation.base.errors import Problem
from federation.base.json_document import AGAIN, MAX_PROBLEMS, Problems, bounded, read_json
from federation.base.model import Model
from federation.base.model_errors import problems_of
from federation.base.scalars import MAX_ADDRESSES, Domain, Host, IpAddress, Name, PartyId, Port, Uid, Word, is_ip
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.links import FORMER_PORTS, endpoint_names, engine_of, ports_of
from federation.catalogue.releases import Combination
from federation.pki.authority import PEM_CERTIFICATE, CertificatePem, short_fingerprint

# Of a value in a message, and of the fields in one: certificates are long, and a preview is read by people.
_MAX_VALUE, _MAX_FIELDS = 60, 8
# The latest that is read. 1 is 2 without federation.id, and is still written by stacks that know none.
VERSION = 2


class Membership(Model):
    """The federation a descriptor belongs to."""

    name: Name = Field(description="What its members call it.")
    domain: Domain = Field(description="Ends every server name: <party>.<domain>.")
    id: Uid | None = Field(None, description="Version 2: the random id that its founder made, so that no other one has the same words.")


class Endpoint(Model):
    """Where one service is reached from outside."""

    host: Host = Field(description="Host name or IP address.")
    addresses: tuple[IpAddress, ...] = Field(
        (), max_length=MAX_ADDRESSES, description="IP addresses, for proxies that cannot resolve names."
    )
    ports: dict[str, Port] = Field(description="Ports by purpose: tls, http, grpc or amqp.")
    tls: bool = Field(description="Whether the service speaks TLS.")
    server_name: Host | None = Field(None, description="TLS server name (SNI), when tls.")

    def without(self, purposes: frozenset[str]) -> Self:
        """The endpoint without some of its ports."""
        return self.model_copy(update={"ports": {purpose: port for purpose, port in self.ports.items() if purpose not in purposes}})


class Trust(Model):
    """What its owner vouches for: public certificates only."""

    authorities: tuple[CertificatePem, ...] = Field(
        min_length=1, max_length=2, description="The party's CA; while it is replaced, the old and the new one."
    )


class Published(Model):
    """The facts of one party, one exchange, their counterparts of FATE-Serving, or a portal: from its descriptor, or written by hand."""

    schema_version: Literal[1, 2] = Field(description="2 with federation.id, 1 without.")
    kind: Kind = Field(description="One FATE cluster, the hub of a star, FATE-Serving of a party, the hub of FATE-Servings, or a portal.")
    federation: Membership = Field(description="Name and domain; both must be the reader's own.")
    organization: Name = Field(description="Who owns it.")
    party_id: PartyId | None = Field(None, description="The party's id; absent for an exchange of either kind and an FML Manager.")
    release: Word | None = Field(None, description="Release of FATE, FATE-Serving or FedLCM.")
    backends: Combination | None = Field(None, description="The party's engines; absent for all others.")
    endpoints: dict[str, Endpoint] = Field(description="Those of its federation engine: see federation.links.")
    trust: Trust | None = Field(None, description="Of a party with a CA of its own.")

    @field_validator("endpoints")
    @classmethod
    def _a_former_port_is_not_looked_at(cls, endpoints: dict[str, Endpoint]) -> dict[str, Endpoint]:
        return {name: endpoint.without(FORMER_PORTS.get(name, frozenset())) for name, endpoint in endpoints.items()}

    @model_validator(mode="after")
    def _version_2_has_the_id_of_a_federation(self) -> Self:
        if (self.schema_version == 1) != (self.federation.id is None):
            raise ValueError("version 2 has a federation.id, version 1 has none")
        return self

    @model_validator(mode="after")
    def _a_party_has_an_id(self) -> Self:
        if KINDS[self.kind].of_a_party != (self.party_id is not None):
            raise ValueError(
                "a party, its FATE-Serving and its Site Portal have a partyId, an exchange of either kind and an FML Manager have none"
            )
        return self

    @model_validator(mode="after")
    def _only_a_party_has_an_authority(self) -> Self:
        if not KINDS[self.kind].has_ca and self.trust is not None:
            raise ValueError(f"{KINDS[self.kind].noun} has no CA: it holds no certificate")
        return self

    @property
    def authorities(self) -> tuple[str, ...]:
        """The certificates of its CA, if it has one of its own."""
        return () if self.trust is None else self.trust.authorities

    @model_validator(mode="after")
    def _publishes_the_endpoints_of_its_kind(self) -> Self:
        legal = endpoint_names(self.kind)
        if frozenset(self.endpoints) not in legal:
            wanted = ", or ".join(" and ".join(sorted(names)) for names in legal)
            raise ValueError(f"{KINDS[self.kind].noun} publishes exactly {wanted}, not {' and '.join(self.endpoints) or 'nothing'}")
        for name, endpoint in self.endpoints.items():
            known = ports_of(self.kind, name)
            if endpoint.ports.keys() != known.keys():
                raise ValueError(f"endpoint {name} has ports {sorted(known)}, not {sorted(endpoint.ports)}")
        return self

    @property
    def engine(self) -> str:
        """The federation engine whose endpoints it publishes, in FATE's word. KeyError for FATE-Serving, which has none."""
        return engine_of(frozenset(self.endpoints), self.kind)

    @property
    def title(self) -> str:
        """What it is, for people: `party 9999`, `the serving exchange`."""
        return KINDS[self.kind].title.format(party=self.party_id)


class Departed(Published):
    """A retired unit: which one it was, without addresses."""

    # In the place of the rule that it publishes what its kind does.
    @model_validator(mode="after")
    def _publishes_the_endpoints_of_its_kind(self) -> Self:
        if self.endpoints:
            raise ValueError("is no longer published")
        return self


class Descriptor(Published):
    """The published endpoints of one party, one exchange, their counterparts of FATE-Serving, or a portal."""

    # Whoever says nothing of his release or engines would slip through the rules about them.
    release: Word = Field(description="Release of FATE, FATE-Serving or FedLCM.")

    @model_validator(mode="after")
    def _a_party_names_the_engines_whose_endpoints_it_publishes(self) -> Self:
        if KINDS[self.kind].names_engines != (self.backends is not None):
            raise ValueError("only a party has backends")
        if self.backends is not None and self.backends.federation != self.engine:
            raise ValueError(f"publishes the endpoints of {self.engine}, while backends.federation is {self.backends.federation}")
        return self

    def text(self) -> str:
        """The descriptor as a file: canonical, so that equal content has an equal digest."""
        return json.dumps(self.plain(), indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True)
class FieldChange:
    """One field of a descriptor that differs from the accepted one; None where it is absent."""

    field: str
    old: str | None
    new: str | None


def differences(old: Published, new: Published) -> tuple[FieldChange, ...]:
    """The differences of two descriptors, field by field."""
    return changed_fields(field_texts(old.plain()), field_texts(new.plain()))


def changed_fields(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FieldChange, ...]:
    """The same of their fields as text."""
    names = sorted(before.keys() | after.keys())
    return tuple(FieldChange(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name))


def changes_text(changes: tuple[FieldChange, ...]) -> str:
    """Changes as part of a sentence: the first ones, long values by their fields' names only."""
    rest = [f"{len(changes) - _MAX_FIELDS} more"] if len(changes) > _MAX_FIELDS else []
    return "; ".join([*(_change(change) for change in changes[:_MAX_FIELDS]), *rest])


def _change(change: FieldChange) -> str:
    if any(len(value or "") > _MAX_VALUE for value in (change.old, change.new)):
        return f"{change.field} differs"
    return f"{change.field}: {change.old or '(absent)'} -> {change.new or '(absent)'}"


def field_texts(body: Mapping[str, Any]) -> dict[str, str]:
    """Every field of a body as text, by its path (`endpoints.pulsar.ports.tls`); a certificate by its fingerprint."""
    return _fields(body)


def _fields(data: Any, path: str = "") -> dict[str, str]:
    if isinstance(data, Mapping):
        return {name: text for key, value in data.items() for name, text in _fields(value, f"{path}.{key}" if path else key).items()}
    return {path: ", ".join(map(_word, data)) if isinstance(data, list | tuple) else _word(data)}


def _word(value: Any) -> str:
    """As in JSON. A certificate is told from another by its fingerprint, as in the annotations of a preview."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"CA {short_fingerprint(text)}" if text.startswith(PEM_CERTIFICATE) else text


def digest(content: bytes) -> str:
    """The sha256 that `fate:peers.<name>.sha256` remembers."""
    return hashlib.sha256(content).hexdigest()


def finish(body: Mapping[str, Any]) -> Descriptor:
    """The descriptor of a planned body whose live addresses are filled in. pydantic.ValidationError if it is malformed.

    A load balancer may answer with a host name instead of an IP address: then its endpoint has no addresses.
    """
    endpoints = {
        name: {**endpoint, "addresses": [a for a in endpoint["addresses"] if is_ip(a)]} for name, endpoint in body["endpoints"].items()
    }
    return Descriptor.model_validate({**body, "endpoints": endpoints})


def parse(content: bytes, place: str) -> Descriptor | Problems:
    """A descriptor without envelope, or all that is wrong with it. Never raises."""
    data = read_json(content, place)
    return data if isinstance(data, tuple) else typed(data, Descriptor, place)


M = TypeVar("M", bound=Model)


def typed(data: Any, model: type[M], place: str) -> M | Problems:
    """Plain data as a model, or the first of its problems."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        if (newer := _newer(data, place)) is not None:
            return (newer,)
        problems = problems_of(error, model, lambda path: f"{place} {'.'.join(path)}".rstrip(), MAX_PROBLEMS)
        # Nobody but its owner can correct what was sent.
        return bounded(replace(problem, remedy=AGAIN) for problem in problems)


def _newer(data: Any, place: str) -> Problem | None:
    """The problem of a body or a statement of a later format. Its other problems mean nothing, so they are not listed."""
    statement = data if isinstance(data, dict) else {}
    path, body = ("descriptor.", statement["descriptor"]) if isinstance(statement.get("descriptor"), dict) else ("", statement)
    version = body.get("schemaVersion")
    if type(version) is not int or version <= VERSION:
        return None
    problem = f"is version {version} of the format, and this program reads version {VERSION}"
    return Problem(f"{place} {path}schemaVersion", problem, "a newer format: update fatefed (this program)")
