"""The report of `make bench`: ratios of runs that followed each other, goals, and what became slower."""

import pytest

from tests.bench.report import Row, report, slower, table

ONE = Row("one ConfigMap", "s of CPU", [1.0, 2.0, 4.0])
PARTY = Row("a party", "s of CPU", [2.0, 4.4, 8.0], ONE, limit_ratio=2.1)


def stored(row: Row, machine: str = "2 x A, 24 GiB") -> dict[str, object]:
    return {**report([row]), "machine": machine}


def test_a_ratio_is_that_of_runs_that_followed_each_other() -> None:
    assert PARTY.ratio == 2.0
    assert Row("a party", "s", [9.0], ONE).ratio == 4.5, "else of medians"
    assert ONE.ratio is None


@pytest.mark.parametrize(
    ("row", "missed"),
    [
        (PARTY, False),
        (Row("a party", "s", [2.0, 4.4, 8.8], ONE, limit_ratio=2.1), True),
        (Row("a party", "s", [7.0, 9.0, 9.5], limit=8.0), True),
        (Row("a party", "s", [7.0, 7.9, 9.5], limit=8.0), False),
        (Row("a party", "s", [7.0]), False),
    ],
)
def test_a_goal_is_missed_by_the_median_or_by_the_ratio(row: Row, missed: bool) -> None:
    assert row.missed is missed
    assert table(report([row])).count("MISSED") == missed


def test_the_table_has_a_line_for_each_row_and_names_the_machine() -> None:
    first, _, *lines = table(stored_both := report([ONE, PARTY])).splitlines()
    assert first == f"{stored_both['date']}, {stored_both['machine']}"
    assert lines[2:] == [
        "| one ConfigMap | s of CPU | 2 | 1 to 4 | 3 |  |  |  |",
        "| a party | s of CPU | 4.4 | 2 to 8 | 3 | 2 | one ConfigMap | ratio under 2.1 |",
    ]


def test_a_figure_that_grew_is_called_slower() -> None:
    grown = Row("a party", "s of CPU", [3.0, 6.0, 12.0], ONE)
    assert slower(stored(PARTY), stored(grown)) == ["slower: a party, s of CPU: ratio 2 -> 3"]
    assert slower(stored(grown), stored(PARTY)) == []
    assert slower(stored(PARTY), stored(PARTY)) == []


def test_seconds_of_another_processor_are_not_compared_and_ratios_are() -> None:
    slow = Row("one ConfigMap", "s of CPU", [2.0, 4.0, 8.0])
    assert slower(stored(ONE), stored(slow)) == ["slower: one ConfigMap, s of CPU: median 2 -> 4"]
    assert slower(stored(ONE), stored(slow, "8 x B, 64 GiB")) == []
    assert slower(stored(PARTY), stored(Row("a party", "s of CPU", [9.0] * 3, ONE), "8 x B, 64 GiB")) != []
