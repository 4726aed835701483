"""Whether registries have what nodes will pull, as far as this machine sees."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from cli.doctor.questions import SECONDS, ask
from cli.doctor.rows import Row, failed
from cli.reports.images import image_uses
from cli.tools.registry import Reference, Registries
from federation.stack.plan import StackPlan

_AT_ONCE = 8


def image_rows(plan: StackPlan, registries: Registries, seconds: float) -> list[Row]:
    """Whether each image of a plan can be had, as far as this machine sees: registries, then manifests; nothing is pulled.

    No row fails: nodes may reach registries that this machine cannot, and may sign in otherwise.
    """
    end, references = time.monotonic() + seconds, sorted({reference for _, reference, _ in image_uses(plan)})

    def asked(check: str, question: Callable[[], str], cause: Row | None = None) -> Row:
        row = ask(f"{check} from this machine", question, cause, min(SECONDS, max(1.0, end - time.monotonic())))
        return (
            replace(row, state="not readable", fix=f"{row.fix}; nodes may reach registries that this machine cannot")
            if failed([row])
            else row
        )

    def read(reference: str) -> Row:
        return asked(f"image {reference}", partial(registries.digest, reference), hosts[Reference.read(reference).host])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = sorted({Reference.read(reference).host for reference in references})
        hosts = dict(zip(names, pool.map(lambda host: asked(f"registry {host}", partial(registries.answers, host)), names), strict=True))
        return [*hosts.values(), *pool.map(read, references)]
