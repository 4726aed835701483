"""Certificate authorities of this stack's parties: made once, replaced in three steps.

Keys go into fate:secrets, encrypted; of parties whose certificates cert-manager makes, into files for its Issuer (`cli.keys.issuers`).
"""

from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cli.keys.identity import write_edits, write_fields
from cli.keys.issuers import Source, existing_authority, hand_over, must_be_ours, write_issuer
from cli.keys.passwords import secret_path
from cli.stackfile.edit import Scalar
from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.kept import keep_copy
from cli.tools.project import Stack
from cli.tools.pulumi import pulumi
from cli.tools.state import deployed
from federation.base.scalars import PartyId
from federation.config.party import PartySpec
from federation.config.stack import StackSpec
from federation.config.trust import CertificateIssuer, PartyTrust
from federation.config.units import PartyUnit, party_units
from federation.pki.authority import authority_certificate
from federation.pki.keys import private_pem
from federation.stack.load import LoadedStack
from federation.trust.plan import CERT_MANAGER, OWN_AUTHORITY, PARTY_CA, holds_certificate

# Pulsar before 3.2 reads RSA keys only (apache/pulsar#21599), so a server's key is RSA; a CA's is EC, whose signatures repeat.
_RSA_BITS = 3072


@dataclass(frozen=True)
class Step:
    """The work done for a party's CA, and the operator's next steps."""

    party: PartyId
    did: str
    next: tuple[str, ...]


def init_trust(stack: Stack, today: date, source: Source, party: PartyId | None = None) -> tuple[Step, ...]:
    """Make what is missing: for each party with `tls: partyCa` a CA and the key of its server. What is there stays.

    For a party with `tls: certManager` a CA, too, whose key goes into files; or its certificate is given (`source`).
    """
    loaded = stack.load()
    spec, present = loaded.spec, loaded.source.secret_names()
    chosen = own_authorities(spec) if party is None else [_chosen(spec, party)]
    lacking = [one for one in chosen if one.spec.tls == CERT_MANAGER and one.party not in spec.trust.parties]
    if source.authority is not None and len(lacking) != 1:
        problem = f"is one CA, and {len(lacking)} parties with tls: {CERT_MANAGER} lack theirs"
        raise CommandError("--authority", problem, "choose one with --party ID")
    for one in lacking:
        source.check(one.title)
    steps = []
    for one in chosen:
        managed = one.spec.tls == CERT_MANAGER
        steps.append(_init_issuer(stack, one, present, today, source) if managed else _init(stack, one, present, today))
        keep_copy(stack)
    return tuple(steps)


def rotate(stack: Stack, party: PartyId | None, today: date, source: Source, issuer: str | None = None) -> Step:
    """The next of three steps that replace a party's CA, each followed by a `pulumi up`, so that no link breaks.

    First the new CA is trusted beside the old one; then it signs; then the old one goes. CommandError before the first CA is made, and
    while the step before is not deployed.
    With cert-manager the second step names another Issuer (`issuer`), which has the new CA's key.
    """
    keep_copy(stack)
    step = _next_step(stack, party, today, source, issuer)
    keep_copy(stack)
    return step


def _next_step(stack: Stack, party: PartyId | None, today: date, source: Source, issuer: str | None) -> Step:
    loaded = stack.load()
    unit = _chosen(loaded.spec, party)
    trust = loaded.spec.trust.parties.get(unit.party)
    if trust is None:
        raise CommandError(unit.title, "has no CA yet", f"make one: `fatefed trust init {stack.options}`")
    if len(trust.authorities) > 1:
        _must_be_deployed(stack, loaded, unit)
    if unit.spec.tls == CERT_MANAGER:
        return _rotate_issuer(stack, unit, trust, today, source, issuer)
    if source != Source() or issuer is not None:
        remedy = "leave out --issuer-files, --authority and --issuer"
        raise CommandError(unit.title, "signs with a CA whose key is in fate:secrets", remedy)
    at, key, chosen = ("trust", "parties", unit.party), unit.key, unit.party
    numbers = sorted(trust.authorities, key=int)
    send = f"`fatefed descriptor export {stack.options} --unit {key} -o FILE`: send it to all peers"
    up = f"`pulumi up {stack.options}`"
    if len(numbers) == 1:
        number = str(int(numbers[0]) + 1)
        _new_authority(stack, unit, number, today)
        wait = f"when every peer accepted it and ran `pulumi up`: `fatefed trust rotate {stack.options} --party {chosen}` again"
        return Step(chosen, f"step 1 of 3: authority {number} is now trusted; authority {numbers[0]} still signs", (up, send, wait))
    old, new = numbers
    if trust.signing == old:
        _secret(stack, f"{key}-key", _new_server_key())
        write_fields(stack, at, {"signing": new})
        wait = f"when Pulsar runs with it (5 minutes): `fatefed trust rotate {stack.options} --party {chosen}` again"
        return Step(chosen, f"step 2 of 3: authority {new} signs, for a new server key", (up, wait))
    write_fields(stack, (*at, "authorities"), {}, frozenset({old}))
    forget = f"`pulumi config rm --path '{secret_path(f'{key}-ca-{old}')}' {stack.options}`: its key is no longer needed"
    return Step(chosen, f"step 3 of 3: authority {old} is no longer trusted", (up, send, forget))


