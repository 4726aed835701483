"""A tiny client of one API server, so that starting a cluster needs no kubectl."""

import http.client
import json
import ssl
from typing import Any

from sandbox.errors import SandboxError
from sandbox.state import Cluster

_TIMEOUT = 10.0  # seconds per request
_NOT_FOUND = 404
_FIRST_ERROR = 400


class Api:
    """The administrator's access to one cluster. Methods raise OSError while nobody listens."""

    def __init__(self, cluster: Cluster) -> None:
        self._port = cluster.port
        self._tls = ssl.create_default_context(cafile=str(cluster.pki / "ca.crt"))
        self._tls.load_cert_chain(cluster.pki / "admin.crt", cluster.pki / "admin.key")

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

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._tls, timeout=_TIMEOUT)
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
