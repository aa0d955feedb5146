"""The public test-suite of in-toto 3.1.0, from its source archive, passes through our `in_toto` and `securesystemslib`.

It runs in the environment of upstream itself, so that it also shows that ours takes the place of an installed one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

EXPECTED = {
    "test_layout.TestLayoutValidator.test_import_step_metadata_wrong_type": (
        "expects one malformed link file to stop everything; ours skips it, and the step has too few"
    ),
    "test_in_toto_verify.TestInTotoVerifySubjectPublicKeyInfoKeysAndUseDSSE.test_main_multiple_keys": (
        "verifies a layout that does not say when it expires; ours refuses it"
    ),
}
"""Tests that fail, and why they should."""

AS_ROOT = {
    "test_runlib.TestInTotoRun.test_in_toto_read_only_metadata_directory",
    "test_runlib.TestInTotoRecordStop.test_read_only_metadata_directory",
}
"""Tests that fail with upstream too, where the superuser runs them: nothing is read-only to him."""

_OUTCOME = re.compile(r"^(?:FAIL|ERROR): \S+ \(tests\.(?:models\.)?(\S+)\)$", re.MULTILINE)


@pytest.mark.slow
def test_the_suite_of_upstream_passes_but_for_what_is_listed(component, tmp_path):
    component("gpg")
    python = component("in-toto-3.1.0") / "python"
    shutil.copytree(component("in-toto-suite") / "tests", tmp_path / "tests")
    finished = subprocess.run(
        [python, "-m", "navicert.compat", "-m", "unittest", "discover", "-b", "-t", ".", "-s", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    ran = re.search(r"^Ran (\d+) tests", finished.stderr, re.MULTILINE)
    assert ran, finished.stderr[-4000:]
    assert int(ran[1]) >= 250
    wanted = set(EXPECTED) | (AS_ROOT if os.geteuid() == 0 else set())
    assert set(_OUTCOME.findall(finished.stderr)) == wanted, finished.stderr[-4000:]
