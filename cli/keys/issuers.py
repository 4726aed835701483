"""What a CA Issuer of cert-manager is made from: files of a new CA, and the commands that hand them over. The stack never has its key."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cli.tools.errors import CommandError
from cli.tools.files import shown
from cli.tools.yaml_objects import object_text
from federation.base import naming
from federation.base.scalars import PartyId
from federation.config.trust import CERT_MANAGER_GROUP, CertificateIssuer
from federation.pki.authority_form import authority_problems, day_problems, form_problems

# Where cert-manager looks for the Secrets of ClusterIssuers, unless it was told otherwise.
_CLUSTER_NAMESPACE = "cert-manager"
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Source:
    """Where the CA of a party comes from whose certificate cert-manager makes: a new one, as files here, or one that exists."""

    folder: Path | None = None
    authority: Path | None = None

    def check(self, place: str) -> None:
        """CommandError unless it says one of the two."""
        if (self.folder is None) == (self.authority is None):
            problem = "cert-manager signs for it, so its CA's key does not belong in fate:secrets"
            remedy = "make a CA with --issuer-files DIR, or name the public certificate of the Issuer's CA with --authority FILE"
            raise CommandError(place, problem if self.folder is None else "--issuer-files and --authority exclude each other", remedy)


def existing_authority(file: Path, party: PartyId, domain: str, today: date) -> str:
    """The certificate of an existing CA. CommandError unless peers would accept it."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_MAX_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            shown(file), f"cannot be read: {getattr(error, 'strerror', None) or error}", "name the PEM file of the CA's public certificate"
        ) from None
    if "PRIVATE KEY" in text:
        raise CommandError(shown(file), "holds a private key, which stays with the Issuer", "name a file with the certificate only")
    if problems := authority_problems(text, party, domain) or (*form_problems(text, party), *day_problems(text, today)):
        remedy = "make a CA with --issuer-files DIR: docs/guides/trust.md says what peers accept"
        raise CommandError(shown(file), "; ".join(problems), remedy)
    return text


def write_issuer(folder: Path, party: PartyId, namespace: str, issuer: CertificateIssuer, number: str, files: Mapping[str, str]) -> None:
    """The new CA's key and certificate, and its Issuer, for their owner's eyes only. CommandError for a file that is there."""
    named = {_path(folder, party, number, kind): text for kind, text in {**files, "yaml": _issuer(namespace, issuer)}.items()}
    for path in named:
        if path.exists() or path.is_symlink():
            raise CommandError(shown(path), "is there already", "name another folder: the key of a CA is not overwritten")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, text in named.items():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
                opened.write(text)
    except OSError as error:
        raise CommandError(shown(folder), f"cannot be written: {error.strerror}", "name another folder") from None


def must_be_ours(party: PartyId, issuer: CertificateIssuer) -> None:
    """CommandError for an Issuer that no files are known for."""
    if issuer.group != CERT_MANAGER_GROUP:
        remedy = "name the public certificate of its CA with --authority FILE"
        raise CommandError(f"party {party}", f"what a {issuer.kind} of {issuer.group} is made from is not known here", remedy)


def hand_over(folder: Path, party: PartyId, namespace: str, issuer: CertificateIssuer, number: str) -> tuple[str, ...]:
    """The commands that make an Issuer from the files, in their order."""
    crt, key, manifest = (shlex.quote(shown(_path(folder, party, number, kind))) for kind in ("crt", "key", "yaml"))
    home = _home(namespace, issuer)
    return (
        f"`kubectl create namespace {home}`, unless it is there",
        f"`kubectl create secret tls {issuer.name} --namespace {home} --cert={crt} --key={key}`",
        f"`kubectl apply --filename {manifest}`",
        f"move {key} to where you keep keys, out of this machine",
    )


def _home(namespace: str, issuer: CertificateIssuer) -> str:
    """The namespace of an Issuer's Secret."""
    return namespace if issuer.kind == "Issuer" else _CLUSTER_NAMESPACE


def _path(folder: Path, party: PartyId, number: str, kind: str) -> Path:
    return folder / f"{naming.party_key(party)}-ca-{number}.{kind}"


def _issuer(namespace: str, issuer: CertificateIssuer) -> str:
    place = {"namespace": namespace} if issuer.kind == "Issuer" else {}
    return object_text(
        {
            "apiVersion": f"{CERT_MANAGER_GROUP}/v1",
            "kind": issuer.kind,
            "metadata": {"name": issuer.name, **place},
            "spec": {"ca": {"secretName": issuer.name}},
        }
    )
