"""Certificate authorities of this stack's parties: made once, replaced in three steps. Keys go into fate:secrets, encrypted."""

from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cli.engine import pulumi
from cli.errors import CommandError
from cli.files import shown
from cli.identity import write_fields
from cli.passwords import secret_path
from cli.project import Stack
from federation import naming
from federation.authority import authority_certificate
from federation.scalars import PartyId
from federation.spec import StackSpec
from federation.trust import PARTY_CA, holds_certificate

# Pulsar before 3.2 reads RSA keys only (apache/pulsar#21599), so a server's key is RSA; a CA's is EC, whose signatures repeat.
_RSA_BITS = 3072


@dataclass(frozen=True)
class Step:
    """What was done for a party's CA, and what its operator does next."""

    party: PartyId
    did: str
    next: tuple[str, ...]


def init_trust(stack: Stack, today: date) -> tuple[Step, ...]:
    """Make what is missing: for each party with `tls: partyCa` a CA and the key of its server. What is there stays."""
    loaded = stack.load()
    spec, given = loaded.spec, loaded.source.secret_names()
    return tuple(_init(stack, spec, party, given, today) for party in _parties(spec))


def rotate(stack: Stack, party: PartyId | None, today: date) -> Step:
    """The next of three steps that replace a party's CA, each followed by a `pulumi up`, so that no link breaks.

    First the new CA is trusted beside the old one; then it signs; then the old one goes. CommandError before the first CA is made.
    """
    spec = stack.load().spec
    chosen = _chosen(spec, party)
    trust = spec.trust.parties.get(chosen)
    if trust is None:
        raise CommandError(f"party {chosen}", "has no CA yet", f"make one: `fatefed trust init {stack.options}`")
    at, key = ("trust", "parties", chosen), naming.party_key(chosen)
    numbers = sorted(trust.authorities, key=int)
    send = f"`fatefed descriptor export {stack.options} --unit {key} -o FILE`: send it to all peers"
    up = f"`pulumi up {stack.options}`"
    if len(numbers) == 1:
        number = str(int(numbers[0]) + 1)
        _new_authority(stack, spec, chosen, number, today)
        wait = f"when every peer accepted it and ran `pulumi up`: `fatefed trust rotate {stack.options} --party {chosen}` again"
        return Step(chosen, f"step 1 of 3: authority {number} is trusted beside {numbers[0]}, which still signs", (up, send, wait))
    old, new = numbers
    if trust.signing == old:
        _secret(stack, f"{key}-key", _new_server_key())
        write_fields(stack, at, {"signing": new})
        wait = f"when Pulsar runs with it (5 minutes): `fatefed trust rotate {stack.options} --party {chosen}` again"
        return Step(chosen, f"step 2 of 3: authority {new} signs, for a new server key", (up, wait))
    write_fields(stack, (*at, "authorities"), {}, frozenset({old}))
    forget = f"`pulumi config rm --path '{secret_path(f'{key}-ca-{old}')}' {stack.options}`: its key is not needed any more"
    return Step(chosen, f"step 3 of 3: authority {old} is not trusted any more", (up, send, forget))


def waits_for_peers(stack: Stack, party: PartyId | None) -> bool:
    """Whether the next step breaks links of peers that did not accept the step before."""
    spec = stack.load().spec
    trust = spec.trust.parties.get(_chosen(spec, party))
    return trust is not None and len(trust.authorities) > 1


def _parties(spec: StackSpec) -> list[PartyId]:
    return [party for party, own in spec.parties_in_order if own.tls == PARTY_CA and holds_certificate(own)]


def _chosen(spec: StackSpec, party: PartyId | None) -> PartyId:
    known = _parties(spec)
    if party is None and len(known) == 1:
        return known[0]
    if party not in known:
        said = f"party {party} has no CA of its own" if party is not None else "the stack has not exactly one party with a CA of its own"
        raise CommandError("--party", said, f"choose one of: {', '.join(known) or f'none; set tls: {PARTY_CA} in a party with Pulsar'}")
    return party


def _init(stack: Stack, spec: StackSpec, party: PartyId, given: frozenset[str], today: date) -> Step:
    key, trust = naming.party_key(party), spec.trust.parties.get(party)
    server_key, done = f"{key}-key", []
    if trust is None:
        left = sorted(name for name in given if name.startswith(f"{key}-ca-"))
        if left:
            remedy = (
                f"restore fate:trust.parties.{party} from a copy of the stack file; or remove the entry for a CA that peers do not know"
            )
            raise CommandError(f"{shown(stack.file)} fate:secrets.{left[0]}", "is there, but its certificate is gone", remedy)
        _new_authority(stack, spec, party, "1", today)
        done.append("a CA")
    elif (name := f"{key}-ca-{trust.signing}") not in given:
        remedy = (
            "restore the entry from a copy of the stack file; or remove fate:trust.parties."
            + f"{party}, and make a CA that peers do not know"
        )
        raise CommandError(f"{shown(stack.file)} fate:secrets.{name}", "is gone, but its certificate is there", remedy)
    if server_key not in given:
        _secret(stack, server_key, _new_server_key())
        done.append("a server key")
    did = f"made {' and '.join(done)}" if done else "has its CA and its server key already"
    return Step(party, did, (f"`pulumi preview {stack.options}`",) if done else ())


def _new_authority(stack: Stack, spec: StackSpec, party: PartyId, number: str, today: date) -> None:
    """A CA with its own key. The key first: without its certificate it is noticed, and harms nobody."""
    private = _pem(ec.generate_private_key(ec.SECP256R1()))
    made = authority_certificate(private, party=party, domain=spec.federation.domain, today=today, years=spec.trust.ca_years)
    _secret(stack, f"{naming.party_key(party)}-ca-{number}", private)
    write_fields(stack, ("trust", "parties", party, "authorities"), {number: made})
    if party not in spec.trust.parties:
        write_fields(stack, ("trust", "parties", party), {"signing": number})


def _secret(stack: Stack, name: str, value: str) -> None:
    pulumi(stack, "config", "set", "--secret", "--path", secret_path(name), given=value)


def _new_server_key() -> str:
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS))


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()
