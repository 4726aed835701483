"""What is told of a conversion: on the terminal, and as data for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from cli.convert.compare import certainty, has_tls
from cli.convert.convert import Conversion
from cli.convert.source import Path_, dotted
from cli.convert.writer import sorted_by_line
from cli.keys.passwords import secret_path
from federation.base.errors import escaped

_CERTIFICATES = {"-certificate": r"broker\.cert\.pem", "-key": r"broker\.key-pk8\.pem", "-ca": r"ca\.cert\.pem"}


@dataclass(frozen=True)
class SecretStep:
    """An entry of fate:secrets that the new stack wants: what it is, and the command that gives it."""

    name: str
    what: str
    command: str
    # The key of cluster.yaml that held it.
    key: str | None = None


def secret_steps(done: Conversion, stack: str) -> tuple[SecretStep, ...]:
    """A step for each entry; a new password where nothing depends on the old one."""
    plan, draft = done.loaded.plan, done.draft
    steps = []
    for name in plan.secret_names:
        held = draft.passwords.get(name)
        key = None if held is None else dotted(held)
        command = f"pulumi config set --secret --path '{secret_path(name)}' -s {stack}"
        if name in plan.data_passwords:
            source = f"its old value is at {key}" if key else "KubeFATE's default, where cluster.yaml names none: fate_dev"
            steps.append(SecretStep(name, f"{plan.data_passwords[name]} ({source})", command, key))
        elif name in plan.provided:
            steps.append(SecretStep(name, plan.provided[name], _from_cluster(done, name, command), key))
        else:
            steps.append(SecretStep(name, "a new password", f"fatefed secrets init -s {stack}", key))
    return tuple(steps)


def _from_cluster(done: Conversion, name: str, command: str) -> str:
    for end, key in _CERTIFICATES.items():
        if name.endswith(end) and "pulsar" in done.cluster.modules and has_tls(done.cluster):
            read = f"kubectl -n {done.cluster.namespace} get secret pulsar-cert -o jsonpath='{{.data.{key}}}' | base64 -d"
            return f"{read} | {command}"
    return command


def as_data(done: Conversion, file: str, stack: str) -> dict[str, Any]:
    """One conversion as JSON-like data: keys and reasons, never a value of a secret."""
    cluster, draft = done.cluster, done.draft

    def keys(rows: list[tuple[Path_, str]], word: str) -> list[dict[str, Any]]:
        return [{"key": dotted(path), "line": cluster.file.line(path), word: text} for path, text in rows]

    return {
        "source": cluster.file.name,
        "file": file,
        "stack": stack,
        "kind": cluster.kind,
        "release": cluster.release,
        "carried": keys(list(done.carried), "becomes"),
        "notCarried": keys(sorted_by_line(cluster, draft.lost), "reason"),
        "unused": keys(sorted_by_line(cluster, draft.not_used), "reason"),
        "certainty": certainty(cluster),
        "comparison": [asdict(fact) for fact in done.facts],
        "warnings": list(draft.warnings),
        "byHand": list(draft.by_hand),
        "secrets": [asdict(step) for step in secret_steps(done, stack)],
    }


def as_text(done: Conversion, file: str, stack: str) -> str:
    """One conversion for people."""
    return "\n".join(_lines(done, file, stack))


def _lines(done: Conversion, file: str, stack: str) -> Iterator[str]:
    cluster, draft = done.cluster, done.draft
    units = ", ".join(unit.key for unit in done.loaded.plan.units)
    source = escaped(cluster.file.name)
    yield f"written: {file} from {source}: {units}, {cluster.release}, {cluster.combination}; {len(done.carried)} keys carried"
    yield from (f"warning: {escaped(text)}" for text in draft.warnings)
    yield from _listed("not carried over:", [f"{dotted(path)} (line {cluster.file.line(path)}): {why}"
                                             for path, why in sorted_by_line(cluster, draft.lost)])  # fmt: skip
    yield from _listed("not used by KubeFATE either:", [f"{dotted(path)}: {why}" for path, why in sorted_by_line(cluster, draft.not_used)])
    yield from _listed("by hand, before `pulumi up`:", draft.by_hand)
    steps: dict[str, list[SecretStep]] = {}
    for step in secret_steps(done, stack):
        steps.setdefault(step.command, []).append(step)
    yield from _compared(done)
    commands = [f"{', '.join(one.name for one in same)}: {same[0].what}\n      {command}" for command, same in steps.items()]
    yield from _listed("passwords and certificates, none of which is in the file:", commands)


def _compared(done: Conversion) -> Iterator[str]:
    """The comparison as a table, with what is to be looked at marked."""
    counts = {verdict: sum(fact.verdict == verdict for fact in done.facts) for verdict in ("same", "differs", "unknown")}
    summary = ", ".join(f"{count} {_VERDICTS[verdict]}" for verdict, count in counts.items() if count)
    yield f"  before and after ({summary}); {certainty(done.cluster)}:"
    rows = [("", "before", "after"), *((fact.subject, fact.before, fact.after) for fact in done.facts)]
    subject, before = (max(len(row[number]) for row in rows) for number in (0, 1))
    for row, fact in zip(rows, (None, *done.facts), strict=True):
        mark = "" if fact is None or fact.verdict == "same" else f"  <- {_VERDICTS[fact.verdict]}"
        yield f"    {row[0]:{subject}}  {row[1]:{before}}  {row[2]}{mark}".rstrip()


_VERDICTS = {"same": "the same", "differs": "different", "unknown": "to be looked up"}


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"  {title}"
        yield from (f"    {line}" for line in lines)
