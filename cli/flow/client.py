"""FATE-Flow 2.x over its REST API: what it answers, and how a call can fail."""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

# An answer of a FATE-Flow that is well takes far less; a submitted job calls every party first, three times 10 s each.
_SECONDS = 60.0
_CHUNK = 1024 * 1024
# ReturnCode of FATE-Flow 2.x (fate_flow/entity/code/_api.py).
OK, STANDALONE, NO_TABLE = 0, 3000, 7001

# Makes a connection whose calls wait that many seconds.
Connect = Callable[[float], HTTPConnection]


class FlowUnreachable(Exception):
    """No answer of FATE-Flow came: why."""


@dataclass(frozen=True)
class Answer:
    """What FATE-Flow says to a call. `code`: 0 when it did what was asked. Every text may come from elsewhere."""

    code: int
    message: str
    data: Any = None
    job_id: str = ""

    def field(self, name: str) -> Any:
        """A field of its data. FlowUnreachable when there is none."""
        value = self.data.get(name) if isinstance(self.data, dict) else None
        if value is None:
            raise FlowUnreachable(f"FATE-Flow answers without {name}")
        return value


class Flow:
    """One FATE-Flow. Each method raises FlowUnreachable when no answer comes."""

    def __init__(self, connect: Connect, seconds: float = _SECONDS) -> None:
        self._connect, self._seconds = connect, seconds

    def get(self, path: str, **wanted: str) -> Answer:
        """Ask, such as `job/query`, with a query."""
        return self._call("GET", f"{path}?{urlencode(wanted)}")

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Ask for something to be done."""
        text = json.dumps(body).encode()
        return self._call("POST", path, [text], {"Content-Type": "application/json", "Content-Length": str(len(text))})

    def send(self, path: str, fields: Mapping[str, str], file: Path, sent: Callable[[int], None] = lambda _: None) -> Answer:
        """Send a file in a form. `sent`: told how many bytes of it have gone."""
        boundary = secrets.token_hex(16)
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
        )
        head += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="data.csv"\r\n\r\n'
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = len(head.encode()) + file.stat().st_size + len(tail)

        def parts() -> Iterator[bytes]:
            yield head.encode()
            done = 0
            with file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
                    sent(done := done + len(chunk))
            yield tail

        return self._call("POST", path, parts(), {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size)})

    def _call(self, method: str, path: str, body: Iterable[bytes] | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        try:
            with closing(self._connect(self._seconds)) as connection:
                connection.request(method, f"/v2/{path}", body, {"Connection": "close", **(headers or {})})
                response = connection.getresponse()
                text = response.read()
        except TimeoutError:
            raise FlowUnreachable(f"no answer within {self._seconds:.0f} s") from None
        except (OSError, HTTPException) as error:
            raise FlowUnreachable(getattr(error, "strerror", None) or str(error) or type(error).__name__) from None
        return _answer(response.status, text)


def _answer(status: int, text: bytes) -> Answer:
    try:
        body = json.loads(text)
        return Answer(int(body["code"]), str(body.get("message", "")), body.get("data"), str(body.get("job_id", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        what = "FATE 1.x answers there" if b'"retcode"' in text else "what answers is no FATE-Flow of FATE 2.x"
        raise FlowUnreachable(f"{what} (HTTP status {status})") from None
