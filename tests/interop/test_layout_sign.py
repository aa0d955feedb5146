"""Layouts that `navicert layout sign` writes are verified by the reference implementation, with its own links."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from navicert.cli.main import main

LAYOUT = """\
name: small
version: 7
expires: 1 month
readme: A layout with an é in it.
functionaries:
  builder: keys/builder.pub
  packer: [keys/packer.pub, keys/spare.pub]
steps:
  - name: write
    by: builder
    command: sh -c 'echo hello > hello.txt'
    materials: [DISALLOW *]
    products: [CREATE hello.txt, DISALLOW *]
  - name: pack
    by: packer
    materials: [REQUIRE hello.txt, MATCH hello.txt WITH PRODUCTS FROM write, DISALLOW *]
    products: [CREATE out/*, MATCH hello.txt WITH PRODUCTS FROM write, DISALLOW *]
inspections:
  - name: look
    run: navicert inspect file-exists out/hello.tar
    materials:
      - MATCH * IN out WITH PRODUCTS IN out FROM pack
      - DISALLOW out/*
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """An empty current directory with the layout in YAML, and `navicert` on the path for inspections."""
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "navicert"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m navicert "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "layout.yaml").write_text(LAYOUT)
    monkeypatch.chdir(folder)
    return folder


def navicert(*words: str) -> None:
    assert main(list(words)) == 0


def program(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(path), *words], capture_output=True, text=True, check=False)


def perform(run: Path, key_options: dict[str, list[str]]) -> None:
    """Both steps, recorded by the reference implementation."""
    first = ["-n", "write", "-p", "hello.txt", *key_options["builder"], "--", "sh", "-c", "echo hello > hello.txt"]
    pack = ["sh", "-c", "mkdir out && tar cf out/hello.tar hello.txt"]
    second = ["-n", "pack", "-m", "hello.txt", "-p", "out", "hello.txt", *key_options["packer"], "--", *pack]
    for words in (first, second):
        done = program(run, *words)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("form", ["--dsse", "--metablock"])
def test_in_toto_3_verifies_our_layouts(work, component, kind, form):
    folder = component("in-toto-3.1.0")
    for name in ("owner", "builder", "packer", "spare"):
        navicert("keygen", f"keys/{name}", "--type", kind, *(("--bits", "2048") if kind == "rsa" else ()))
    navicert("layout", "sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout", form)
    perform(folder / "in-toto-run", {name: ["--signing-key", f"keys/{name}"] for name in ("builder", "packer")})
    verify = folder / "in-toto-verify"
    done = program(verify, "--layout", "root.layout", "--verification-keys", "keys/owner.pub")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("differs from expected command") == 1  # of the step for which none is expected
    other = program(verify, "--layout", "root.layout", "--verification-keys", "keys/builder.pub")
    assert other.returncode == 1
    (work / "out" / "hello.tar").write_text("another")
    changed = program(verify, "--layout", "root.layout", "--verification-keys", "keys/owner.pub")
    assert "'DISALLOW out/*' matched" in changed.stderr


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_in_toto_1_verifies_our_metablocks_under_legacy_ids(work, component, kind):
    folder = component("in-toto-1.3.1")
    for name in ("owner", "builder", "packer", "spare"):
        bits = ("--bits", "2048") if kind == "rsa" else ()
        navicert("keygen", f"keys/{name}", "--legacy", "--type", kind, *bits)
    # An RSA key of 1.x is PEM like any other, so its file does not say which id is meant.
    words = "layout sign layout.yaml -k keys/owner -o root.layout --metablock --key-ids legacy"
    navicert(*words.split())
    options = {name: ["-k", f"keys/{name}", "-t", kind] for name in ("builder", "packer")}
    perform(folder / "in-toto-run", options)
    verify = [folder / "in-toto-verify", "--layout", "root.layout"]
    done = program(*verify, "-k", "keys/owner.pub", "-t", kind)
    assert done.returncode == 0, done.stderr
    assert program(*verify, "-k", "keys/builder.pub", "-t", kind).returncode == 1


def test_what_is_signed_is_what_in_toto_writes_to_the_byte(work, component):
    """Reading our Metablock and writing it again changes nothing, so no reader can lose a field of it."""
    for name in ("owner", "builder", "packer", "spare"):
        navicert("keygen", f"keys/{name}")
    navicert("layout", "sign", "layout.yaml", "-k", "keys/owner", "-o", "root.layout", "--metablock")
    python = component("in-toto-3.1.0") / "python"
    script = (
        "import sys; from in_toto.models.metadata import Metadata; m = Metadata.load('root.layout');"
        "m.dump('again.layout'); m.get_payload().validate()"
    )
    done = program(python, "-c", script)
    assert done.returncode == 0, done.stderr
    assert (work / "again.layout").read_bytes() == (work / "root.layout").read_bytes()
    assert json.loads((work / "root.layout").read_bytes())["signed"]["readme"].startswith("A layout with an é in it.\n")
