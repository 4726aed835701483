"""What fatefed raises beside the problems of a configuration."""

from federation.errors import FederationError, Problem


class UsageError(Exception):
    """The command was not given what it needs: exit status 2."""


class CommandError(FederationError):
    """One thing that kept a command from its work, where `nothing was changed` would say too much or too little."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        found = Problem(place, problem, remedy)
        super().__init__([found])
        self.args = (str(found),)
