"""`in_toto` and `securesystemslib` become importable; what is installed is only replaced where that was asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from navicert.compat.finder import MODULES

ROOT = Path(__file__).resolve().parents[3]


def python(tmp_path: Path, code: str, *, package: str = "") -> subprocess.CompletedProcess[str]:
    """Run `code` in a process of its own, where a foreign `package` is installed."""
    if package:
        (tmp_path / "site" / package).mkdir(parents=True)
        (tmp_path / "site" / package / "__init__.py").write_text("THEIRS = True\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(ROOT / "src")])}
    return subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)


def test_every_module_can_be_imported_and_is_one_object(tmp_path):
    imports = "\n".join(f"import {name}" for name in MODULES)
    code = (
        f"from navicert.compat import install\nassert install()\n{imports}\nimport sys\n"
        "from navicert.compat.shim.in_toto import verifylib\nassert in_toto.verifylib is verifylib\n"
        "assert sys.modules['in_toto.verifylib'] is verifylib\nassert verifylib.__spec__.name == verifylib.__name__\n"
    )
    done = python(tmp_path, code)
    assert done.returncode == 0, done.stderr


def test_an_installed_package_is_left_alone_and_said_so(tmp_path):
    code = "from navicert.compat import install\nassert not install()\nimport in_toto\nassert in_toto.THEIRS\n"
    done = python(tmp_path, code, package="in_toto")
    assert done.returncode == 0, done.stderr
    assert "RuntimeWarning: in_toto: what is installed is used" in done.stderr


@pytest.mark.parametrize("before", ["", "import in_toto\n"], ids=["installed", "already imported"])
def test_force_takes_the_place_of(tmp_path, before):
    code = (
        f"{before}from navicert.compat import install\nassert install(force=True)\n"
        "import in_toto.models.layout\nassert not hasattr(in_toto, 'THEIRS')\n"
    )
    done = python(tmp_path, code, package="in_toto")
    assert done.returncode == 0, done.stderr


def test_what_is_not_there_is_no_module_of_ours(tmp_path):
    code = (
        "from navicert.compat import install\ninstall()\n"
        "try:\n    import in_toto.argument\nexcept ModuleNotFoundError as e:\n    assert e.name == 'in_toto.argument'\n"
        "else:\n    raise SystemExit('imported under its private name')\n"
    )
    assert python(tmp_path, code).returncode == 0


def test_a_script_runs_unmodified_with_its_arguments(tmp_path):
    (tmp_path / "beside.py").write_text("FOUND = 1\n")
    (tmp_path / "script.py").write_text(
        "import sys, beside\nfrom in_toto.models.layout import Layout\n"
        "from securesystemslib.signer import CryptoSigner\n"
        "assert __name__ == '__main__'\nprint(Layout().type_, sys.argv)\n"
    )
    command = [sys.executable, "-m", "navicert.compat", "script.py", "a", "-b"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == "layout ['script.py', 'a', '-b']\n", done.stderr


def test_a_script_that_is_not_there_is_wrong_usage(tmp_path):
    command = [sys.executable, "-m", "navicert.compat", "none.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "navicert.compat: no such script: none.py\n")
