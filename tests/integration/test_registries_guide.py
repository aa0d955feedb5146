"""What the guide about images and registries shows is what happens: its commands run in their order."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import Component
from tests.registry_server import docker_registry

from navicert.testing.registry import LoopbackRegistry

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "images-and-registries.md"


def test_the_commands_of_the_guide_work_in_their_order(component: Component, tmp_path: Path):
    text = GUIDE.read_text(encoding="utf-8")
    (layout,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands.insert(1, f"cat >layout.yaml <<'END'\n{layout}END\n")
    programs = tmp_path / "programs"
    programs.mkdir()
    # Registries of this machine speak no TLS, and buildah keeps its images where this test may write.
    wrappers = {
        "navicert": 'case "$1 $2" in verify*|"evidence p"*|"evidence copy"|"evidence list")\n'
        'set -- "$@" --insecure;; esac\n'
        f'exec "{sys.executable}" -m navicert "$@"',
        "skopeo": f'shift; exec "{component("skopeo")}" copy --src-tls-verify=false --dest-tls-verify=false "$@"',
        "buildah": f'exec "{component("buildah")}" --storage-driver vfs --root "{tmp_path}/root" '
        f'--runroot "{tmp_path}/runroot" "$@"',
    }
    for name, body in wrappers.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    with docker_registry(component("docker-registry"), tmp_path / "registry") as here, LoopbackRegistry() as there:
        script = "\n".join(commands).replace("registry.example", here.name).replace("mirror.example", there.name)
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8",
                       "BUILDAH_ISOLATION": "chroot"}  # fmt: skip
        done = subprocess.run(
            ["sh", "-euc", script], cwd=work, capture_output=True, text=True, check=False, env=environment
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASS ") == 7
    assert "asked" in done.stderr
