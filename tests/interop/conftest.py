"""Where the in-toto programs are, ours and those of two releases; and keys as the older one writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.interop.program import PROGRAMS


@pytest.fixture(scope="session")
def ours(tmp_path_factory) -> Path:
    """A folder with our programs, as an installation makes them."""
    folder = tmp_path_factory.mktemp("bin")
    for name in PROGRAMS:
        program = folder / f"in-toto-{name}"
        function = name.replace("-", "_")
        program.write_text(f"#!{sys.executable}\nfrom navicert.compat.program import {function}\n{function}()\n")
        program.chmod(0o755)
    return folder


@pytest.fixture(scope="session")
def upstream(component) -> Path:
    """The folder of the programs of in-toto 3.1.0."""
    folder: Path = component("in-toto-3.1.0")
    return folder


@pytest.fixture(scope="session")
def old(component) -> Path:
    """The folder of the programs of in-toto 1.3.1."""
    folder: Path = component("in-toto-1.3.1")
    return folder


@pytest.fixture(scope="session")
def old_keys(old, tmp_path_factory) -> Path:
    """Keys of every type as 1.3.1 writes them, plain and encrypted under `pw`, and a file to record."""
    folder = tmp_path_factory.mktemp("old")
    (folder / "f").write_text("x")
    for kind in ("ed25519", "ecdsa", "rsa"):
        subprocess.run([old / "in-toto-keygen", "-t", kind, "-b", "2048", kind], cwd=folder, check=True)
    script = (
        "import sys; sys.path.insert(0, '/usr/lib/python3/dist-packages')\n"
        "from securesystemslib import interface as i\n"
        "i.generate_and_write_ed25519_keypair('pw', 'locked-ed25519')\n"
        "i.generate_and_write_ecdsa_keypair('pw', 'locked-ecdsa')\n"
        "i.generate_and_write_rsa_keypair('pw', 'locked-rsa', bits=2048)\n"
    )
    subprocess.run(["/usr/bin/python3", "-c", script], cwd=folder, check=True)
    return folder
