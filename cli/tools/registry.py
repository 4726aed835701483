"""Asks registries which digest an image's tag stands for, by the distribution API: https, the answers to whom a registry asks, mirrors.

As Docker does it: a name without a registry is Docker Hub's, and only a registry on this machine is asked without TLS.
"""

import base64
import hashlib
import json
import os
import re
import ssl
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from cli.tools.errors import FailedError
from cli.tools.progress import waits_for

_SECONDS, _BYTES = 15.0, 4 * 1024 * 1024
_HUB, _HUB_HOST, _HUB_KEY = "docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"
# An image for several platforms comes first: its digest is right on every node.
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOCAL = re.compile(r"(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
# User and password for a registry; None without.
Credentials = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True)
class Reference:
    """An image as nodes pull it: `registry`, `repository`, `tag`."""

    registry: str
    repository: str
    tag: str

    @classmethod
    def read(cls, text: str) -> "Reference":
        """Of `[registry/]path[:tag][@digest]`; what is pulled by its digest has that for a tag."""
        text, _, digest = text.partition("@")
        name, colon, tag = text.rpartition(":")
        if not colon or "/" in tag:
            name, tag = text, "latest"
        tag = digest or tag
        first, slash, rest = name.partition("/")
        if slash and (first == "localhost" or "." in first or ":" in first):
            return cls(first, rest, tag)
        return cls(_HUB, name if slash else f"library/{name}", tag)

    @property
    def host(self) -> str:
        """Who answers for the registry."""
        return _HUB_HOST if self.registry in (_HUB, "index.docker.io") else self.registry


@dataclass
class Registries:
    """Registries, and what they gave to this command. `authority`: the PEM file of a CA beside the machine's own."""

    credentials: Credentials
    authority: Path | None = None
    _tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def answers(self, host: str) -> str:
        """That somebody answers there, whatever it is. FailedError with why not."""
        try:
            self._open("GET", f"{_origin(host)}/v2/", None)
        except HTTPError as error:
            if error.code >= 500:
                raise FailedError(f"{host} answers HTTP {error.code}", "ask again later") from None
        return "it answers"

    def digest(self, text: str) -> str:
        """The digest that a reference stands for now. FailedError with why there is none, and what to do."""
        reference = Reference.read(text)
        url = f"{_origin(reference.host)}/v2/{reference.repository}/manifests/{reference.tag}"
        headers, _ = self._answer("HEAD", url, reference)
        digest = headers.get("Docker-Content-Digest", "")
        if not _DIGEST.fullmatch(digest):
            # Not every registry tells it; whoever pulls computes it.
            headers, body = self._answer("GET", url, reference)
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if (kind := headers.get_content_type()) not in _MANIFESTS:
            raise FailedError(f"{reference.host} answers with {kind}, no manifest of an image", "does a proxy answer for it?")
        return digest

    def _answer(self, method: str, url: str, reference: Reference) -> tuple[Message, bytes]:
        try:
            return self._open(method, url, self._tokens.get((reference.host, reference.repository)))
        except HTTPError as error:
            if error.code != 401:
                raise _refused(error.code, reference) from None
            asked = error.headers.get("WWW-Authenticate", "")
        token = self._tokens[reference.host, reference.repository] = self._authorization(asked, reference)
        try:
            return self._open(method, url, token)
        except HTTPError as error:
            raise _refused(error.code, reference) from None

    def _authorization(self, asked: str, reference: Reference) -> str:
        """What a registry wants to see, by its challenge: a token of whom it names, or user and password."""
        kind, _, rest = asked.partition(" ")
        known = self.credentials(_HUB_KEY if reference.host == _HUB_HOST else reference.registry)
        basic = "" if known is None else f"Basic {base64.b64encode(':'.join(known).encode()).decode()}"
        if kind.lower() == "basic" and basic:
            return basic
        challenge = dict(_CHALLENGE.findall(rest))
        realm = urlsplit(challenge.get("realm", ""))
        if kind.lower() != "bearer" or not realm.netloc:
            raise _refused(401, reference)
        if realm.scheme != "https" and not (realm.scheme == "http" and _LOCAL.fullmatch(realm.netloc)):
            raise FailedError(f"{reference.host} asks to sign in at {realm.geturl()}, without TLS", "ask its operator")
        query = urlencode({"service": challenge.get("service", ""), "scope": f"repository:{reference.repository}:pull"})
        try:
            _, body = self._open("GET", f"{realm._replace(query=query).geturl()}", basic)
            answer = json.loads(body)
            return f"Bearer {answer.get('token') or answer['access_token']}"
        except HTTPError as error:
            raise _refused(error.code, reference) from None
        except (ValueError, LookupError, AttributeError, TypeError):
            raise FailedError(f"{realm.netloc} gives no token", "does a proxy answer for it?") from None

    def _open(self, method: str, url: str, authorization: str | None) -> tuple[Message, bytes]:
        headers = {"Accept": ", ".join(_MANIFESTS), "User-Agent": "fatefed"}
        request = Request(url, method=method, headers=headers)  # noqa: S310 - https, or http on this machine
        if authorization:
            # Not handed on to where a registry redirects.
            request.add_unredirected_header("Authorization", authorization)
        waits_for(f"registry {request.host}")
        try:
            with self._opener().open(request, timeout=_SECONDS) as response:
                return response.headers, response.read(_BYTES)
        except HTTPError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            why = "its certificate is not trusted here" if isinstance(reason, ssl.SSLCertVerificationError) else str(reason) or "no answer"
            fix = "name its CA with --ca" if isinstance(reason, ssl.SSLCertVerificationError) else "is it reached from here? a proxy?"
            raise FailedError(f"{urlsplit(url).netloc}: {why.splitlines()[0]}", fix) from None

    def _opener(self) -> OpenerDirector:
        context = ssl.create_default_context()
        if self.authority is not None:
            context.load_verify_locations(self.authority)
        return build_opener(HTTPSHandler(context=context), _Redirects)


