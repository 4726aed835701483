"""From a stack file to its plan, with every problem of every part reported at once. Used by the program and by fatefed."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from federation.base.errors import SHOWN, FederationError, NotParsed, PlaceOf, Problem
from federation.base.model_errors import problems_of
from federation.catalogue.own import own_releases
from federation.config.file import StackSource
from federation.config.partial import parsed
from federation.config.project import stack_of_file
from federation.config.stack import StackSpec
from federation.peers.accepted import Peers, resolve
from federation.pki.certificates import certificate_problems, console_problems, last_moment, names_callers, names_of_others, weakness
from federation.rules.peers import WARN_DAYS
from federation.stack.limits import config_warnings, oversized, oversized_config
from federation.stack.plan import StackPlan, check_stack, plan_stack
from federation.trust.plan import TlsPlan, certificates, key_problems, provided_authorities
from federation.trust.provided import recorded_certificates
from federation.units.checked import CheckedStack
from federation.units.namespace_owner import owner_note
from federation.units.own_objects import ExtraManifests, clashes, reaching_out, read_manifests

_UNQUOTABLE = re.compile(r"[\s'\"\\]")
# Whose keys may be called like this program's: `kubernetes:cluster`.
_OTHERS = ("kubernetes", "pulumi")
_KEYS = StackSpec.written_keys()


@dataclass(frozen=True)
class LoadedStack:
    """A stack that was read, checked and planned."""

    source: StackSource
    spec: StackSpec
    peers: Peers
    plan: StackPlan


def load_stack(path: Path, config: Mapping[str, Any] | None = None, name: str | None = None, *, today: date | None = None) -> LoadedStack:
    """The plan of a stack file. `config`: the values under `fate:`, when the caller has them from the engine.

    `today` (UTC) is for warnings of what expires, and for what may not last long; without it there are none.
    FederationError with all problems at once: YAML, unknown keys, types, peers, and rules between keys.
    """
    source = StackSource.read(path, name or str(path))
    written = source.config()
    if config is None and not source.engine_config:
        # Pulumi makes such a file for a stack whose file was renamed.
        remedy = "was its file renamed? Give it this name again, in the place of this one; else write it with `fatefed init --force`"
        raise FederationError([Problem(source.name, "has no configuration: no key under config:", remedy)])
    # The engine is asked for the keys of StackSpec only: what else stands in the file is a misspelling. A key without a value is "" to it.
    ours = {key: value for key, value in written.items() if key not in _KEYS or value is None}
    values = written if config is None else {**ours, **source.with_elsewhere(config)}
    # The engine cannot tell an empty map from an absent one; of collaborations the one would mean nobody, the other everybody.
    values = {**values, **{key: written[key] for key in ("collaborations",) if written.get(key) == {}}}
    problems = [*source.duplicates(), *source.plain_secrets(), *_not_read(source)]
    if config is None:
        problems += oversized_config(source.engine_config, source.name)
    try:
        spec = StackSpec.model_validate(values)
    except ValidationError as error:
        problems += problems_of(error, StackSpec, source.place_of, SHOWN)
        more = max(0, error.error_count() - SHOWN)
        raise FederationError(_once([*problems, *_checked(parsed(values), path.parent, source.place_of, today)[-1]]), more) from None
    if spec.peers_file != source.peers_path:
        problem = f"is {spec.peers_file or 'absent'} in the configuration of the engine, and {source.peers_path or 'absent'} in this file"
        remedy = "write it here as text: this program ignores a peers file that is named elsewhere (Pulumi.yaml, -c, --config-file)"
        problems.append(Problem(source.place_of(("peersFile",)), problem, remedy))
    spec, peers, manifests, wrong = _checked(spec, path.parent, source.place_of, today)
    problems += wrong
    if problems:
        raise FederationError(_once(problems))
    plan = plan_stack(spec, peers, today)
    name = stack_of_file(path)
    plan = replace(plan, units=tuple(replace(unit, owner=(owner_note(spec, unit, name),)) for unit in plan.units))
    if refused := [*oversized(plan, source.place_of), *clashes(manifests, plan.units, source.place_of)]:
        raise FederationError(refused)
    beside = (*reaching_out(manifests, spec), *config_warnings(source.engine_config))
    return LoadedStack(source, spec, peers, replace(plan, manifests=manifests, findings=(*plan.findings, *beside)))


def _not_read(source: StackSource) -> Iterator[Problem]:
    """Keys that look like this program's but that it does not read: without a problem, a whole section would be ignored silently."""
    for key in source.engine_config:
        namespace, colon, name = key.rpartition(":")
        known = name in _KEYS or name == "secrets"
        if not colon or (known and namespace not in ("fate", *_OTHERS)):
            yield Problem(
                source.place_of_key(key),
                "is an unknown key: nothing reads it",
                f"did you mean fate:{name}?" if known else "add the prefix fate:, or remove it",
            )


