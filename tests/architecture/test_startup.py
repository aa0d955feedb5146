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

# The same for a program of in-toto's name, which leaves by itself.
PROGRAM_PROBE = """
import sys
from navicert.compat import program
# It ends its process where nobody waits for the end.
import atexit
atexit.register(int)
name = sys.argv.pop(1)
sys.argv[0] = f"in-toto-{name}"
try:
    getattr(program, name.replace("-", "_"))()
except SystemExit as leaving:
    code = leaving.code or 0
modules = sorted(sys.modules)
import json
print(json.dumps([code, modules]))
"""

# For no command but those that are about them; `typing` for none at all, as type checkers run no command.
# What reads odd command lines, says what is wrong, and does what regular expressions do: plain uses need none of it.
ODD = {"argparse", "gettext", "re", "enum", "functools", "collections", "textwrap"}
NEVER = {"rich", "jinja2", "httpx", "httpx2", "orjson", "pybase64", "shtab", "asyncio", "ssl", "socket", "sqlite3",
         "unittest", "xml", "urllib.request", "http.client", "importlib.metadata", "pdb", "doctest", "multiprocessing",
         "dataclasses", "inspect", "secrets", "random", "calendar", "base64", "struct"}  # fmt: skip
# What other kinds of keys and documents need than those of the fixtures.
OTHER_KEYS = {"typing", "cryptography.hazmat.primitives", "cryptography.exceptions", "cryptography.x509",
              "navicert.crypto.legacy", "navicert.crypto.openssh", "navicert.crypto.gpg_armour"}  # fmt: skip
AUTHORING = {"yaml", "navicert.authoring"}
# Not before a command is known: each costs more than all that `--version` has to do.
NOT_TO_START = {"argparse", "typing", "dataclasses", "inspect", "json", "datetime", "hashlib", "tempfile",
                "logging", "pathlib", "subprocess", "cryptography", "yaml", "pathspec"}  # fmt: skip


def modules_of(*arguments: str, cwd: Path | None = None, probe: str = PROBE) -> set[str]:
    """What is loaded once the command line `arguments` has run in `cwd` and succeeded."""
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=False, cwd=cwd
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
    assert ours == {"navicert.cli", "navicert.cli.main"}


def test_run_loads_only_what_recording_and_signing_need(recorded: set[str]) -> None:
    unwanted = {"pathspec", "contextlib", "datetime", "json", "signal", "navicert.verify", "navicert.report",
                "navicert.oci", "navicert.store.trait", "navicert.model.layout",
                "navicert.model.statement"} | OTHER_KEYS  # fmt: skip
    # What is left out of a recording is found by regular expressions.
    assert loaded(recorded, NEVER | AUTHORING | unwanted | {"argparse", "gettext", "textwrap"}) == set()


def test_a_recording_without_files_loads_no_regular_expressions(chain: Path, tmp_path: Path) -> None:
    modules = modules_of("run", "empty", "--key", str(chain / "key"), "--no-command", cwd=tmp_path)
    assert loaded(modules, NEVER | AUTHORING | ODD) == set()


def test_verify_loads_only_what_judging_needs(verified: set[str]) -> None:
    unwanted = {"pathspec", "subprocess", "contextlib", "datetime", "json", "navicert.record", "navicert.oci",
                "navicert.report.finding", "navicert.cli.revocation", "navicert.store.trait"} | OTHER_KEYS  # fmt: skip
    assert loaded(verified, NEVER | AUTHORING | unwanted | {"argparse", "gettext", "textwrap"}) == set()


def test_judging_a_chain_loads_no_regular_expressions(chain: Path, recorded: set[str]) -> None:
    modules = modules_of("verify", "--layout", "root.layout", "--owner", "key.pub", cwd=chain)
    assert loaded(modules, NEVER | AUTHORING | OTHER_KEYS | ODD) == set()


def test_limits_of_the_webhook_are_loaded_by_it_alone(recorded: set[str], verified: set[str]) -> None:
    assert not [module for module in recorded | verified if module.startswith("navicert.admission")]


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


# --- the programs of in-toto ---------------------------------------------------------------------------------------

