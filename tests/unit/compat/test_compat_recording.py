"""What `in_toto_run` records, as scripts see it and as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from navicert.compat.shim.in_toto import runlib
from navicert.compat.shim.in_toto.models.metadata import Envelope, Metablock, Metadata
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.compat.shim.securesystemslib.interface import (
    generate_and_write_unencrypted_ed25519_keypair,
    import_ed25519_publickey_from_file,
)
from navicert.compat.shim.securesystemslib.signer import CryptoSigner


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A folder with three files to record and the keys of `bob`."""
    monkeypatch.chdir(tmp_path)
    generate_and_write_unencrypted_ed25519_keypair("bob")
    for name in ("b", "a", "c"):
        Path(name).write_text(name)
    return tmp_path


def record(dsse: bool = False) -> Any:
    return runlib.in_toto_run("build", ["[abc]"], ["[abc]"], [], use_dsse=dsse)


@pytest.mark.parametrize("dsse", [False, True])
def test_what_was_recorded_can_be_changed_and_is_written_as_it_is_then(work, dsse):
    link = record(dsse).get_payload()
    assert link.materials == link.products == runlib.record_artifacts_as_dict(["[abc]"])
    assert {type(link.materials), *map(type, link.materials.values())} == {dict}
    del link.materials["b"]
    link.products["a"]["sha256"] = "0" * 64
    link.products = {**link.products, "d": {"sha256": "1" * 64}}
    link.validate()
    metadata = Envelope.from_signable(link) if dsse else Metablock(signed=link)
    metadata.create_signature(CryptoSigner.from_priv_key_uri("file:bob"))
    metadata.dump("link")
    read = Metadata.load("link")
    read.verify_signature(import_ed25519_publickey_from_file("bob.pub"))
    written = read.get_payload()
    assert sorted(written.materials) == ["a", "c"]
    assert sorted(written.products) == ["a", "b", "c", "d"]
    assert (written.materials, written.products) == (link.materials, link.products)


def test_what_was_recorded_is_written_alike_whether_somebody_looked_at_it_or_not(work):
    unseen, seen = record(), record()
    assert len(seen.signed.materials) == len(seen.signed.products) == 3
    assert seen.signed.signable_bytes == unseen.signed.signable_bytes
    for metadata, name in ((seen, "seen"), (unseen, "unseen")):
        metadata.dump(name)
    assert Path("seen").read_bytes() == Path("unseen").read_bytes()
    assert seen == unseen


def test_each_link_has_dictionaries_of_its_own(work):
    link = record().signed
    link.materials["a"]["sha256"] = "0" * 64
    assert link.products["a"]["sha256"] != "0" * 64


def test_what_takes_the_place_of_what_was_recorded_must_be_a_dictionary(work):
    link = record().signed
    link.materials = []
    with pytest.raises(FormatError):
        link.validate()
