"""Questions of `fatefed doctor` to a server: each becomes a row, within a limit of time."""

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from traceback import extract_tb

from cli.doctor.rows import Row, skipped
from cli.tools.errors import FailedError, NotReadableError
from cli.tools.progress import waits_for
from federation.base.errors import FederationError

# At most, for one question.
SECONDS = 10.0


def guarded(check: str, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, and a failed one in the place of those that an answer of an unforeseen form prevents: no other check ends with it."""
    try:
        yield from rows
    except FederationError:
        raise
    except Exception as error:
        place = extract_tb(error.__traceback__)[-1]
        why = f"an unexpected answer ({type(error).__name__} at {Path(place.filename).name}:{place.lineno})"
        yield Row(check, "failed", why, "check that it is that server; if it is, report a bug")


def ask(check: str, question: Callable[[], str], cause: Row | None = None, seconds: float = SECONDS) -> Row:
    """A question that returns what the server answered, or raises one of the errors above; one that does not end in time has failed.

    `cause`: the row that it rests on: when that is not ok, it is not asked.
    """
    if cause is not None and cause.state != "ok":
        return skipped(check, cause)
    waits_for(check)
    answers: list[Row] = []

    def answer() -> None:
        try:
            answers.append(Row(f"{check}: {question()}", "ok"))
        except NotReadableError as error:
            answers.append(Row(check, "not readable", error.problem, error.fix))
        except FailedError as error:
            answers.append(Row(check, "failed", error.problem, error.fix))
        except Exception as error:
            # An answer of another kind than the server's documentation says.
            answers.append(Row(check, "failed", f"an unexpected answer ({type(error).__name__})", "check that it is that server"))

    # A thread of its own, because a server that sends a byte now and then outlives any timeout of a socket.
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    thread.join(seconds)
    fix = "check whether the server is overloaded, or a firewall drops packets"
    return answers[0] if answers else Row(check, "failed", f"no answer within {seconds:.0f} s", fix)
