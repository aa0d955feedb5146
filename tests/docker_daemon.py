"""Starts a docker daemon of a test's own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def docker_daemon(program: Path) -> Iterator[str]:
    """The address of a docker daemon without network, until the end of the block. Skips where nobody may start one."""
    if os.geteuid() != 0:
        pytest.skip("a docker daemon is started by root only")
    with tempfile.TemporaryDirectory(prefix="dk") as place:
        address = f"unix://{place}/s"
        words = ["--host", address, "--data-root", f"{place}/d", "--exec-root", f"{place}/x", "--pidfile", f"{place}/p",
                 "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                 "--ip-masq=false", "--default-ulimit", "nofile=1024:1024"]  # fmt: skip
        with open(Path(place) / "log", "wb") as log:
            process = subprocess.Popen([program, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            ask = ["docker", "--host", address, "version"]
            while subprocess.run(ask, capture_output=True, check=False).returncode != 0:
                assert process.poll() is None, (Path(place) / "log").read_text()
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait()