def _origin(host: str) -> str:
    return f"{'http' if _LOCAL.fullmatch(host) else 'https'}://{host}"


class _Redirects(HTTPRedirectHandler):
    """Asks there as it was asked here, and never without TLS what was asked with it."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if urlsplit(newurl).scheme not in ("https", urlsplit(req.full_url).scheme):
            raise URLError(f"redirects to {newurl}, without TLS")
        return Request(newurl, method=req.get_method(), headers=dict(req.headers), unverifiable=True)  # noqa: S310 - just looked at


def _refused(code: int, reference: Reference) -> FailedError:
    where = f"{reference.host} answers HTTP {code}"
    if code in (401, 403):
        return FailedError(f"{where}: it refuses access to {reference.repository}", "sign in: `docker login`, or name the file with --auth")
    if code == 404:
        return FailedError(f"{where}: it has no {reference.repository}:{reference.tag}", "mirror it first (`fatefed images list`)")
    return FailedError(where, "ask again later" if code in (429, 502, 503, 504) else "ask its operator")


def docker_credentials(config: Mapping[str, Any], registry: str) -> tuple[str, str] | None:
    """User and password for a registry in a Docker configuration, or from the helper that it names. FailedError when it is unusable."""
    helper = (config.get("credHelpers") or {}).get(registry) or config.get("credsStore")
    if helper and (login := _helped(str(helper), registry)) is not None:
        return login
    auths = config.get("auths") or {}
    entry = next((auths[key] for key in auths if _host(key) == _host(registry)), None) or {}
    if "auth" not in entry:
        return (entry["username"], entry["password"]) if {"username", "password"} <= entry.keys() else None
    try:
        user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
    except ValueError:
        raise FailedError(f"the entry of {registry} in the Docker configuration is not base64", "sign in again: `docker login`") from None
    return user, password


def docker_config(path: Path | None) -> Mapping[str, Any]:
    """The Docker configuration in a file; without a path, the one of this user, or an empty one. FailedError for an unusable file."""
    file = path or Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        return _config(file.read_text("utf-8"))
    except OSError as error:
        if path is None:
            return {}
        raise FailedError(f"{file} cannot be read: {error.strerror}", "correct the path") from None
    except ValueError:
        raise FailedError(f"{file} is no Docker configuration", "name a config.json, as `docker login` writes it") from None


def _config(text: str) -> Mapping[str, Any]:
    config = json.loads(text)
    if not isinstance(config, dict) or not isinstance(config.get("auths") or {}, dict):
        raise ValueError(text[:0])
    return config


def pull_secret(text: str) -> Mapping[str, Any]:
    """The Docker configuration of a dockerconfigjson. FailedError when it is none."""
    try:
        return _config(text)
    except ValueError:
        raise FailedError("the pull secret of fate:images is no dockerconfigjson", "correct it, or name another file with --auth") from None


def _host(key: str) -> str:
    """`https://registry.example/v1/` and `registry.example` are one."""
    host = key.partition("://")[2] or key
    return host.partition("/")[0]


def _helped(helper: str, registry: str) -> tuple[str, str] | None:
    if not re.fullmatch(r"[\w.-]+", helper):
        return None
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"], input=registry, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        login = json.loads(done.stdout)
        return str(login["Username"]), str(login["Secret"])
    except (OSError, ValueError, LookupError, TypeError, subprocess.TimeoutExpired):
        return None
