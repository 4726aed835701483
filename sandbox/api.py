"""A tiny client of one API server, so that starting a cluster needs no kubectl."""

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.state import Cluster

_TIMEOUT = 10.0  # seconds per request
_WATCH = 240  # seconds after which the server ends a watch; until then it says at least every minute that it is still there
_NOT_FOUND = 404
_FIRST_ERROR = 400


class Api:
    """A user's access to one cluster, by default the administrator's. Methods raise OSError while nobody listens."""

    def __init__(self, cluster: Cluster, user: str = "admin") -> None:
        self._port = cluster.port
        self._tls = _tls(cluster.pki, user)

    def ready(self) -> bool:
        """Whether /readyz says ok; False also while nobody listens."""
        try:
            return self._request("GET", "/readyz")[0] == http.client.OK
        except OSError:
            return False

    def get(self, path: str) -> dict[str, Any] | None:
        """The object or list at `path`; None when there is none."""
        code, answer = self._request("GET", path)
        return None if code == _NOT_FOUND else self._checked("GET", path, code, answer)

    def delete(self, path: str) -> None:
        """Delete an object or a collection; one that is not there counts as deleted."""
        code, answer = self._request("DELETE", path)
        if code != _NOT_FOUND:
            self._checked("DELETE", path, code, answer)

    def apply(self, path: str, body: dict[str, Any]) -> None:
        """Server-side apply under our own field manager, taking over fields that others set."""
        path = f"{path}/{body['metadata']['name']}?fieldManager=sandbox&force=true"
        code, answer = self._request("PATCH", path, json.dumps(body))
        self._checked("PATCH", path, code, answer)

    def watch(self, path: str, version: str) -> Iterator[dict[str, Any]]:
        """The events of the list at `path` since a resourceVersion, as they come, until the server ends the watch."""
        connection = self._connection(_WATCH)
        path = f"{path}?watch=1&allowWatchBookmarks=true&timeoutSeconds={_WATCH}&resourceVersion={version}"
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status >= _FIRST_ERROR:
                self._checked("GET", path, response.status, response.read())
            while line := response.readline():
                yield json.loads(line)
        except http.client.HTTPException as error:
            raise ConnectionError(f"GET {path}: {error!r}") from error
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self._port, context=self._tls, timeout=timeout)

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = self._connection(_TIMEOUT)
        try:
            connection.request(method, path, body, {"Content-Type": "application/apply-patch+yaml"} if body else {})
            response = connection.getresponse()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()

    @staticmethod
    def _checked(method: str, path: str, code: int, answer: bytes) -> dict[str, Any]:
        if code >= _FIRST_ERROR:
            raise SandboxError(f"{method} {path}: HTTP {code}: {answer.decode(errors='replace')[:500]}")
        parsed: dict[str, Any] = json.loads(answer)
        return parsed


def _tls(pki: Path, user: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / f"{user}.crt", pki / f"{user}.key")
    return context
