"""The chains of the benchmark mean the same to in-toto 3.1.0, to our drop-in and to `navicert verify`: those that are
to pass pass everywhere, and those that are not fail everywhere."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bench.chain import Chain
from bench.document import Form
from bench.rulebook import SMUGGLED, Rulebook

FORMS: tuple[Form, ...] = ("dsse", "metablock")

DROP_IN = [sys.executable, "-c", "from navicert.compat.program import verify; verify()"]
OWN = [sys.executable, "-m", "navicert", "verify"]


def codes(folder: Path, upstream: Path) -> tuple[list[int], list[str]]:
    """Exit codes and error output of upstream, of our drop-in, and of our own program."""
    words = ["--layout", "root.layout", "--verification-keys", "owner.pub", "--link-dir", "links"]
    own = ["--layout", "root.layout", "--owner", "owner.pub", "--store", "links"]
    commands = [[str(upstream / "in-toto-verify"), *words], [*DROP_IN, *words], [*OWN, *own]]
    done = [subprocess.run(c, cwd=folder, capture_output=True, text=True, check=False) for c in commands]
    return [one.returncode for one in done], [one.stdout + one.stderr for one in done]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "chain",
    [Chain(4, 50), Chain(3, 120, threshold=3), Chain(2, 20, threshold=2, depth=3), Chain(3, 40, from_nothing=True)],
    ids=str,
)
def test_chains_pass_everywhere(chain: Chain, form: Form, component, tmp_path: Path) -> None:
    replace(chain, form=form).write(tmp_path)
    found, said = codes(tmp_path, component("in-toto-3.1.0"))
    assert found == [0, 0, 0], said


@pytest.mark.parametrize("form", FORMS)
def test_a_tampered_chain_fails_everywhere(form: Form, component, tmp_path: Path) -> None:
    Chain(3, 20, form=form, tampered=True).write(tmp_path)
    found, said = codes(tmp_path, component("in-toto-3.1.0"))
    assert found == [1, 1, 1], said


@pytest.mark.parametrize("idle", [False, True])
def test_a_rulebook_passes_everywhere(idle: bool, component, tmp_path: Path) -> None:
    Rulebook(41, 160, idle=idle).write(tmp_path)
    found, said = codes(tmp_path, component("in-toto-3.1.0"))
    assert found == [0, 0, 0], said


@pytest.mark.parametrize("idle", [False, True])
def test_a_smuggled_file_is_named_everywhere(idle: bool, component, tmp_path: Path) -> None:
    Rulebook(41, 160, idle=idle, failing=True).write(tmp_path)
    found, said = codes(tmp_path, component("in-toto-3.1.0"))
    assert found == [1, 1, 1]
    assert all(SMUGGLED in text for text in said)
