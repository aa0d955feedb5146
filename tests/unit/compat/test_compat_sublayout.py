"""Sublayouts that have no end: `in-toto-verify` refuses them in plain words and names the step."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from navicert.compat.shim.in_toto import in_toto_verify, runlib
from navicert.compat.shim.in_toto.models.layout import Layout, Step
from navicert.compat.shim.in_toto.models.metadata import Envelope, Metablock
from navicert.compat.shim.securesystemslib.interface import (
    generate_and_write_unencrypted_ed25519_keypair,
    import_ed25519_publickey_from_file,
)
from navicert.compat.shim.securesystemslib.signer import CryptoSigner
from navicert.limits import LOCAL


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("owner", "bob"):
        generate_and_write_unencrypted_ed25519_keypair(name)
    return tmp_path


def write(by: str, path: str, form: str, readme: str) -> str:
    """Write a layout of one step for bob; the name of his link without its suffix."""
    key = import_ed25519_publickey_from_file("bob.pub")
    step = Step(name="build", pubkeys=[key["keyid"]])
    layout = Layout(readme=readme, keys={key["keyid"]: key}, steps=[step], expires="2999-01-01T00:00:00Z")
    document = Metablock(signed=layout) if form == "metablock" else Envelope.from_signable(layout)
    document.create_signature(CryptoSigner.from_priv_key_uri(f"file:{by}"))
    document.dump(path)
    return f"build.{key['keyid'][:8]}"


def nest(depth: int, form: str, *, same: bool = False) -> None:
    """A layout, `depth` sublayouts below it, each in the folder of the one above, and the link of the last."""
    name = write("owner", "root.layout", form, "0")
    folder = Path()
    for number in range(1, depth + 1):
        write("bob", str(folder / f"{name}.link"), form, "0" if same else str(number))
        folder /= name
        folder.mkdir()
    signer = CryptoSigner.from_priv_key_uri("file:bob")
    runlib.in_toto_run("build", [], [], [], signer=signer, metadata_directory=str(folder))


def verify(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["in-toto-verify", "-l", "root.layout", "-k", "owner.pub"])
    with pytest.raises(SystemExit) as leaving:
        in_toto_verify.main()
    return int(leaving.value.code or 0)


@pytest.mark.parametrize("form", ["metablock", "dsse"])
class TestSublayoutsWithoutEnd:
    def test_as_deep_as_allowed_passes(self, work, monkeypatch, form):
        nest(LOCAL.sublayout_depth, form)
        assert verify(monkeypatch) == 0

    @pytest.mark.parametrize("more", [1, 20])
    def test_too_deep_is_called_the_sublayout_depth(self, work, monkeypatch, capsys, form, more):
        nest(LOCAL.sublayout_depth + more, form)
        assert verify(monkeypatch) == 1
        (said,) = capsys.readouterr().err.splitlines()
        assert "sublayout depth exceeded: nested deeper than 16 (limit sublayout_depth)" in said
        assert said.endswith("of step 'build')")

    @pytest.mark.parametrize("depth", [1, 3])
    def test_one_that_contains_itself_is_called_a_repetition(self, work, monkeypatch, capsys, form, depth):
        nest(depth, form, same=True)
        assert verify(monkeypatch) == 1
        (said,) = capsys.readouterr().err.splitlines()
        assert "sublayout repetition: contains itself: the same layout stands above it" in said
        assert said.endswith("of step 'build')")