def waits_for_peers(stack: Stack, party: PartyId | None) -> bool:
    """Whether the next step breaks links of peers that did not accept the step before."""
    spec = stack.load().spec
    trust = spec.trust.parties.get(_chosen(spec, party).party)
    return trust is not None and len(trust.authorities) > 1


def _must_be_deployed(stack: Stack, loaded: LoadedStack, unit: PartyUnit) -> None:
    """Two steps in one `pulumi up` would have a CA sign that no peer was told of, or take away the one that still signs."""
    planned, recorded = loaded.plan.unit(unit.key).recorded, deployed(stack).get(unit.key, {})
    if any(key in recorded and recorded[key] != planned[key] for key in ("authorities", "signer")):
        raise CommandError(unit.title, "the previous step is not deployed yet", f"`pulumi up {stack.options}` first")


def own_authorities(spec: StackSpec) -> list[PartyUnit]:
    """The parties with a CA of their own, whoever holds its key."""
    return [unit for unit in party_units(spec).values() if unit.spec.tls in OWN_AUTHORITY and holds_certificate(unit)]


def _chosen(spec: StackSpec, party: PartyId | None) -> PartyUnit:
    known = {unit.party: unit for unit in own_authorities(spec)}
    if party is None and len(known) == 1:
        return next(iter(known.values()))
    if party not in known:
        problem = f"party {party} has no CA of its own" if party is not None else "the stack has no single party with its own CA"
        raise CommandError("--party", problem, f"choose one of: {', '.join(known) or f'none; set tls: {PARTY_CA} in a party with Pulsar'}")
    return known[party]


def _init_issuer(stack: Stack, unit: PartyUnit, present: frozenset[str], today: date, source: Source) -> Step:
    """A party whose certificate cert-manager makes: its CA's certificate goes into the stack file, nothing into fate:secrets."""
    key, party, issuer = unit.key, unit.party, _issuer(unit.spec)
    left = sorted(name for name in present if name == f"{key}-key" or name.startswith(f"{key}-ca-"))
    forget = tuple(f"`pulumi config rm --path '{secret_path(name)}' {stack.options}`: cert-manager has its own key" for name in left)
    if party in unit.stack.trust.parties:
        return Step(party, f"has its CA already; {issuer.kind} {issuer.name} of cert-manager signs", forget)
    orders = _new_issuer(stack, unit, issuer, "1", today, source)
    return Step(party, "made a CA" if source.authority is None else "took the CA", (*orders, *forget))


def _rotate_issuer(stack: Stack, unit: PartyUnit, trust: PartyTrust, today: date, source: Source, name: str | None) -> Step:
    """The next step of a party whose certificate cert-manager makes: the new CA has an Issuer of its own."""
    key, party, issuer = unit.key, unit.party, _issuer(unit.spec)
    at = ("trust", "parties", party)
    numbers = sorted(trust.authorities, key=int)
    again = f"`fatefed trust rotate {stack.options} --party {party}{'' if name is None else f' --issuer {name}'}` again"
    send = f"`fatefed descriptor export {stack.options} --unit {key} -o FILE`: send it to all peers"
    up = f"`pulumi up {stack.options}`"
    if len(numbers) == 1:
        source.check(unit.title)
        number = str(int(numbers[0]) + 1)
        new = issuer.model_copy(update={"name": _next_name(issuer.name, numbers[0], number) if name is None else name})
        orders = _new_issuer(stack, unit, new, number, today, source)
        wait = f"when every peer accepted it and ran `pulumi up`, and {new.kind} {new.name} is ready: {again}"
        return Step(party, f"step 1 of 3: authority {number} is now trusted; authority {numbers[0]} still signs", (*orders, up, send, wait))
    if source != Source():
        raise CommandError(unit.title, "has its next CA already", "leave out --issuer-files and --authority")
    old, new_number = numbers
    if trust.signing == old:
        signer = name or _next_name(issuer.name, old, new_number)
        write_edits(stack, {("parties", party, "issuer"): {"name": signer}, at: {"signing": new_number}})
        again = f"`fatefed trust rotate {stack.options} --party {party}` again"
        wait = f"when `fatefed doctor {stack.options}` says that {issuer.kind} {signer} signed it, and 5 minutes later: {again}"
        return Step(party, f"step 2 of 3: authority {new_number} signs, by {issuer.kind} {signer}", (up, wait))
    if name is not None:
        raise CommandError("--issuer", f"{issuer.kind} {issuer.name} signs already", "leave it out")
    write_fields(stack, (*at, "authorities"), {}, frozenset({old}))
    forget = f"delete the {issuer.kind} that had authority {old}, and its Secret: its key is no longer needed"
    return Step(party, f"step 3 of 3: authority {old} is no longer trusted", (up, send, forget))


