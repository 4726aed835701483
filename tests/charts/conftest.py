"""What the matrix rendered, said at the end of a run."""

import pytest

_RENDERED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def rendered(request: pytest.FixtureRequest) -> list[str]:
    """The names of what the matrix has rendered so far."""
    return request.config.stash.setdefault(_RENDERED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The number, when the matrix was part of the run."""
    if found := config.stash.get(_RENDERED, []):
        terminalreporter.write_line(f"matrix: {len(found)} combinations of release, engines, device and algorithm rendered by helm")
