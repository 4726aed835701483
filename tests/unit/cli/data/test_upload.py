"""A file becomes a table: what is said when FATE-Flow fails on the way."""

from pathlib import Path
from typing import Any

import pytest

from cli.data.csv_check import Columns
from cli.data.upload import Source, Table, upload
from cli.flow.client import NO_TABLE, Answer, Flow, FlowUnreachable
from cli.tools.errors import CommandError

TABLE = Table("fatefed", "people")
SOURCE = Source(None, Columns("id", None), "/datasets/people.csv")


class Tables(Flow):
    """A FATE-Flow with or without a table, which then answers an upload in one way."""

    def __init__(self, rows: int | None, answer: Answer | FlowUnreachable) -> None:
        self.rows, self.answer = rows, answer

    def get(self, path: str, **wanted: str) -> Answer:
        if path == "table/query":
            return Answer(NO_TABLE, "no") if self.rows is None else Answer(0, "success", {"count": self.rows})
        return Answer(0, "success", [{"status": "failed"}] if path == "job/query" else [])

    def post(self, path: str, body: Any) -> Answer:
        if path == "table/delete":
            self.rows = None
            return Answer(0, "success")
        if isinstance(self.answer, FlowUnreachable):
            raise self.answer
        return self.answer


FAILURES = [(Answer(1001, "full"), "1001: full"), (FlowUnreachable("refused"), "refused"), (Answer(0, "", None, "7"), "ended as failed")]


@pytest.mark.parametrize(("answer", "reason"), FAILURES)
def test_each_failure_after_the_old_table_was_deleted_says_so(answer: Answer | FlowUnreachable, reason: str) -> None:
    flow = Tables(569, answer)
    with pytest.raises(CommandError) as caught:
        upload(flow, SOURCE, TABLE, 4, 60, replace=True)
    assert flow.rows is None
    assert reason in str(caught.value)
    assert "the table that was there, with 569 rows, is deleted" in str(caught.value)


@pytest.mark.parametrize(("answer", "reason"), FAILURES)
def test_a_failure_where_no_table_was_names_none(answer: Answer | FlowUnreachable, reason: str) -> None:
    with pytest.raises((CommandError, FlowUnreachable)) as caught:
        upload(Tables(None, answer), SOURCE, TABLE, 4, 60, replace=True)
    assert reason in str(caught.value)
    assert "deleted" not in str(caught.value)


def test_a_table_is_not_deleted_without_replace(tmp_path: Path) -> None:
    flow = Tables(569, Answer(0, "success"))
    with pytest.raises(CommandError, match="exists, with 569 rows"):
        upload(flow, SOURCE, TABLE, 4, 60)
    assert flow.rows == 569
