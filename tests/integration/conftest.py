"""Servers that several tests share; each worker has its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.postgres_server import Server, running_server


@pytest.fixture(scope="session")
def postgres(component: Callable[[str], Path]) -> Iterator[Server]:
    """A running PostgreSQL, and its password where libpq looks for it."""
    with running_server(component("postgresql")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSFILE", str(server.passfile))
        yield server
