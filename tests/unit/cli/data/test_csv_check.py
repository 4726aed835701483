"""A file is read before it is sent, and each problem has its line."""

from pathlib import Path

import pytest

from cli.data.csv_check import Columns, check_csv
from cli.data.sample import LABEL, ROWS, SHARED, sample
from federation.base.errors import FederationError, Problem

GOOD = "id,y,x0\na,1,0.5\nb,0,-2e3\n"


def problems(folder: Path, text: str | bytes, id_column: str | None = None, label: str | None = None) -> tuple[Problem, ...]:
    """What is wrong in a file."""
    file = folder / "people.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FederationError) as caught:
        check_csv(file, id_column, label)
    return caught.value.problems


def test_a_good_file_has_its_first_column_for_ids(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(GOOD)
    assert check_csv(file, None, "y") == Columns("id", "y", label_is_whole=True, rows=2)


def test_windows_line_ends_and_another_id_column_are_right(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"y,patient\r\n0.5,a\r\n1,b\r\n")
    assert check_csv(file, "patient", "y") == Columns("patient", "y", label_is_whole=False, rows=2)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("\ufeff" + GOOD, 1, "byte order mark"),
        ("", 1, "column 1 has no name"),
        ("id,,x0\n", 1, "column 2 has no name"),
        ("id,x,x\na,1,2\n", 1, "names x more than once"),
        ('id,"x0"\na,1\n', 1, "quotes or blanks"),
        ("17,0.5\n18,0.5\n", 1, "looks like data"),
        (GOOD + "c,1\n", 4, "has 2 values, and the header has 3"),
        (GOOD + '"c,d",1,2\n', 4, "FATE-Flow splits at every comma, also between quotes"),
        (GOOD + "\nc,1,2\n", 4, "is empty"),
        (GOOD + " ,1,2\n", 4, "has no ID in column id"),
        (GOOD + "a,1,2\n", 4, "has the ID of line 2"),
        (GOOD + " c,1,2\n", 4, "has quotes or blanks around its ID"),
        (GOOD + '"c",1,2\n', 4, "has quotes or blanks around its ID"),
        (GOOD + "c,1,inf\n", 4, "column x0 is a text, or no finite number"),
        (GOOD + "c,1,nan\n", 4, "column x0 is a text, or no finite number"),
        (GOOD + "c,1,1e999\n", 4, "column x0 is a text, or no finite number"),
        (GOOD + "c,1,\u0663\n", 4, "column x0 is a text, or no finite number"),
        (GOOD + "c,1,\n", 4, "column x0 is empty"),
        (GOOD + "c,1,red\n", 4, "column x0 is a text"),
        (GOOD + "c,1,1_000\n", 4, "column x0 is a text"),
    ],
)
def test_each_problem_of_a_file_has_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    (only,) = problems(tmp_path, text)
    assert only.place.endswith(f"people.csv:{line}")
    assert problem in only.problem
    assert only.remedy


def test_all_problems_are_told_at_once_up_to_as_many_as_anybody_reads(tmp_path: Path) -> None:
    assert len(problems(tmp_path, GOOD + "c,1\nd,red,blue\n")) == 3
    assert len(problems(tmp_path, GOOD + "c,1\n" * 1000)) == 50


@pytest.mark.parametrize(
    "text",
    [
        "Meier,17\nSchulz,18\n",
        GOOD + "Meier,1,2\nMeier,1,2\n",
        GOOD + ' Meier,1,2\n"Meier",1,2\n',
        GOOD + "c,1,Meier\nMeier,1\n",
        "Meier,Meier,17\n",
    ],
)
def test_no_problem_repeats_a_value_and_the_head_says_that_nothing_was_sent(tmp_path: Path, text: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(FederationError) as caught:
        check_csv(file, None, "y")
    assert "Meier" not in str(caught.value)
    assert "people.csv; nothing was sent" in str(caught.value).splitlines()[0]


@pytest.mark.parametrize(("label", "whole"), [("2147483647", True), ("-2147483648", True), ("2147483648", False), ("1.0", False)])
def test_a_label_is_whole_when_each_value_fits_into_an_int32(tmp_path: Path, label: str, whole: bool) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"id,y\na,1\nb,{label}\n")
    assert check_csv(file, None, "y").label_is_whole is whole


@pytest.mark.parametrize(("id_column", "label", "option"), [("person", None, "--id"), (None, "died", "--label")])
def test_a_column_that_is_not_there_is_named_with_its_option(tmp_path: Path, id_column: str | None, label: str | None, option: str) -> None:
    (only,) = problems(tmp_path, GOOD, id_column, label)
    assert option in only.problem
    assert "id, y, x0" in only.remedy


def test_a_file_that_is_no_text_or_has_no_row_or_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "not UTF-8" in problems(tmp_path, b"id,x\n\xff,1\n")[0].problem
    assert "no row" in problems(tmp_path, "id,x\n")[0].problem
    with pytest.raises(FederationError, match="cannot be read"):
        check_csv(tmp_path / "nothing.csv", None, None)


@pytest.mark.parametrize("role", ["guest", "host"])
def test_the_samples_pass_their_own_check(tmp_path: Path, role: str) -> None:
    file = tmp_path / "sample.csv"
    file.write_text(sample(role))
    assert check_csv(file, "id", LABEL[role]).rows == ROWS


def people(role: str) -> dict[str, list[float]]:
    """A sample's rows by ID."""
    rows = [line.split(",") for line in sample(role).splitlines()[1:]]
    return {row[0]: [*map(float, row[1:])] for row in rows}


def test_the_samples_share_as_many_people_as_verify_expects() -> None:
    assert len(people("guest").keys() & people("host").keys()) == SHARED


def test_the_label_of_the_sample_can_be_learned_and_needs_the_hosts_columns() -> None:
    guest, host = people("guest"), people("host")
    shared = sorted(guest.keys() & host.keys())
    labels = [guest[one][0] for one in shared]
    assert 0.4 < sum(labels) / len(labels) < 0.6
    strongest_of_host = [host[one][0] > 0 for one in shared]
    strongest_of_guest = [guest[one][1] > 0 for one in shared]

    def agreement(column: list[bool]) -> float:
        return sum(a == bool(b) for a, b in zip(column, labels, strict=True)) / len(labels)

    assert agreement(strongest_of_host) > 0.7
    assert agreement(strongest_of_guest) < agreement(strongest_of_host) - 0.1


def test_the_sample_is_the_same_on_every_machine() -> None:
    assert sample("guest").splitlines()[:2] == FIRST_OF_GUEST


FIRST_OF_GUEST = ["id,y,x0,x1,x2", "person-0000,0,0.6888,0.5159,-0.1589"]
