"""Imports point one way, and only the program talks to Pulumi's configuration."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("federation", "components", "cli", "sandbox")


@dataclass(frozen=True)
class Source:
    """One file of ours, parsed."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def tree(self) -> ast.Module:
        """The file's syntax."""
        return ast.parse(self.path.read_text("utf-8"), str(self.path))


def sources(*places: str) -> list[Source]:
    """The files of a room or of the top level."""
    found = [
        Source(path) for place in places for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))
    ]
    assert found, f"no file in {places}: the check would be vacuous"
    assert all(source.path.is_file() for source in found)
    return found


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere, also inside functions, in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that layers can be read off them"
            yield node.module or ""
        elif isinstance(node, ast.Call) and _name(node.func) in ("__import__", "importlib.import_module", "import_module"):
            yield str(node.args[0].value) if isinstance(node.args[0], ast.Constant) else "<computed>"


def packages(source: Source) -> set[str]:
    """The top-level packages that a file imports."""
    return {module.split(".")[0] for module in imports(source.tree)}


def uses(tree: ast.AST, name: str) -> bool:
    """Whether a dotted name is read, or imported under any name."""
    module, _, attribute = name.rpartition(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _name(node) == name:
            return True
        if isinstance(node, ast.ImportFrom) and node.module == module and attribute in {alias.name for alias in node.names}:
            return True
        if isinstance(node, ast.Import) and any(alias.name == module and alias.asname for alias in node.names):
            return True
    return False


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_files_that_import_something(room: str) -> None:
    files = sources(room)
    assert len(files) >= 3
    assert any(packages(source) for source in files)


def test_the_rooms_of_the_repository_are_those_that_are_checked() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found == set(ROOMS)


FORBIDDEN = {
    "federation": {"pulumi", "pulumi_kubernetes", "components", "cli", "sandbox"},
    "components": {"cli", "sandbox"},
    "cli": {"components", "sandbox"},
    "sandbox": {"components", "cli"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_the_rooms_below_it(room: str) -> None:
    offenders = {str(source): sorted(wrong) for source in sources(room) if (wrong := packages(source) & FORBIDDEN[room])}
    assert not offenders


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_the_program_or_the_tests(room: str) -> None:
    assert not {str(source) for source in sources(room) if packages(source) & {"tests", "__main__"}}


ALLOWED = {"pulumi", "pulumi_kubernetes", "pydantic", "yaml", "federation", "components"}


def test_the_program_and_its_components_need_four_packages_only() -> None:
    offenders = {
        str(source): sorted(wrong)
        for source in sources("components", "__main__.py")
        if (wrong := packages(source) - ALLOWED - sys.stdlib_module_names)
    }
    assert not offenders


DOMAIN = {"pydantic", "yaml", "packaging", "cryptography", "joserfc", "federation"}


def test_the_domain_needs_five_packages_only() -> None:
    offenders = {
        str(source): sorted(wrong) for source in sources("federation") if (wrong := packages(source) - DOMAIN - sys.stdlib_module_names)
    }
    assert not offenders


@pytest.mark.parametrize("name", ["pulumi.Config", "pulumi.export", "pulumi.StackReference"])
def test_only_the_program_reads_configuration_and_exports(name: str) -> None:
    assert not [str(source) for source in sources(*ROOMS) if uses(source.tree, name)]


@pytest.mark.parametrize("name", ["pulumi.Config", "pulumi.export"])
def test_the_program_does_read_configuration_and_export(name: str) -> None:
    (program,) = sources("__main__.py")
    assert uses(program.tree, name)


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 60


def test_helm_charts_are_deployed_in_one_place() -> None:
    places = [
        str(source)
        for source in sources("components", "__main__.py")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and node.value == "kubernetes:helm.sh/v4:Chart"
    ]
    assert places == ["components/unit.py"]


def test_the_domain_asks_neither_the_clock_nor_chance() -> None:
    offenders = {
        str(source): sorted(wrong)
        for source in sources("federation")
        if (wrong := packages(source) & {"time", "random", "secrets", "uuid", "socket", "subprocess"})
    }
    assert not offenders
    assert not [str(source) for source in sources("federation") if uses(source.tree, "os.environ")]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import pulumi.runtime", {"pulumi"}),
        ("from pulumi import Output", {"pulumi"}),
        ("def f():\n    import cli", {"cli"}),
        ("import importlib\nimportlib.import_module('sandbox.cli')", {"importlib", "sandbox"}),
        ("from sandbox import components", {"sandbox"}),
    ],
)
def test_the_check_sees_every_way_to_import(code: str, found: set[str]) -> None:
    assert {module.split(".")[0] for module in imports(ast.parse(code))} == found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import pulumi\npulumi.Config('fate')", True),
        ("from pulumi import Config", True),
        ("from pulumi import Config as C", True),
        ("import pulumi as p", True),
        ("import pulumi\npulumi.Output", False),
        ("from pulumi import Output", False),
    ],
)
def test_the_check_sees_every_way_to_use_a_name(code: str, expected: bool) -> None:
    assert uses(ast.parse(code), "pulumi.Config") is expected


