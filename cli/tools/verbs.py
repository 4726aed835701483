"""The frame of every verb: a typed function that returns a Result becomes a command of Typer.

A function takes what it needs by name. In the place of a `Stack` the command takes -s and -C; every command takes --json. What the
function's docstring says is its help, with an example at its end. Features are imported inside the functions, so that help and completion
cost no more than Typer.
"""

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.tools.chosen import stack_taken
from cli.tools.completion import stacks
from cli.tools.errors import UsageError
from cli.tools.output import say
from cli.tools.page import Page
from cli.tools.progress import waits_no_more
from cli.tools.project import Stack
from cli.tools.terminal import shown, tell, tell_error
from federation.base.errors import FederationError

OK, FAILED, USAGE = 0, 1, 2
_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_UNTOUCHED = "No cluster is changed"
# Begins the last paragraph of a verb's docstring, a command on one line.
_EXAMPLE = "Example: "


@dataclass(frozen=True)
class Result:
    """What a verb found out: as text for people, as data for programs, as exit status."""

    text: str | Page
    data: dict[str, Any]
    code: int = OK
    # Why nothing was done, for standard error.
    refused: str = ""


Verb = Callable[..., Result]


def _help(ctx: typer.Context, _: object, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        say(ctx.get_help())
        ctx.exit()


class _PrintedHelp:
    """A command whose help is printed as everything else is: the reader may end first, and a disk may be full."""

    def get_help_option(self, ctx: Any) -> Any:
        """Typer's option, which prints by `say`."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        option.callback = _help
        return option


class _Command(_PrintedHelp, TyperCommand):
    """A verb."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The example, on one line: it is copied."""
        formatter.write(f"\n{self.epilog}\n")


class Group(_PrintedHelp, TyperGroup):
    """Verbs that share a word."""


def group(name: str, what: str, *verbs: tuple[str, Verb]) -> typer.Typer:
    """Verbs that share a word, such as `peers add` and `peers suspend`."""
    made = typer.Typer(name=name, cls=Group, help=what, short_help=what.rstrip("."), rich_markup_mode=None, add_completion=False)
    for verb, run in verbs:
        add(made, verb, run)
    return made


def add(app: typer.Typer, name: str, run: Verb) -> None:
    """Make a command of a function."""
    text, _, example = (run.__doc__ or "").partition(_EXAMPLE)
    text = " ".join(text.split())
    text_with_promise = text if _UNTOUCHED in text else f"{text} {_UNTOUCHED}."
    app.command(
        name, cls=_Command, help=text_with_promise, short_help=text_with_promise.partition(". ")[0], epilog=f"{_EXAMPLE}{example.strip()}"
    )(_command(run))


_STACK = Annotated[
    str | None, typer.Option("-s", "--stack", metavar="STACK", help="the stack's name", autocompletion=stacks, show_default=False)
]
_DIR = Annotated[
    Path | None,
    typer.Option(
        "-C", "--dir", metavar="DIR", help="the project folder, with Pulumi.yaml (default: from here upwards)", show_default=False
    ),
]
_JSON = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


def _command(run: Verb) -> Callable[..., None]:
    """The function that Typer calls, with options in the place of a stack."""
    signature = inspect.signature(run, eval_str=True)
    stack = signature.parameters.get("stack")

    @wraps(run)
    def command(*, stack_name: str | None = None, folder: Path | None = None, as_json: bool = False, **values: Any) -> None:
        _must_be_values(values)
        values |= {"as_json": as_json} if "as_json" in signature.parameters else {}
        try:
            if stack is not None:
                # A verb that takes --url needs no stack with it.
                optional = stack.default is None and stack_name is None and values.get("url", "") is not None
                values["stack"] = None if optional else _announced(*stack_taken(stack_name, folder))
            result = run(**values)
        except FederationError as error:
            tell_error(str(error))
            if as_json:
                _say_json({"problems": [{"place": p.place, "problem": p.problem, "remedy": p.remedy} for p in error.problems]})
            raise typer.Exit(FAILED) from None
        except (KeyboardInterrupt, EOFError):  # here, because Typer has a status of its own for them
            say("\nfatefed: interrupted", sys.stderr)
            raise typer.Exit(FAILED) from None
        _tell(result, as_json)
        raise typer.Exit(result.code)

    parameters = [each.replace(kind=_KEYWORD) for name, each in signature.parameters.items() if name not in ("stack", "as_json")]
    if stack is not None:
        parameters += [inspect.Parameter("stack_name", _KEYWORD, default=None, annotation=_STACK)]
        parameters += [inspect.Parameter("folder", _KEYWORD, default=None, annotation=_DIR)]
    parameters += [inspect.Parameter("as_json", _KEYWORD, default=False, annotation=_JSON)]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    del command.__wrapped__  # or Typer would read the signature of the function
    return command


def _announced(stack: Stack, why: str) -> Stack:
    """The stack; one that nobody named is said, because the verb may write to it."""
    if why:
        say(shown(f"stack {stack.name}: {why}", sys.stderr), sys.stderr)
    return stack


def _must_be_values(values: dict[str, Any]) -> None:
    """Typer takes the next word as an option's value, whatever it is."""
    for name, value in values.items():
        if str(value).startswith("--"):
            raise UsageError(f"--{name.replace('_', '-')}: expected one argument, and {value} is another option")


def _tell(result: Result, as_json: bool) -> None:
    if as_json:
        _say_json(result.data)
    elif result.text:
        tell(result.text)
    if result.refused:
        tell_error(f"fatefed: {result.refused}")


def _say_json(data: dict[str, Any]) -> None:
    say(json.dumps(data, indent=2, sort_keys=True))


def run(app: typer.Typer, arguments: Sequence[str] | None) -> int:
    """Run one verb; its exit status."""
    try:
        code = app(args=arguments, standalone_mode=False)
    except UsageError as error:
        tell_error(f"fatefed: {error}")
        return USAGE
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        if context is not None:
            say(context.get_usage(), sys.stderr)
        tell_error(f"fatefed: {error.format_message()}")
        return USAGE
    finally:
        waits_no_more()
    return code if isinstance(code, int) else OK
