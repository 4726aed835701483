"""The one error of the sandbox."""


class SandboxError(Exception):
    """What went wrong and, in `hint`, what to do about it."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem}\n  {hint}" if hint else problem)
        self.problem = problem
        self.hint = hint


class MissingRequirementsError(SandboxError):
    """What was asked for needs something that this machine or user does not have."""
