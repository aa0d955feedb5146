"""Nothing is imported before it is needed: looked at in a new interpreter after a whole command has run."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

# Runs one command as the console script does, then says what it loaded.
PROBE = """
import sys
from navicert.cli.main import main
code = main(sys.argv[1:])
modules = sorted(sys.modules)
import json
print(json.dumps([code, modules]))
"""

# For no command but those that are about them.
NEVER = {"rich", "jinja2", "httpx", "httpx2", "orjson", "shtab", "asyncio", "ssl", "socket", "sqlite3", "unittest",
         "xml", "urllib.request", "http.client", "importlib.metadata", "pdb", "doctest", "multiprocessing"}  # fmt: skip
AUTHORING = {"yaml", "navicert.authoring"}
# Not before a command is known: each costs more than all that `--version` has to do.
NOT_TO_START = {"argparse", "dataclasses", "inspect", "json", "datetime", "hashlib", "tempfile", "logging", "pathlib",
                "subprocess", "cryptography", "yaml", "pathspec"}  # fmt: skip


def modules_of(*arguments: str, cwd: Path | None = None) -> set[str]:
    """What is loaded once the command line `arguments` has run in `cwd` and succeeded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    return set(modules)


def bare() -> set[str]:
    """What an interpreter loads by itself, here: development tools put hooks into it."""
    code = "import sys; modules = sorted(sys.modules); import json; print(json.dumps(modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def loaded(modules: set[str], unwanted: set[str]) -> set[str]:
    """Which of `unwanted`, or of what is in them, are among `modules` by our doing."""
    return {module for module in modules - bare() if any(f"{module}.".startswith(f"{name}.") for name in unwanted)}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key, a signed layout of one step, and the material of that step, not yet recorded."""
    from navicert.crypto.signer import generate, private_pem
    from navicert.envelope.document import seal
    from navicert.model.layout import Layout, Step
    from navicert.model.rule import Rule

    folder = tmp_path_factory.mktemp("chain")
    signer = generate()
    (folder / "key").write_bytes(private_pem(signer, None))
    (folder / "key").chmod(0o600)
    (folder / "key.pub").write_bytes(signer.key.public_pem())
    (folder / "source.txt").write_text("source\n")
    step = Step(
        "build",
        pubkeys=(signer.keyid,),
        expected_materials=(Rule.parse(["ALLOW", "source.txt"]), Rule.parse(["DISALLOW", "*"])),
        expected_products=(Rule.parse(["CREATE", "product.txt"]), Rule.parse(["DISALLOW", "*"])),
    )
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    layout = Layout(expires, steps=(step,), keys={signer.keyid: signer.key.to_json()})
    (folder / "root.layout").write_bytes(seal(layout, signer))
    return folder


@pytest.fixture(scope="module")
def recorded(chain: Path) -> set[str]:
    """The modules that recording the step loaded; the folder then holds its link."""
    words = "run build --key key -m source.txt -p product.txt -- cp source.txt product.txt"
    return modules_of(*words.split(), cwd=chain)


@pytest.fixture(scope="module")
def verified(chain: Path, recorded: set[str]) -> set[str]:
    """The modules that verifying the product loaded."""
    return modules_of(*"verify --layout root.layout --owner key.pub product.txt".split(), cwd=chain)


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_nothing_heavy_is_loaded_to_print_a_constant(word: str) -> None:
    assert loaded(modules_of(word), NEVER | NOT_TO_START) == set()


def test_nothing_of_ours_is_loaded_for_the_version_but_the_way_there() -> None:
    ours = {module for module in modules_of("--version") if module.startswith("navicert.")}
    assert ours == {"navicert.cli", "navicert.cli.main", "navicert.errors"}


def test_run_loads_only_what_recording_and_signing_need(recorded: set[str]) -> None:
    unwanted = {"pathspec", "navicert.verify", "navicert.report", "navicert.oci", "cryptography.x509"}
    assert loaded(recorded, NEVER | AUTHORING | unwanted) == set()


def test_verify_loads_only_what_judging_needs(verified: set[str]) -> None:
    unwanted = {"pathspec", "subprocess", "navicert.record", "cryptography.x509"}
    assert loaded(verified, NEVER | AUTHORING | unwanted) == set()


def test_one_command_does_not_load_another(recorded: set[str], verified: set[str]) -> None:
    commands = {"run", "verify", "demo", "keygen", "layout", "show", "sign", "explain", "completion"}
    assert {m for m in recorded if m.removeprefix("navicert.cli.") in commands} == {"navicert.cli.run"}
    assert {m for m in verified if m.removeprefix("navicert.cli.") in commands} == {"navicert.cli.verify"}


def test_the_package_runs_as_a_module_too(tmp_path: Path) -> None:
    import navicert

    done = subprocess.run(
        [sys.executable, "-m", "navicert", "--version"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, f"navicert {navicert.__version__}\n")
