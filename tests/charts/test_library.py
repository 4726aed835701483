"""The chart library: each chart carries it by a link, as files in its archive, and nothing is in two charts."""

import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.charts.cases import EXCHANGE, PARTY, PORTAL, SERVING, Case
from tests.support.helm import CHARTS, helm, helm_template

LIBRARY = CHARTS / "fate-common"
EXAMPLES = [PARTY, EXCHANGE, SERVING, PORTAL]


def packaged(case: Case, folder: Path) -> Path:
    """The archive that `helm package` makes of a chart."""
    subprocess.run([helm(), "package", case.chart, "--destination", folder], check=True, capture_output=True)
    (archive,) = folder.glob("*.tgz")
    return archive


def test_every_chart_carries_the_library_by_a_link_and_names_its_version() -> None:
    charts = {path.parent for path in CHARTS.glob("*/Chart.yaml")} - {LIBRARY}
    assert charts == {case.chart for case in EXAMPLES}
    version = yaml.safe_load((LIBRARY / "Chart.yaml").read_text())["version"]
    for chart in charts:
        assert yaml.safe_load((chart / "Chart.yaml").read_text())["dependencies"] == [
            {"name": "fate-common", "version": version, "repository": "file://../fate-common"}
        ]
        assert (chart / "charts/fate-common").readlink() == Path("../../fate-common"), "within the repository, wherever that is"


@pytest.mark.parametrize("case", EXAMPLES, ids=str)
def test_an_archive_holds_the_library_and_renders_as_the_folder_does(case: Case, tmp_path: Path) -> None:
    archive = packaged(case, tmp_path)
    with tarfile.open(archive) as tar:
        inside = {member.name: member for member in tar.getmembers()}
        assert all(member.isfile() for member in inside.values())
        for path in (path for path in LIBRARY.rglob("*") if path.is_file()):
            file = tar.extractfile(f"{case.chart.name}/charts/fate-common/{path.relative_to(LIBRARY)}")
            assert file is not None
            assert path.name == "Chart.yaml" or file.read() == path.read_bytes(), path
    assert helm_template(archive, case.values) == case.render() != []


@pytest.mark.parametrize("case", EXAMPLES, ids=str)
def test_helm_lint_finds_no_fault(case: Case) -> None:
    command = [helm(), "lint", "--strict", case.chart, "--values", case.chart / "example-values.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_stands_in_two_charts() -> None:
    shipped = [path for path in CHARTS.glob("*/files/*") if path.is_file()]
    assert len(shipped) > 5
    assert len({path.name for path in shipped}) == len(shipped)
    templates = {path: path.read_text() for path in CHARTS.glob("*/templates/**/*") if path.is_file()}
    long = [text for text in templates.values() if len(text.splitlines()) > 2]
    assert len(long) > 20
    assert len(set(long)) == len(long)


def code() -> str:
    """Every template without its comments, which show calls."""
    text = "".join(path.read_text() for path in CHARTS.glob("*/templates/**/*") if path.is_file())
    return re.sub(r"\{\{-? ?/\*.*?\*/ ?-?\}\}", "", text, flags=re.S)


def test_every_define_has_one_place_and_a_user() -> None:
    names = re.findall(r'define "([\w.]+)"', code())
    assert len(names) > 15
    assert sorted(set(names)) == sorted(names)
    computed = re.findall(r'include \(print "([\w.]+)" ', code())
    assert computed == ["fate.serviceConf"]
    assert {name for name in names if not name.startswith(*computed)} == set(re.findall(r'include "([\w.]+)"', code()))


def test_every_file_of_the_library_is_used() -> None:
    files = {path.name for path in (LIBRARY / "files").iterdir()}
    assert files == set(re.findall(r'include "fate\.file" \(list \S+ "([\w.-]+)"\) \| nindent 4', code()))
