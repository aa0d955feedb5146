"""The programs of the drop-in set the level of a logger that is one for the whole process: each test begins anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from navicert.compat.shim.in_toto.log import LEVEL, LOGGER


@pytest.fixture(autouse=True)
def level_of_a_new_process() -> Iterator[None]:
    """Whatever ran before in this process, with `--verbose` maybe, the logger is as a program finds it; and is so again
    afterwards."""
    LOGGER.setLevel(LEVEL)
    yield
    LOGGER.setLevel(LEVEL)
