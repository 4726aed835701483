"""Lists of a cluster that are kept current by watches, each by a thread of its own."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.api import Api

_PAUSE = 0.5  # seconds before the API server is asked again


@dataclass
class Watched:
    """The objects at a path of the API. Sets `changed` with the first list and with each event after it."""

    api: Api
    path: str
    changed: threading.Event
    say: Callable[[str], None]
    listed: bool = False
    _items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self) -> "Watched":
        """Begin to watch. The thread ends with the program."""
        threading.Thread(target=self._run, daemon=True, name=self.path).start()
        return self

    def items(self) -> list[dict[str, Any]]:
        """The objects as they are now."""
        return list(self._items.values())

    def _run(self) -> None:
        while True:
            try:
                version = self._list()
                while version:
                    version = self._follow(version)
            except Exception as error:  # whatever the server sends: without this thread, changes would stay unseen
                self.say(f"{self.path}: {type(error).__name__}: {error}; what was read before stays in force")
            time.sleep(_PAUSE)

    def _list(self) -> str:
        answer = self.api.get(self.path) or {}
        self._items = {_key(item): item for item in answer["items"]}
        self.listed = True
        self.changed.set()
        version: str = answer["metadata"]["resourceVersion"]
        return version

    def _follow(self, version: str) -> str:
        """The version to go on from; empty when the server has forgotten what happened since, and a new list is needed."""
        for event in self.api.watch(self.path, version):
            item = event["object"]
            if event["type"] == "ERROR":
                return ""
            version = item["metadata"]["resourceVersion"]
            if event["type"] == "BOOKMARK":
                continue
            items = dict(self._items)
            if event["type"] == "DELETED":
                items.pop(_key(item), None)
            else:
                items[_key(item)] = item
            self._items = items
            self.changed.set()
        return version


def _key(item: dict[str, Any]) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