def checked_plan(spec: StackSpec, peers: Peers, place_of: PlaceOf, today: date | None = None) -> StackPlan:
    """The plan of a stack as an edit would leave it. FederationError with what the next preview would refuse."""
    if problems := check_stack(CheckedStack(spec, peers, place_of)):
        raise FederationError(_once([*problems]))
    plan = plan_stack(spec, peers, today)
    if refused := [*oversized(plan, place_of)]:
        raise FederationError(refused)
    return plan


def _checked(
    spec: StackSpec, folder: Path, place_of: PlaceOf, today: date | None
) -> tuple[StackSpec, Peers, tuple[ExtraManifests, ...], tuple[Problem, ...]]:
    """A configuration, or what parsed of it, with what its files say, and all that is wrong with it beside single fields."""
    problems: tuple[Problem, ...] = ()
    with suppress(NotParsed):
        releases, problems = own_releases(spec.releases, folder, place_of)
        spec = spec.with_catalogue(releases)
    peers = resolve(spec.peers, spec.federation, folder, place_of)
    manifests, wrong = read_manifests(spec, folder, place_of)
    return spec, peers, manifests, (*problems, *check_stack(CheckedStack(spec, peers, place_of, today)), *wrong)


def check_secrets(loaded: LoadedStack, secrets: Mapping[str, str]) -> None:
    """FederationError for each entry of fate:secrets that is missing or holds no text, and each certificate that would not work."""
    if unusable := [*_no_texts(loaded, secrets)]:
        raise FederationError([*missing_secrets(loaded, frozenset(secrets)), *unusable])
    problems = [*missing_secrets(loaded, frozenset(secrets)), *_console_certificates(loaded, secrets)]
    problems += [problem for unit in loaded.plan.units if unit.tls is not None for problem in _tls_problems(loaded, unit.tls, secrets)]
    for mutual in (unit.mutual for unit in loaded.plan.units if unit.mutual is not None):
        for entry, problem in mutual.problems(secrets):
            remedy = f"provide the certificate and key of {mutual.shown[entry]}, signed by the federation's CA"
            problems.append(Problem(loaded.source.place_of(("secrets", entry)), problem, remedy))
    for entry in sorted({entry for unit in loaded.plan.units for entry in unit.unquoted if _UNQUOTABLE.search(secrets.get(entry, ""))}):
        problem = "holds a space, a quote or a backslash: the Site Portal passes it to PostgreSQL unquoted"
        problems.append(Problem(loaded.source.place_of(("secrets", entry)), problem, "choose another password"))
    if problems:
        raise FederationError(problems)


def _no_texts(loaded: LoadedStack, secrets: Mapping[str, Any]) -> Iterator[Problem]:
    """Entries that are empty, or not a single text: an empty password protects nothing."""
    for name in loaded.plan.secret_names:
        if name in secrets and not (isinstance(secrets[name], str) and secrets[name].strip()):
            yield Problem(
                loaded.source.place_of(("secrets", name)),
                f"secret {name} is empty or not text",
                _remedy(name, loaded.plan, "remove it; then "),
            )


def _tls_problems(loaded: LoadedStack, tls: TlsPlan, secrets: Mapping[str, str]) -> Iterator[Problem]:
    """Keys and certificates with which no peer could be reached."""
    if not secrets.keys() >= set(tls.needed):
        return
    if not tls.provided:
        missing = tls.managed and tls.issuer is None
        remedy = "run `fatefed trust init`: it makes one, or takes yours" if missing else "restore it from a copy of the stack file"
        for path, problem in key_problems(tls, secrets):
            yield Problem(loaded.source.place_of(path), problem, remedy)
        return
    names, place = (tls.certificate, tls.key, tls.ca), loaded.source.place_of(("secrets", tls.certificate))
    problems = [*certificate_problems(*(secrets[name] for name in names), server_name=tls.server_name)]
    if not problems and tls.client_certificates == "required" and not names_callers(secrets[tls.certificate]):
        remedy = "provide one with the extended key usage serverAuth and clientAuth, or with none; or choose clientCertificates: optional"
        yield Problem(place, "the certificate is for servers only, but Pulsar also presents it as a client", remedy)
    for problem in problems:
        yield Problem(place, problem, f"provide the certificate, key and CA of {tls.server_name}, signed by the federation's CA")


