"""Places in the stack file, and pydantic's errors as problems."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from federation.base.errors import FederationError, Problem
from federation.base.model_errors import problems_of
from federation.config.file import StackSource
from federation.config.stack import StackSpec
from tests.support.configs import party, stack

TEXT = """\
# a comment
config:
  fate:organization: bank-a
  fate:parties:
    "9999":
      namespace: fate-9999
      modules:
        nginx:
          tolerations:
            - key: first
            - key: second
              value: x
    10000: {namespace: fate-10000}
  fate:secrets:
    mysql: {secure: AAA}
    root: {secure: BBB}
  other:key: 1
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "s.yaml"),
        (("organization",), "s.yaml:3 fate:organization"),
        (("parties", "9999"), "s.yaml:5 fate:parties.9999"),
        (("parties", "9999", "namespace"), "s.yaml:6 fate:parties.9999.namespace"),
        (("parties", "10000", "namespace"), "s.yaml:13 fate:parties.10000.namespace"),
        (
            ("parties", "9999", "modules", "nginx", "tolerations", "1", "value"),
            "s.yaml:12 fate:parties.9999.modules.nginx.tolerations.1.value",
        ),
        (("parties", "9999", "release"), "s.yaml:5 fate:parties.9999.release"),
        (("parties", "7", "namespace"), "s.yaml:4 fate:parties.7.namespace"),
        (
            ("parties", "9999", "modules", "nginx", "tolerations", "7", "key"),
            "s.yaml:9 fate:parties.9999.modules.nginx.tolerations.7.key",
        ),
        (("exchange",), "s.yaml fate:exchange"),
        (("secrets", "root"), "s.yaml:16 fate:secrets.root"),
    ],
)
def test_a_place_is_the_line_of_the_nearest_key_that_is_written(path: tuple[str, ...], place: str) -> None:
    assert StackSource(TEXT, "s.yaml").place_of(path) == place


def test_the_configuration_is_what_stands_under_fate_without_the_secrets() -> None:
    source = StackSource(TEXT, "s.yaml")
    assert set(source.config()) == {"organization", "parties"}
    assert source.config()["organization"] == "bank-a"
    assert source.secret_names() == {"mysql", "root"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "config:\n", "config: {}\n", "encryptionsalt: v1:x\n"])
def test_a_file_without_configuration_has_none(text: str) -> None:
    source = StackSource(text, "s.yaml")
    assert source.config() == {}
    assert source.secret_names() == frozenset()
    assert source.duplicates() == ()


def test_every_key_written_twice_is_told_at_its_second_line() -> None:
    text = "config:\n  fate:organization: a\n  fate:parties:\n    1: {}\n    '1': {namespace: x, namespace: y}\n  fate:organization: b\n"
    found = StackSource(text, "s.yaml").duplicates()
    assert {(problem.place, problem.problem) for problem in found} == {
        ("s.yaml:5 fate:parties.1", "1 is written twice"),
        ("s.yaml:5 fate:parties.1.namespace", "namespace is written twice"),
        ("s.yaml:6 fate:organization", "organization is written twice"),
    }
    assert all(problem.remedy == "keep one of them" for problem in found)


@pytest.mark.parametrize("spelling", ["0x270F", "9_999", "023417", "2:46:39", "+9999"])
def test_two_spellings_of_one_number_are_one_key(spelling: str) -> None:
    """Of two parties one would be left out in silence."""
    (found,) = StackSource(f'config:\n  fate:parties:\n    "9999": {{}}\n    {spelling}: {{}}\n', "s.yaml").duplicates()
    assert (found.place, found.problem) == ("s.yaml:4 fate:parties.9999", "9999 is written twice")


MERGED = """\
config:
  fate:parties:
    1: &usual
      namespace: a
      release: 1.11.2
    2:
      <<: *usual
      namespace: b
      release: 1.9.0
"""


def test_a_key_that_wins_over_a_merged_one_is_no_duplicate_and_has_its_own_line() -> None:
    source = StackSource(MERGED, "s.yaml")
    assert source.duplicates() == ()
    assert source.config()["parties"][2] == {"namespace": "b", "release": "1.9.0"}
    assert source.place_of(("parties", "2", "release")) == "s.yaml:9 fate:parties.2.release"
    assert source.place_of(("parties", "1", "release")) == "s.yaml:5 fate:parties.1.release"


def test_a_key_written_twice_beside_a_merge_is_told() -> None:
    (found,) = StackSource(MERGED + "      namespace: c\n", "s.yaml").duplicates()
    assert found.place == "s.yaml:10 fate:parties.2.namespace"


def test_the_same_key_in_two_mappings_is_no_duplicate() -> None:
    assert StackSource("config:\n  fate:parties:\n    1: {namespace: a}\n    2: {namespace: b}\n", "s.yaml").duplicates() == ()