def _new_issuer(stack: Stack, unit: PartyUnit, issuer: CertificateIssuer, number: str, today: date, source: Source) -> tuple[str, ...]:
    """The certificate of a CA, new or given, into the stack file; what makes an Issuer from a new one."""
    domain, party, namespace = unit.stack.federation.domain, unit.party, unit.namespace
    if source.folder is None:
        assert source.authority is not None  # noqa: S101 - Source.check said so
        _write_authority(stack, unit, number, existing_authority(source.authority, party, domain, today))
        return ()
    must_be_ours(party, issuer)
    private = private_pem(ec.generate_private_key(ec.SECP256R1()))
    made = authority_certificate(private, party=party, domain=domain, today=today, years=unit.stack.trust.ca_years)
    write_issuer(source.folder, party, namespace, issuer, number, {"crt": made, "key": private})
    _write_authority(stack, unit, number, made)
    return hand_over(source.folder, party, namespace, issuer, number)


def _next_name(issuer: str, old: str, new: str) -> str:
    """The name of the Issuer of the next CA: party-9999-ca, then party-9999-ca-2, party-9999-ca-3."""
    return f"{issuer.removesuffix(f'-{old}')[: 62 - len(new)]}-{new}"


def _issuer(own: PartySpec) -> CertificateIssuer:
    assert own.issuer is not None  # noqa: S101 - the rules said so
    return own.issuer


def _init(stack: Stack, unit: PartyUnit, present: frozenset[str], today: date) -> Step:
    key, party, trust = unit.key, unit.party, unit.stack.trust.parties.get(unit.party)
    server_key, done = f"{key}-key", []
    if trust is None:
        left = sorted(name for name in present if name.startswith(f"{key}-ca-"))
        if left == [f"{key}-ca-1"] and key not in unit.stack.exported:
            # Interrupted before the certificate was written.
            _certify(stack, unit, "1", pulumi(stack, "config", "get", "--path", secret_path(left[0])), today)
        elif left:
            remedy = f"restore fate:trust.parties.{party} from a copy of the stack file; or remove the entry to make a new CA"
            raise CommandError(f"{shown(stack.file)} fate:secrets.{left[0]}", "is there, but its certificate is gone", remedy)
        else:
            _new_authority(stack, unit, "1", today)
        done.append("a CA")
    elif (name := f"{key}-ca-{trust.signing}") not in present:
        remedy = (
            "restore the entry from a copy of the stack file; or remove fate:trust.parties."
            + f"{party}, and make a new CA, which peers must accept"
        )
        raise CommandError(f"{shown(stack.file)} fate:secrets.{name}", "is gone, but its certificate is there", remedy)
    if server_key not in present:
        _secret(stack, server_key, _new_server_key())
        done.append("a server key")
    did = f"made {' and '.join(done)}" if done else "has its CA and its server key already"
    return Step(party, did, ())


def _new_authority(stack: Stack, unit: PartyUnit, number: str, today: date) -> None:
    """A CA with its own key. The key first: without its certificate it is noticed, and harms nobody."""
    private = private_pem(ec.generate_private_key(ec.SECP256R1()))
    _secret(stack, f"{unit.key}-ca-{number}", private)
    _certify(stack, unit, number, private, today)


def _certify(stack: Stack, unit: PartyUnit, number: str, private: str, today: date) -> None:
    """The certificate of a CA whose key is in fate:secrets."""
    domain, years = unit.stack.federation.domain, unit.stack.trust.ca_years
    _write_authority(stack, unit, number, authority_certificate(private, party=unit.party, domain=domain, today=today, years=years))


def _write_authority(stack: Stack, unit: PartyUnit, number: str, made: str) -> None:
    at = ("trust", "parties", unit.party)
    edits: dict[tuple[str, ...], dict[str, Scalar]] = {(*at, "authorities"): {number: made}}
    if unit.party not in unit.stack.trust.parties:
        edits[at] = {"signing": number}
    write_edits(stack, edits)


def _secret(stack: Stack, name: str, value: str) -> None:
    pulumi(stack, "config", "set", "--secret", "--path", secret_path(name), stdin=value)


def _new_server_key() -> str:
    return private_pem(rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS))
