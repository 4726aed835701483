"""What FATE-Flow's answers mean: which hop of a link fails, and who has to act.

The texts are those of FATE 2.2.0, as real jobs showed them (tests/unit/cli/verify/answers.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cli.flow.client import NO_TABLE, STANDALONE, Answer
from cli.flow.jobs import SUCCESS, Job
from cli.tools.text import one_line

_LONGEST_REASON = 300
# `'host': {'10000': {'code': 104, 'message': '...'}}` in what FATE-Flow says of a job that a party did not take.
_OF_PARTY = re.compile(r"""'(\w+)': \{'code': (\d+), 'message': (?:'(.*?)'|"(.*?)")\}""", re.DOTALL)
_NOT_PASSED_ON = 104


@dataclass(frozen=True)
class Link:
    """Two parties. `exchange`: its name, when their link goes through one; None: directly, or (`known`: False) nobody said."""

    own: str
    peer: str
    exchange: str | None = None
    known: bool = True

    def __str__(self) -> str:
        if not self.known:
            return f"party {self.peer}"
        return f"party {self.peer}, {f'through exchange {self.exchange}' if self.exchange else 'directly'}"

    @property
    def hops(self) -> str:
        """What lies behind the own proxy."""
        through = f"exchange {self.exchange}, then " if self.exchange else "the exchange, if there is one, then " if not self.known else ""
        return f"{through}the proxy and FATE-Flow of party {self.peer}"


@dataclass(frozen=True)
class Failure:
    """What failed, with the hop, and who has to do what."""

    problem: str
    fix: str


@dataclass(frozen=True)
class _Meaning:
    """Of a text in an answer. `problem` and `fix` may name {own}, {peer} and {hops}."""

    pattern: str
    problem: str
    fix: str


_ASK = "`fatefed doctor --peers` asks each hop of yours; if it is content, "
# Of an answer about a call to the peer; the first that fits.
_CALLS = (
    _Meaning(
        r"Max retries exceeded.*(?:refused|No route|Name or service|resolution)|StatusCode.UNAVAILABLE.*(?:refused|DNS)",
        "the control plane ends at the first hop: FATE-Flow cannot reach its own proxy (nginx or OSX)",
        "you: `fatefed doctor` says how the proxy's pod is",
    ),
    _Meaning(
        r"timed out|DEADLINE_EXCEEDED|504 ",
        "the control plane to party {peer} swallows calls: your proxy took the call, and no answer came in time",
        f"{_ASK}a firewall on the way drops packets: send `fatefed firewall` to your network team; behind it are {{hops}}",
    ),
    _Meaning(
        r"403 ",
        "a proxy on the way refuses calls to party {peer}",
        "the operators of {hops}: they must accept your party {own}, and must not have suspended it",
    ),
    _Meaning(
        r"404 ",
        "a proxy on the way knows no route to party {peer}",
        f"{_ASK}the operators of {{hops}}: they must know party {{peer}} and {{own}}",
    ),
    _Meaning(
        r"50[023] |UNAVAILABLE",
        "the control plane to party {peer} is cut behind your own proxy: it answered, and the next hop did not",
        f"{_ASK}in this order the operators of {{hops}}: is it up, and does its route to {{peer}} lead there?",
    ),
)


def of_refused(answer: Answer, link: Link | None) -> Failure:
    """Why FATE-Flow did not take a job. `link`: None: it was for the own party only."""
    refusals = [(party, int(code), one or other) for party, code, one, other in _OF_PARTY.findall(answer.message) if code != "0"]
    party, code, text = refusals[0] if refusals else ("", answer.code, answer.message)
    if link is None or party == link.own or (not party and code == _NOT_PASSED_ON):
        if code == _NOT_PASSED_ON:
            return Failure(
                f"FATE-Flow cannot call itself through its own proxy: {_short(text)}",
                "you: `fatefed doctor` says how nginx or OSX is, and whether its route file is the planned one",
            )
        return Failure(f"FATE-Flow refuses the job with code {code}: {_short(text)}", "you: `fatefed logs fateflow` says why")
    if not party:
        return Failure(f"FATE-Flow refuses the job with code {code}: {_short(text)}", "you: `fatefed logs fateflow` says why")
    if code != _NOT_PASSED_ON:
        return Failure(
            f"FATE-Flow of party {party} was reached, and refuses the job with code {code}: {_short(text)}",
            f"the operator of party {party}",
        )
    for row in _CALLS:
        if re.search(row.pattern, text, re.DOTALL):
            return _filled(row, link, text)
    return Failure(f"no call reaches party {party}: {_short(text)}", f"{_ASK}the operators of {link.hops}")


def of_ended(job: Job, link: Link, peer_table: str | None) -> Failure:
    """Why a job failed. `peer_table`: the one that it reads at the peer."""
    broken = next((task for task in job.tasks if task.own not in (SUCCESS, "waiting") and task.error), None)
    if broken is not None:
        if f'"code":{NO_TABLE}' in broken.error:
            return Failure(f"task {broken.name}: the own table is gone: {_short(broken.error)}", "you: run this again")
        return Failure(
            f"task {broken.name} failed at the own party {link.own}: {_short(broken.error)}",
            f"you: `fatefed logs fateflow` around job {job.id}; out of memory and missing cores are the usual reasons",
        )
    stopped = next((task for task in job.tasks if task.status not in (SUCCESS, "waiting")), None)
    name = stopped.name if stopped else "the job"
    if peer_table is not None and stopped is not None and stopped.name.startswith("reader"):
        return Failure(
            f"task {name} failed at party {link.peer}: its table {peer_table} is missing, as far as can be told from here",
            f"the operator of party {link.peer}: `fatefed data upload --sample {peer_table.rpartition('-')[2]}`, once; then run this again",
        )
    return Failure(
        f"task {name} failed at party {link.peer}; its own FATE-Flow has the reason",
        f"the operator of party {link.peer}: `fatefed logs fateflow` around job {job.id}",
    )


def of_late(job: Job, link: Link, evidence: Sequence[str]) -> Failure:
    """Why a job made no progress until the time was over. `evidence`: what the broker said of its links meanwhile."""
    stopped = f"; the job was {job.status} after {job.seconds:.0f} s, and is stopped"
    running = next((task for task in job.tasks if task.status == "running"), None)
    if running is None:
        return Failure(
            f"no task of the job began: the parties wait for free cores{stopped}",
            "you, then the operator of the peer: another job may hold all cores (docs/guides/running-jobs.md)",
        )
    if running.own == SUCCESS:
        return Failure(
            f"task {running.name} is done here, and party {link.peer} does not report its own as done{stopped}",
            f"the operator of party {link.peer}: `fatefed doctor --peers`: can it call party {link.own}? `fatefed logs fateflow` has more",
        )
    if evidence:
        return Failure(
            f"data plane: task {running.name} waits for data of party {link.peer}; {'; '.join(evidence)}{stopped}",
            f"you: `fatefed doctor --peers`, and the route of {link.peer}; then the operators of {link.hops}",
        )
    return Failure(
        f"data plane: both parties began task {running.name}, and no data came through{stopped}",
        f"{_ASK}the operators of {link.hops}: the data of Pulsar and RabbitMQ takes another port than calls; both directions must be open",
    )


def of_site(answer: Answer) -> Failure:
    """Why FATE-Flow does not say who it is."""
    if answer.code == STANDALONE:
        return Failure("FATE-Flow runs alone: its federation engine is `standalone`", "you: deploy a party with a federation engine")
    return Failure(f"FATE-Flow answers {answer.code}: {_short(answer.message)}", "you: `fatefed logs fateflow` says why")


def _filled(row: _Meaning, link: Link, text: str) -> Failure:
    words = {"own": link.own, "peer": link.peer, "hops": link.hops}
    return Failure(f"{row.problem.format(**words)} ({_short(text)})", row.fix.format(**words))


def _short(text: str) -> str:
    """The end of a text, which says most in what Python wrote."""
    line = one_line(text)
    return line if len(line) <= _LONGEST_REASON else f"...{line[-_LONGEST_REASON:]}"
