"""One API server for each worker, and the objects that are installed into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.control_plane import PROGRAMS, ControlPlane, running_control_plane


@pytest.fixture(scope="session")
def api_server(component: Callable[[str], Path]) -> Iterator[ControlPlane]:
    """A running API server, with etcd and a controller manager."""
    programs = {name: component(name) for name in PROGRAMS}
    for name in ("kubectl-1.20", "helm"):
        programs[name] = component(name)
    with running_control_plane(programs) as server:
        yield server
