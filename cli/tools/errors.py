"""What fatefed raises beside the problems of a configuration."""

from federation.base.errors import FederationError, Problem


class UsageError(Exception):
    """The command was not given what it needs: exit status 2."""


class CommandError(FederationError):
    """One thing that kept a command from its work, where `nothing was changed` would say too much or too little."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        error = Problem(place, problem, remedy)
        super().__init__([error])
        self.args = (str(error),)


class FailedError(Exception):
    """A check that failed: the problem, and how to fix it. Neither may hold a secret."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem, self.fix = problem, fix


class NotReadableError(FailedError):
    """A check whose answer cannot be had from here: why, and how to find out."""
