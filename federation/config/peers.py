"""A peer's entry in the stack file: where its descriptor is, and the key, serial and digest that were accepted."""

from typing import Literal, Self

from pydantic import Field, model_validator

from federation.base.model import Model
from federation.base.scalars import Fingerprint, HostPort, NonEmpty, PartyId, Reason, Serial, Sha256, StackName, UnitKey
from federation.catalogue.kinds import KINDS, Kind
from federation.catalogue.links import endpoint_names

# Asked for each of many peers: every set of endpoints of each kind.
_ENDPOINTS = {kind: endpoint_names(kind) for kind in KINDS}
PeerState = Literal["pending", "active", "suspended", "retired"]


class PeerSpec(Model):
    """Another party or exchange: by its descriptor file, from another stack of one's own, or typed by hand with `unsigned: true`."""

    descriptor: NonEmpty | None = Field(None, description="Descriptor file, relative to the folder of this stack file.")
    stack: StackName | None = Field(
        None, description="Another stack of the same state backend that publishes its descriptor, in full: ORGANIZATION/PROJECT/STACK."
    )
    unit: UnitKey | None = Field(None, description="Which unit of that stack, such as party-10000; written by `fatefed peers add`.")
    state: PeerState = Field("active", description="Only an active peer gets routes; a retired one keeps its party id forever.")
    reason: Reason | None = Field(None, description="Why it is in this state, for people; shown in the output `peers`.")
    key: Fingerprint | None = Field(None, description="Fingerprint of the key that signs its descriptors; written by `fatefed peers add`.")
    previous_key: Fingerprint | None = Field(
        None, description="The previous key, until the party's other units are signed with the new one; written by `fatefed peers add`."
    )
    accepted_serial: Serial | None = Field(None, description="Serial number of the accepted descriptor; written by `fatefed peers add`.")
    sha256: Sha256 | None = Field(None, description="Digest of the accepted descriptor file; written by `fatefed peers add`.")
    resolve: bool = Field(
        False,
        description="True: accept its host names without addresses; whoever controls a name decides where pods of this stack connect; "
        "written by `fatefed peers add --resolve`.",
    )
    unsigned: bool = Field(False, description="True for a peer typed by hand (KubeFATE, FedLCM, AnsibleFATE), or without a signature.")
    party_id: PartyId | None = Field(
        None,
        description="By hand: the party's id; absent for an exchange of either kind. Suspended or retired: the id that stays taken, "
        "even without the descriptor file; written by `fatefed peers suspend` and `retire`.",
    )
    kind: Kind | None = Field(
        None,
        description="Suspended or retired, and not a party: its kind. A retired peer with a partyId or kind here needs no descriptor "
        "file any more; a suspended one not until it comes back.",
    )
    pulsar: HostPort | None = Field(None, description="By hand, party: host:port of its Pulsar TLS port.")
    rabbitmq: HostPort | None = Field(None, description="By hand, party: host:port of its RabbitMQ.")
    traffic_server: HostPort | None = Field(None, description="By hand, exchange: host:port of its Traffic Server.")
    nginx: HostPort | None = Field(None, description="By hand: IP:port of its nginx (HTTP).")
    rollsite: HostPort | None = Field(None, description="By hand: host:port of its rollsite.")
    osx: HostPort | None = Field(None, description="By hand: host:port of its OSX.")

    serving_proxy: HostPort | None = Field(None, description="By hand, FATE-Serving or its exchange: host:port of its serving-proxy.")
    site_portal: HostPort | None = Field(None, description="By hand, a Site Portal: host:port of its frontend with TLS.")
    fml_manager: HostPort | None = Field(None, description="By hand, an FML Manager: host:port with TLS.")

    @property
    def id_only(self) -> bool:
        """Whether it left for good and only its id is kept, in this entry: its descriptor file is not read, and may be gone."""
        return self.state == "retired" and not self.addresses and (self.party_id is not None or self.kind is not None)

    @property
    def identified(self) -> bool:
        """Whether the entry of a peer with a descriptor file also says which unit it is: a blocked peer needs no more."""
        return self.descriptor is not None and not self.addresses and (self.party_id is not None or self.kind is not None)

    @property
    def what(self) -> Kind:
        """Which kind of unit it is, by the entry alone."""
        if self.kind is not None:
            return self.kind
        for kind, row in KINDS.items():
            if row.of_a_party == (self.party_id is not None) and frozenset(self.addresses) in _ENDPOINTS[kind]:
                return kind
        return "exchange" if self.party_id is None else "party"

    @property
    def by_hand(self) -> bool:
        """Whether its addresses were typed: it has no descriptor."""
        return self.descriptor is None and self.stack is None

    @property
    def addresses(self) -> dict[str, str]:
        """The addresses that were typed, by endpoint."""
        typed = {endpoint: getattr(self, name) for endpoint, name in _BY_HAND.items()}
        return {endpoint: address for endpoint, address in typed.items() if address is not None}

    @model_validator(mode="after")
    def _only_one_that_left_needs_no_addresses(self) -> Self:
        if self.kind is not None and not self.id_only and not self.identified:
            raise ValueError("kind is only for a retired peer, or one with a descriptor and no addresses: remove this line")
        row = KINDS[self.what]
        if (self.id_only or self.identified) and row.of_a_party != (self.party_id is not None):
            raise ValueError(f"{row.noun} {'has a' if row.of_a_party else 'has no'} partyId: correct kind or partyId")
        return self

    @model_validator(mode="after")
    def _comes_by_file_from_a_stack_or_by_hand(self) -> Self:
        present = sorted([*self.addresses, *(["partyId"] if self.party_id else [])])
        if present and not self.by_hand and not self.id_only and not self.identified:
            source = "of another stack" if self.stack is not None else "with a descriptor"
            raise ValueError(f"a peer {source} takes its addresses from it: drop {', '.join(present)}")
        if self.by_hand and not self.unsigned and not self.id_only:
            left = "; of one that is retired partyId or kind is enough" if self.state == "retired" else ""
            raise ValueError(f"name a descriptor file, or a stack of your own, or set unsigned: true and write the addresses{left}")
        if self.unit is not None and self.stack is None:
            raise ValueError("unit needs the key stack: add stack, or remove unit")
        return self

    @model_validator(mode="after")
    def _what_is_unsigned_has_no_key(self) -> Self:
        signed = {"key": self.key, "previousKey": self.previous_key, "acceptedSerial": self.accepted_serial}
        keys = [name for name, value in signed.items() if value is not None]
        if self.stack is not None and keys:
            raise ValueError(f"a peer from a stack has no signature: remove {', '.join(keys)}, or remove stack and accept signed files")
        if self.unsigned and keys:
            raise ValueError(f"an unsigned peer has no {' and no '.join(keys)}: remove unsigned, or remove those keys")
        return self

    @model_validator(mode="after")
    def _a_peer_typed_by_hand_has_the_addresses_of_its_engine(self) -> Self:
        kinds = [kind for kind, row in KINDS.items() if row.of_a_party == (self.party_id is not None)]
        allowed = [endpoints for kind in kinds for endpoints in _ENDPOINTS[kind]]
        if self.by_hand and not self.id_only and frozenset(self.addresses) not in allowed:
            name = "party" if self.party_id is not None else "exchange (no partyId)"
            legal = ", or ".join(" and ".join(sorted(endpoints)) for endpoints in allowed)
            raise ValueError(f"an unsigned {name} needs exactly {legal}, each as host:port")
        return self


_KNOWN = frozenset[str]().union(*(endpoints for sets in _ENDPOINTS.values() for endpoints in sets))
# The fields that hold an address, by endpoint.
_BY_HAND = {str(field.alias): name for name, field in PeerSpec.model_fields.items() if field.alias in _KNOWN}