def test_a_file_is_read_under_the_name_the_user_knows(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(TEXT)
    assert StackSource.read(tmp_path / "x.yaml", "stacks/x.yaml").place_of(("organization",)) == "stacks/x.yaml:3 fate:organization"
    with pytest.raises(FederationError, match=r"stacks/y\.yaml: cannot be read"):
        StackSource.read(tmp_path / "y.yaml", "stacks/y.yaml")


def problems(**changes: Any) -> list[Problem]:
    """What is wrong with a party that is changed so, with plain paths as places."""
    config = stack("bank-a", parties={"9999": {**party(), **changes}})
    with pytest.raises(ValidationError) as caught:
        StackSpec.model_validate(config)
    return list(problems_of(caught.value, StackSpec, ".".join))


@pytest.mark.parametrize(
    ("change", "place", "remedy"),
    [
        ({"namspace": "x"}, "parties.9999.namspace", "did you mean 'namespace'?"),
        ({"persistance": "x"}, "parties.9999.persistance", "did you mean 'persistence'?"),
        ({"modules": {"spark": {"worker": {"replica": 1}}}}, "parties.9999.modules.spark.worker.replica", "did you mean 'replicas'?"),
        ({"modules": {"mysql": {"image": {"digset": "x"}}}}, "parties.9999.modules.mysql.image.digset", "did you mean 'digest'?"),
        (
            {"modules": {"mysql": {"tolerations": [{"efect": "x"}]}}},
            "parties.9999.modules.mysql.tolerations.0.efect",
            "did you mean 'effect'?",
        ),
        ({"modules": {"mysql": {"zzz": 1}}}, "parties.9999.modules.mysql.zzz", "remove it; known keys here: affinity, annotations,"),
        ({"publish": {**party()["publish"], "Pulsar": {}}}, "parties.9999.publish.Pulsar", "did you mean 'pulsar'?"),
        (
            {"publish": {"nginx": {"type": "ClusterIP", "http_prt": 1}, "pulsar": {"type": "ClusterIP"}}},
            "parties.9999.publish.nginx.http_prt",
            "did you mean 'httpPort'?",
        ),
    ],
)
def test_an_unknown_key_comes_with_the_known_one_it_resembles(change: dict[str, Any], place: str, remedy: str) -> None:
    (problem,) = problems(**change)
    assert problem.place == place
    assert problem.problem == f"unknown key {place.rsplit('.', 1)[-1]!r}"
    assert problem.remedy.startswith(remedy), problem.remedy


def test_a_key_inside_one_form_of_a_value_with_two_forms_is_told_at_its_path() -> None:
    found = problems(persistence={"storageClas": "fast"})
    assert Problem("parties.9999.persistence.storageClas", "unknown key 'storageClas'", "did you mean 'storageClass'?") in found
    assert {problem.place for problem in found} <= {"parties.9999.persistence.storageClas", "parties.9999.persistence"}


def test_a_missing_key_comes_with_what_it_means() -> None:
    publish: dict[str, Any] = {"pulsar": {"type": "LoadBalancer"}, "nginx": {}}
    (problem,) = problems(publish=publish)
    assert (problem.place, problem.problem) == ("parties.9999.publish.nginx.type", "type is missing")
    (problem,) = problems(publish={**party()["publish"], "nginx": {"type": "NodePort", "advertise": {}}})
    assert (problem.place, problem.problem) == ("parties.9999.publish.nginx.advertise.host", "host is missing")
    assert problem.remedy == "add it: Host name or IP address that peers dial."


def test_names_of_maps_stay_in_the_path_whatever_their_spelling() -> None:
    for name in ("TZ", "Upper.Case", "[odd]"):
        (problem,) = problems(modules={"fateflow": {"nodeSelector": {name: 5}}})
        assert problem.place == f"parties.9999.modules.fateflow.nodeSelector.{name}"


def test_problems_are_numbered_and_counted() -> None:
    one, two = Problem("a", "b", "c"), Problem("d", "e", "f")
    assert str(FederationError([one])) == "1 problem in the configuration; nothing was changed\n  1. a: b\n    remedy: c"
    assert str(FederationError([one, two])).splitlines()[0] == "2 problems in the configuration; nothing was changed"
    assert str(FederationError([one, two])).count("remedy: ") == 2


@pytest.mark.parametrize("by", ["a list", "a merge"])
def test_a_bomb_of_aliases_is_refused(by: str) -> None:
    """Nine levels of nine: 387 million values in a few hundred bytes."""
    first = "  k0: &k0 [x, x]\n" if by == "a list" else "  k0: &k0 {x: x}\n"
    levels = [
        f"  k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]\n"
        if by == "a list"
        else f"  k{n}: &k{n} {{{', '.join(f'a{i}: *k{n - 1}' for i in range(9))}}}\n"
        for n in range(1, 10)
    ]
    with pytest.raises(FederationError, match="aliases"):
        StackSource("config:\n" + first + "".join(levels), "s.yaml")


def test_an_alias_or_two_are_no_bomb() -> None:
    text = "config:\n  fate:a: &a {x: 1}\n  fate:b: *a\n  fate:c: *a\n"
    assert StackSource(text, "s.yaml").config() == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1}}