# The floors of a room, from the ground up. A folder imports from folders of lower floors; those on one floor do not know each other.
# docs/architecture.md shows them with what each is for.
FLOORS = {
    "federation": (
        ("base",),
        ("pki", "chart_values"),
        ("catalogue",),
        ("config",),
        ("manifests", "peers"),
        ("trust",),
        ("links",),
        ("links/native",),
        ("access", "links/kinds"),
        ("units",),
        ("units/exchange", "units/portal", "units/serving"),
        ("units/party",),
        ("units/kinds",),
        ("rules", "changes"),
        ("stack",),
        ("reports",),
    ),
    "cli": (
        ("tools",),
        ("stackfile",),
        ("keys",),
        ("reports",),
        ("peers", "flow"),
        ("data", "doctor"),
        ("doctor/engines", "doctor/links", "doctor/own", "verify"),
        ("convert",),
        ("commands",),
    ),
}
# Folders that are one thing inside, which nobody else enters: their parts may know each other.
WHOLE = {"convert/parts": "convert", "convert/rows": "convert"}
# Few enough that the picture of them can be read.
MOST_ARROWS = {"federation": 80, "cli": 40}


def folder_of(room: str, module: str) -> str:
    """The folder of a module below its room: `links/native` of federation.links.native.files, empty of cli.main."""
    path = ROOT / Path(*module.split("."))
    folder = path if path.is_dir() else path.parent
    found = str(folder.relative_to(ROOT / room))
    return "" if found == "." else WHOLE.get(found, found)


def arrows(room: str) -> set[tuple[str, str]]:
    """Which folder imports from which, below a room; the files directly in it (`main`, which mounts everything) apart."""
    found = set()
    for source in sources(room):
        here = folder_of(room, ".".join(source.path.relative_to(ROOT).with_suffix("").parts))
        for module in names_of_modules(source.tree):
            if here and module.startswith(f"{room}.") and (there := folder_of(room, module)) != here:
                found.add((here, there))
    assert found, f"no folder of {room} imports another one: the check would be vacuous"
    return found


def names_of_modules(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, in full; of `from package import module` the module."""
    yield from imports(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / Path(*inner.split("."))).with_suffix(".py").is_file()
                yield inner if is_module else str(node.module)


@pytest.mark.parametrize(
    "code",
    [
        "import federation.reports.topology",
        "from federation.reports import topology",
        "from federation.reports.topology import NAME",
        "import importlib\nimportlib.import_module('federation.reports.topology')",
        "def f():\n    import federation.reports.topology",
    ],
)
def test_the_floors_see_every_way_to_import(code: str) -> None:
    assert "federation.reports.topology" in set(names_of_modules(ast.parse(code)))


@pytest.mark.parametrize("room", FLOORS)
def test_every_folder_stands_on_a_floor(room: str) -> None:
    found = {str(path.parent.relative_to(ROOT / room)) for path in (ROOT / room).rglob("*.py")} - {"."}
    assert {WHOLE.get(folder, folder) for folder in found} == {folder for floor in FLOORS[room] for folder in floor}


@pytest.mark.parametrize("room", FLOORS)
def test_a_folder_imports_only_from_floors_below_its_own(room: str) -> None:
    floor = {folder: number for number, folders in enumerate(FLOORS[room]) for folder in folders}
    assert not [f"{here} -> {there}" for here, there in sorted(arrows(room)) if floor[there] >= floor[here]]


@pytest.mark.parametrize("room", FLOORS)
def test_the_picture_of_the_folders_can_be_read(room: str) -> None:
    drawn = {(here.split("/")[0], there.split("/")[0]) for here, there in arrows(room)}
    drawn = {(here, there) for here, there in drawn if here != there}
    assert len(drawn) <= MOST_ARROWS[room]


@pytest.mark.parametrize("room", FLOORS)
def test_no_name_of_a_file_stands_for_a_folder(room: str) -> None:
    names = [path.stem for path in (ROOT / room).rglob("*.py")]
    assert len(names) > 40
    assert not [name for name in names if re.match(r"(rules|plan|portal|serving|peer)_|.*_(spec|values)$", name)]


def test_the_page_shows_the_floors_as_they_are() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    for room, floors in FLOORS.items():
        shown = re.findall(rf"^\| (\d+) \| \[`{room}/([a-z_/]+)/`\]\(\.\./{room}/\2/\) \|", page, re.MULTILINE)
        assert shown == [(str(number), folder) for number, folders in enumerate(floors, 1) for folder in folders]
