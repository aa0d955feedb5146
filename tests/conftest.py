"""What all tests share: real components found or asked for, hypothesis, and a last word on what did not run.

`component("buildah")` is the path of a real program. Where `make test` could have installed it (it sets
NAVICERT_LAB=required) its absence is a failure; elsewhere the test is skipped, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import hypothesis.configuration
import pytest

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / ".lab"

Component = Callable[[str], Path]

# Component → where it is looked for: in what tests/lab.sh made, then on the path. An in-toto is the folder of its
# programs, because they come as several.
_LAB_PROGRAMS = {
    "syft": "bin/syft",
    "trivy": "bin/trivy",
    "wheels": "wheels",
    "kms": "kms/bin/python",
    "in-toto-suite": "suite",
    "in-toto-3.1.0": "in-toto-3.1.0/bin/in-toto-run",
    "sigstore-python": "sigstore/bin/python",
}
# What tests/kubernetes.sh brings together.
_KUBERNETES_PROGRAMS = {
    "etcd": "bin/etcd",
    "kube-apiserver": "bin/kube-apiserver",
    "kube-controller-manager": "bin/kube-controller-manager",
    "kubectl": "bin/kubectl",
    "kubectl-1.20": "bin/kubectl-1.20",
    "helm": "bin/helm",
    "kubernetes-validate": "kubernetes/bin/kubernetes-validate",
    "python-base": "bin/python-base",
}
_DEBIAN_IN_TOTO = Path("/usr/bin/in-toto-run")


def _on_path(program: str) -> Path | None:
    # Debian puts runc where the path of an ordinary user does not lead.
    found = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    return Path(found) if found else None


def _version(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()


def find_component(name: str) -> Path | None:
    """Where the component `name` is, or None. For an in-toto and for postgresql: the folder of its programs."""
    if name == "in-toto-1.3.1":
        right = _DEBIAN_IN_TOTO.exists() and _version(_DEBIAN_IN_TOTO) == "in-toto-run 1.3.1"
        return _DEBIAN_IN_TOTO.parent if right else None
    if name == "postgresql":
        # Debian keeps the programs of a server apart from those of its clients.
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
        return found[-1].parent if found else None
    programs = _LAB_PROGRAMS | _KUBERNETES_PROGRAMS
    inside = LAB / programs[name] if name in programs else None
    if inside is not None and inside.exists():
        return inside.parent if name == "in-toto-3.1.0" else inside
    if name == "kms" or name.startswith("in-toto-"):
        return None
    return _on_path({"softhsm": "softhsm2-util", "opensc": "pkcs11-tool"}.get(name, name))


def _why_missing(name: str) -> str | None:
    """What a script of the lab found to be in the way, or None where it could install everything or never ran."""
    for components in (LAB / "components", LAB / "kubernetes-components"):
        for line in components.read_text().splitlines() if components.exists() else ():
            known, _, state = line.partition(" ")
            if known == name and state.startswith("missing: "):
                return state.removeprefix("missing: ")
    return None


def require_component(name: str) -> Path:
    """Where the component `name` is; else the test is skipped, or fails where it was meant to be installed."""
    reason = _why_missing(name)
    found = None if reason else find_component(name)
    if found is not None:
        return found
    if reason is None and os.environ.get("NAVICERT_LAB") == "required":
        pytest.fail(f"{name} is not there, though {_installer(name)[0]} is meant to install it", pytrace=False)
    pytest.skip(f"needs {name}: {reason or f'not installed; `{_installer(name)[1]}` installs what it may'}")


def _installer(name: str) -> tuple[str, str]:
    """Which script installs `name`, and by which command."""
    if name in _KUBERNETES_PROGRAMS:
        return "tests/kubernetes.sh", "make test-kubernetes"
    return "tests/lab.sh", "make test"


@pytest.fixture(scope="session")
def component() -> Component:
    """Gives the path of a real program by name; see `require_component`."""
    return require_component


@pytest.fixture(autouse=True, scope="session")
def _no_colour_no_secrets() -> Iterator[None]:
    """Tests see neither the colours nor the passwords that whoever runs them has set up."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("NAVICERT_") and name != "NAVICERT_LAB"]:
            patch.delenv(name)
        for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        yield


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis: no example database; the same examples in every run where CI is set, new ones elsewhere."""
    hypothesis.settings.register_profile("ci", derandomize=True, database=None, deadline=None, print_blob=True)
    hypothesis.settings.register_profile("local", database=None, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")
    # It also keeps tables that it computes; they go where pytest keeps its own.
    cache = getattr(config, "cache", None)
    if cache is not None:
        hypothesis.configuration.set_hypothesis_home_dir(cache.mkdir("hypothesis"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are named after their argument: what is in them may hold a time or a new key, and then parallel workers,
    each of which collects for itself, would not agree on the names of the tests."""
    return argname if isinstance(val, bytes | bytearray) else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests did not run and why: a skipped test is not a passed one."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        longrepr = report.longrepr
        text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        reasons[text.removeprefix("Skipped: ")] += 1
    if not reasons:
        return
    terminalreporter.section(f"did not run: {sum(reasons.values())}")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"did not run: {count} {'test' if count == 1 else 'tests'}: {reason}")
