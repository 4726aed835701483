"""Two organizations whose parties of FATE 2.2.0 run on real nodes, deployed as `make demo-train` does. Needs root."""

from collections.abc import Iterator

import pytest

from sandbox import cluster, train
from tests.real.consortium import Consortium


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Linked, and each with its part of the sample."""
    root, folder = tmp_path_factory.mktemp("real"), tmp_path_factory.mktemp("operators")
    try:
        spaces = train.deploy(root, folder)
        train.upload_samples(spaces)
        yield Consortium(root, spaces[train.GUEST], spaces[train.HOST])
    finally:
        cluster.down(root, [], print)