PROGRAMS = ["run", "record", "verify", "sign", "mock", "match-products", "keygen"]
# What only scripts need, and what is for messages that nobody asked for.
SCRIPTS = {"logging", "navicert.compat.finder", "navicert.compat.shim.in_toto.log"}
RECORDING = {"navicert.record", "navicert.resolve", "navicert.compat.shim.in_toto.resolver", "subprocess", "tempfile"}


def programs_modules(*arguments: str, cwd: Path | None = None) -> set[str]:
    return modules_of(*arguments, cwd=cwd, probe=PROGRAM_PROBE)


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_in_toto_program_loads_only_its_options_to_print_its_help(program: str) -> None:
    modules = programs_modules(program, "--help")
    assert loaded(modules, (NEVER | NOT_TO_START | SCRIPTS | {"typing"}) - {"argparse"}) == set()
    ours = {module for module in modules if module.startswith("navicert.")}
    name = program.replace("-", "_")
    shim = {"message", "in_toto", "in_toto.argument", "in_toto.parser", "in_toto.settings", "in_toto.exceptions",
            "in_toto.in_toto_run", f"in_toto.in_toto_{name}",
            "securesystemslib", "securesystemslib.exceptions"}  # fmt: skip
    there = {
        f"navicert.{name}" for name in ("compat", "compat.program", "compat.shim", "cli", "cli.process", "cli.outline")
    }
    assert ours <= there | {f"navicert.compat.shim.{name}" for name in shim}


@pytest.mark.parametrize("program", ["run", "record", "verify", "sign"])
def test_the_version_of_an_in_toto_program_loads_no_more(program: str) -> None:
    unwanted = (NEVER | NOT_TO_START | SCRIPTS | {"typing"}) - {"argparse"}
    assert loaded(programs_modules(program, "--version"), unwanted) == set()


def test_in_toto_run_without_files_and_command_loads_what_signs_and_no_more(chain: Path, tmp_path: Path) -> None:
    words = ["run", "-n", "build", "--signing-key", str(chain / "key"), "-x"]
    unwanted = {"navicert.verify", "navicert.store", "navicert.report", "navicert.envelope.document", "datetime",
                "pathlib", "pathspec", "shutil", "contextlib", "importlib", "getpass", "navicert.model.layout",
                "navicert.compat.shim.in_toto.models.layout", "navicert.compat.shim.in_toto.verifylib"}  # fmt: skip
    modules = programs_modules(*words, cwd=tmp_path)
    assert loaded(modules, NEVER | AUTHORING | SCRIPTS | RECORDING | ODD | unwanted) == set()


def test_in_toto_verify_loads_only_what_judging_needs(chain: Path, tmp_path: Path) -> None:
    programs_modules("run", "-n", "build", "--signing-key", str(chain / "key"), "-x", cwd=tmp_path)
    words = ["verify", "--layout", str(chain / "root.layout"), "--verification-keys", str(chain / "key.pub")]
    unwanted = {"pathlib", "pathspec", "shutil", "contextlib", "importlib", "fnmatch", "shlex", "navicert.report",
                "navicert.crypto.signer", "navicert.verify.parameters"}  # fmt: skip
    modules = programs_modules(*words, cwd=tmp_path)
    assert loaded(modules, NEVER | AUTHORING | SCRIPTS | RECORDING | OTHER_KEYS | ODD | unwanted) == set()


def test_in_toto_verify_loads_no_objects_of_in_toto_and_nothing_for_failures_where_there_are_none(
    chain: Path, tmp_path: Path
) -> None:
    programs_modules("run", "-n", "build", "--signing-key", str(chain / "key"), "-x", cwd=tmp_path)
    words = ["verify", "--layout", str(chain / "root.layout"), "--verification-keys", str(chain / "key.pub")]
    modules = {
        module.removeprefix("navicert.compat.shim.")
        for module in programs_modules(*words, cwd=tmp_path)
        if module.startswith("navicert.compat.shim.")
    }
    assert modules <= {"message", "in_toto", *(f"in_toto.{name}" for name in (
        "argument", "in_toto_verify", "inspecting", "judgement", "policy", "settings", "verification"
    ))}  # fmt: skip
