"""What docs/reference/api.md promises: the names of its table, and its blocks of Python, which one program may hold in their order."""

import re

from tests.support.stacks import REPO

_PAGE = (REPO / "docs/reference/api.md").read_text("utf-8")
NAMES = re.findall(r"^\| `([\w.]+)` \|", _PAGE, re.M)
# Loading and planning; Pulumi's Automation API; a verb as a function.
BLOCKS = re.findall(r"^```python\n(.*?)^```$", _PAGE, re.M | re.S)
