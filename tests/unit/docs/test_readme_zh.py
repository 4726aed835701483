"""The Chinese README says the same commands as the English one, and its links lead somewhere."""

import re

from tests.support.stacks import REPO

ENGLISH, CHINESE = ((REPO / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
BLOCK = re.compile(r"^```(sh|yaml|mermaid)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\(((?!http)[^)#]*)(#[^)]*)?\)")


def blocks(text: str) -> list[str]:
    """The commands and files that a reader copies, without comments."""
    return [
        "\n".join(re.sub(r"\s*#.*", "", line) if "sed" not in line else line for line in found.splitlines())
        for _, found in BLOCK.findall(text)
    ]


def copied(text: str) -> list[str]:
    """The commands in the first two columns of tables."""
    cells = [cell for line in text.splitlines() if line.startswith("| ") for cell in line.split("|")[1:3]]
    return [command for cell in cells for command in re.findall(r"`((?:fatefed|pulumi|make) [^`]*)`", cell)]


def test_a_reader_of_chinese_types_the_same() -> None:
    assert len(blocks(ENGLISH)) > 12
    assert blocks(CHINESE) == blocks(ENGLISH)
    assert len(copied(ENGLISH)) > 12
    assert copied(CHINESE) == copied(ENGLISH)


def test_a_reader_of_chinese_hears_the_same_numbers() -> None:
    sizes = [re.findall(r"\d[\w.]*", line) for line in ENGLISH.splitlines() if line.startswith("| `fatefed init ")]
    assert len(sizes) == 9
    assert [re.findall(r"\d[\w.]*", line) for line in CHINESE.splitlines() if line.startswith("| `fatefed init ")] == sizes


def test_the_links_lead_somewhere() -> None:
    found = {file for file, _ in LINK.findall(CHINESE) if file}
    assert len(found) > 15
    assert not [file for file in found if not (REPO / file).exists()]
    assert found <= {file for file, _ in LINK.findall(ENGLISH)} | {"README.md"}
