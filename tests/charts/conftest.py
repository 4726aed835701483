"""What the matrix rendered, said at the end of a run."""

from typing import Any

import pytest

_RENDERED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def rendered(request: pytest.FixtureRequest) -> list[str]:
    """The names of what the matrix has rendered so far."""
    return request.config.stash.setdefault(_RENDERED, [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist hands its list to the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["rendered"] = session.config.stash.get(_RENDERED, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a process of pytest-xdist has rendered."""
    node.config.stash.setdefault(_RENDERED, []).extend(node.workeroutput.get("rendered", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The number, when the matrix was part of the run."""
    if found := config.stash.get(_RENDERED, []):
        terminalreporter.write_line(f"matrix: {len(found)} combinations of release, engines, device and algorithm rendered by helm")
