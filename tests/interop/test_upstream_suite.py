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
# The suite deletes the home of gpg while the agent, which sees it go, removes its sockets there: who is second finds
# nothing to remove. That happens after all tests of a class, and is no outcome of one. Nothing else is left out.
_CLEANING = re.compile(
    r"^ERROR: tearDownClass .*\n-+\nTraceback(?:(?!^(?:ERROR|FAIL): |^=+$)[\s\S])*?"
    r"^FileNotFoundError: \[Errno 2\] No such file or directory: 'S\.gpg-agent[a-z.]*'$",
    re.MULTILINE,
)


def test_only_the_race_in_cleaning_up_is_left_out() -> None:
    rule = "-" * 20
    missing = "Traceback (most recent call last):\nFileNotFoundError: [Errno 2] No such file or directory:"
    race = f"{missing} 'S.gpg-agent.ssh'\n"
    other = f"{missing} 'x.link'\n"
    end = "=" * 20
    assert _CLEANING.sub("", f"ERROR: tearDownClass (tests.a.B)\n{rule}\n{race}").strip() == ""
    for kept in (
        f"ERROR: tearDownClass (tests.a.B)\n{rule}\n{other}",
        f"ERROR: setUpClass (tests.a.B)\n{rule}\n{race}",
        f"FAIL: test_x (tests.a.B.test_x)\n{rule}\n{race}",
        f"ERROR: tearDownClass (tests.a.B)\n{rule}\n{other}{end}\nERROR: test_x (tests.a.B.test_x)\n{rule}\n{race}",
    ):
        assert _CLEANING.sub("", kept) == kept


@pytest.mark.slow
def test_the_suite_of_upstream_passes_but_for_what_is_listed(component, tmp_path):
    component("gpg")
    python = component("in-toto-3.1.0") / "python"
    shutil.copytree(component("in-toto-suite") / "tests", tmp_path / "tests")
    finished = subprocess.run(
        [python, "-m", "navicert.compat", "-m", "unittest", "discover", "-b", "-t", ".", "-s", "tests"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{python.parent}:{os.environ['PATH']}",  # its tests run `python`, which Debian has no longer
        },
        capture_output=True,
        text=True,
    )
    ran = re.search(r"^Ran (\d+) tests", finished.stderr, re.MULTILINE)
    assert ran, finished.stderr[-4000:]
    assert int(ran[1]) >= 250
    wanted = set(EXPECTED) | (AS_ROOT if os.geteuid() == 0 else set())
    found = set(_OUTCOME.findall(_CLEANING.sub("", finished.stderr)))
    assert found == wanted, f"{sorted(found ^ wanted)}\n{finished.stderr}"
