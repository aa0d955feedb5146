"""What the guide about attestations shows is what happens: its commands run in their order, with the real tools."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import Component

from navicert.model.predicate import KINDS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guides" / "attestations.md"
TABLE = ROOT / "docs" / "reference" / "predicates.md"


def test_the_commands_of_the_guide_work_in_their_order(component: Component, tmp_path: Path):
    commands = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    programs, home, work = tmp_path / "programs", tmp_path / "home", tmp_path / "work"
    for folder in (programs, home, work):
        folder.mkdir()
    (programs / "navicert").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m navicert "$@"\n')
    (programs / "navicert").chmod(0o755)
    for name in ("syft", "trivy"):
        (programs / name).symlink_to(component(name))
    cache = home / ".cache" / "trivy"
    tools = ROOT / "examples" / "container-build"
    subprocess.run([sys.executable, tools / "tools" / "trivydb.py", tools / "advisories.json", cache], check=True)
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TRIVY_SKIP_DB_UPDATE": "true",
        "TRIVY_SKIP_JAVA_DB_UPDATE": "true",
        "TRIVY_OFFLINE_SCAN": "true",
        "TRIVY_QUIET": "true",
        "SYFT_CHECK_FOR_APP_UPDATE": "false",
    }
    # The archive is made twice: with the same times, so that it is the same.
    script = "\n".join(commands).replace("tar -cf", "tar --mtime=@0 -cf")
    done = subprocess.run(
        ["sh", "-euc", script], cwd=work, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASS ") == 3
    assert "5 attestations; about app.tar" in done.stdout
    assert json.loads((work / "app.vulns.json").read_text())["signatures"]


def test_the_table_of_predicates_has_every_type() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows.keys() == {kind.name for kind in KINDS}
    for kind in KINDS:
        named = re.findall(r"`([^`]+)`", rows[kind.name])
        assert named[0] == kind.type
        for shown, type in zip(named, kind.types, strict=True):
            assert type.endswith(shown.removeprefix("…"))
