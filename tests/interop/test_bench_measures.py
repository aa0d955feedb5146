"""The benchmark with real programs: everything that it compares runs, and agrees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench import installation
from bench.__main__ import main
from bench.chain import Chain
from bench.document import Form

ROOT = Path(__file__).resolve().parents[2]
RATES = ROOT / "bench" / "rate"


def test_every_contestant_is_measured_and_compared(component, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    here = ["--ours", str(Path(sys.executable).parent), "--upstream", str(component("in-toto-3.1.0"))]
    names = ["run-nothing", "record-2k", "verify-4x50", "verify-rules-quick"]
    assert main([*here, "--dir", str(tmp_path), "--runs", "1", "--json", str(out), *names]) == 0
    workloads = json.loads(out.read_text())["workloads"]
    assert list(workloads) == names
    for workload in workloads.values():
        ours = [one for one in workload["contestants"].values() if one["kind"] == "ours"]
        assert len(ours) == 2
        assert all(one["ratio"]["cpu"]["median"] > 0 for one in ours)


class TestRate:
    """How many verifications one process makes."""

    def commands(self, upstream: Path, folder: Path) -> list[list[str]]:
        ours = [sys.executable, str(RATES / "ours.py")]
        theirs = [str(upstream / "python"), str(RATES / "upstream.py")]
        return [[*ours, mode, "0.05", str(folder)] for mode in ("cold", "warm")] + [[*theirs, "0.05", str(folder)]]

    def test_it_is_printed(self, component, tmp_path: Path) -> None:
        Chain(2, 5).write(tmp_path)
        for command in self.commands(component("in-toto-3.1.0"), tmp_path):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            assert json.loads(done.stdout)["rate"] > 0

    def test_there_is_none_for_a_chain_that_does_not_pass(self, component, tmp_path: Path) -> None:
        Chain(3, 5, tampered=True).write(tmp_path)
        for command in self.commands(component("in-toto-3.1.0"), tmp_path):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (1, ""), command


class TestFloor:
    """What judging takes at least."""

    def run(self, mode: str, *folders: Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, str(RATES / "floor.py"), mode, "0.05", *map(str, folders)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    @pytest.mark.parametrize("form", ["dsse", "metablock"])
    def test_it_checks_every_signature(self, tmp_path: Path, form: Form) -> None:
        Chain(2, 5, threshold=2, depth=1, form=form).write(tmp_path)
        for mode in ("cold", "warm"):
            assert json.loads(self.run(mode, tmp_path).stdout)["rate"] > 0
        assert (self.run("once", tmp_path).returncode, self.run("once", tmp_path).stdout) == (0, "")
        documents = [tmp_path / "root.layout", *(tmp_path / "links").rglob("*.link")]
        assert len(documents) == 1 + 2 + 1 + 4
        for path in documents:
            good = path.read_bytes()
            document = json.loads(good)
            proof = document["signatures"][0]["sig"]
            document["signatures"][0]["sig"] = proof[:9] + ("b" if proof[9] == "a" else "a") + proof[10:]
            path.write_text(json.dumps(document))
            assert self.run("once", tmp_path).returncode == 1, path
            path.write_bytes(good)


@pytest.mark.slow
def test_ours_is_measured_as_users_have_it(tmp_path: Path) -> None:
    programs = installation.install_ours(tmp_path / "ours")
    code = "import json, sys, navicert, cryptography; print(json.dumps([navicert.__file__, sys.path]))"
    environment = {**os.environ, "PYTHONPATH": ""}
    words = [str(programs / "python"), "-I", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    file, path = json.loads(done.stdout)
    assert Path(file).is_relative_to(tmp_path), "the wheel is what is imported, not the sources"
    assert not any(str(ROOT) in place for place in path)
    (site,) = (tmp_path / "ours").glob("lib/python3*/site-packages")
    installed = {place.name for place in site.iterdir()}
    assert not installed & {"pytest", "coverage", "a1_coverage.pth", "hypothesis"}
    for program in ("navicert", "in-toto-run", "in-toto-verify"):
        assert subprocess.run([str(programs / program), "--version"], capture_output=True, check=True).stdout