def made_certificates(loaded: LoadedStack, secrets: Mapping[str, str]) -> dict[str, str]:
    """What the program itself makes, by the names under which the plan's Secrets read it: certificates and bundles of CAs.

    A pure function of the secrets and the day of the plan, after `check_secrets`.
    """
    return {name: text for unit in loaded.plan.units if unit.tls is not None for name, text in certificates(unit.tls, secrets).items()}


def published_plan(loaded: LoadedStack, secrets: Mapping[str, str]) -> StackPlan:
    """The plan with what is public of provided certificates: descriptors vouch for CAs that peers accept, and units remember all.

    `secrets`: fate:secrets, after `check_secrets`.
    """
    domain, units = loaded.spec.federation.domain, []
    for unit in loaded.plan.units:
        authorities = () if unit.tls is None else provided_authorities(unit.tls, secrets, domain)
        trust = {"trust": {"authorities": list(authorities)}} if authorities else {}
        shown = recorded_certificates(unit.provided_certificates, secrets, authorities)
        units.append(replace(unit, descriptor={**unit.descriptor, **trust}, shown_certificates=shown))
    return replace(loaded.plan, units=tuple(units))


def _console_certificates(loaded: LoadedStack, secrets: Mapping[str, str]) -> Iterator[Problem]:
    """Console certificates that browsers would refuse for one of the consoles' host names."""
    for unit in loaded.plan.units:
        names = unit.console_certificate
        if names is not None and secrets.keys() >= set(names.values()):
            for problem in console_problems(secrets[names["tls.crt"]], secrets[names["tls.key"]], unit.console_hosts.values()):
                place = loaded.source.place_of(("secrets", names["tls.crt"]))
                yield Problem(place, problem, f"provide the certificate and key of {unit.key}'s consoles; a wildcard covers only one label")


def expiry_warnings(loaded: LoadedStack, secrets: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """Warnings of certificates that have expired or expire soon: no object changes by itself."""
    # What the program makes is renewed in time; its CA has a warning of its own.
    units = loaded.plan.units
    dialled = {tls.certificate: f"of {tls.server_name}" for unit in units if (tls := unit.tls) is not None and tls.provided}
    dialled |= {entry: f"of {name}" for unit in units if unit.mutual is not None for entry, name in unit.mutual.shown.items()}
    shown = {names["tls.crt"]: "of the consoles" for unit in units if (names := unit.console_certificate) is not None}
    rows = [
        (name, whose, refuser)
        for certificates, refuser in ((dialled, "peers"), (shown, "browsers"))
        for name, whose in sorted(certificates.items())
    ]
    return tuple(
        f"the certificate {whose} {'has expired' if last < now else f'expires on {last.date()}'} (fate:secrets.{name}): {refuser} refuse it"
        + ("" if last < now else " from then on")
        for name, whose, refuser in rows
        if (last := last_moment(secrets[name])) is not None and (last.date() - now.date()).days <= WARN_DAYS
    )


def weak_certificate_warnings(loaded: LoadedStack, secrets: Mapping[str, str]) -> tuple[str, ...]:
    """Warnings of certificates that work but protect less than they could."""
    units = loaded.plan.units
    ours = {tls.certificate: tls.server_name for unit in units if (tls := unit.tls) is not None and tls.provided}
    others = {entry: name for unit in units if unit.mutual is not None for entry, name in unit.mutual.shown.items()}
    consoles = {names["tls.crt"]: "the consoles" for unit in units if (names := unit.console_certificate) is not None}
    weak = [(entry, of, weakness(secrets[entry])) for entry, of in sorted({**ours, **others, **consoles}.items())]
    shared = [(entry, name, names_of_others(secrets[entry], name)) for entry, name in sorted(ours.items())]
    return (
        *(f"the certificate of {of} (fate:secrets.{entry}) {why}: provide one with 2048 bits or more" for entry, of, why in weak if why),
        *(
            f"the certificate of {name} (fate:secrets.{entry}) is for {', '.join(names)}, too: the holder of its key can impersonate them; "
            "provide a certificate for this party's name only"
            for entry, name, names in shared
            if names
        ),
    )


def missing_secrets(loaded: LoadedStack, names: frozenset[str]) -> tuple[Problem, ...]:
    """A problem for each entry of fate:secrets that the plan reads and the stack lacks."""
    return tuple(
        Problem(
            loaded.source.place_of(("secrets", name)),
            f"secret {name} is missing",
            _remedy(name, loaded.plan),
        )
        for name in loaded.plan.secret_names
        if name not in names
    )


def _remedy(name: str, plan: StackPlan, first: str = "") -> str:
    if name in plan.provided:
        return f"give {plan.provided[name]}: `pulumi config set --secret --path 'fate:secrets.{name}' < FILE`"
    return f"{first}run `fatefed keys init`"


def _once(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))
