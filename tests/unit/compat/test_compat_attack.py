"""Attacks on whoever calls the shim: documents that were changed in memory, and stages called one by one.

`in_toto_verify` is judged as a whole elsewhere; here is what a script may rely on that calls its parts.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from navicert.compat.shim.in_toto import runlib, verifylib
from navicert.compat.shim.in_toto.exceptions import (
    LinkNotFoundError,
    SignatureVerificationError,
    ThresholdVerificationError,
)
from navicert.compat.shim.in_toto.inspecting import inspect
from navicert.compat.shim.in_toto.models.layout import Layout, Step
from navicert.compat.shim.in_toto.models.link import Link
from navicert.compat.shim.in_toto.models.metadata import Envelope, Metablock, Metadata
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.compat.shim.securesystemslib.interface import (
    generate_and_write_unencrypted_ed25519_keypair,
    import_ed25519_publickey_from_file,
)
from navicert.compat.shim.securesystemslib.signer import CryptoSigner, Signature


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("owner", "bob", "carl"):
        generate_and_write_unencrypted_ed25519_keypair(name)
    return tmp_path


def public(name: str) -> dict[str, Any]:
    return import_ed25519_publickey_from_file(f"{name}.pub")


def signer(name: str) -> CryptoSigner:
    return CryptoSigner.from_priv_key_uri(f"file:{name}")


def signed(what: Any, form: str = "metablock", by: str = "bob") -> Any:
    document: Any = Metablock(signed=what) if form == "metablock" else Envelope.from_signable(what)
    document.create_signature(signer(by))
    return document


def layout(*who: str, **fields: Any) -> Layout:
    keys = {key["keyid"]: key for key in map(public, who)}
    return Layout(keys=keys, steps=[Step(name="build", pubkeys=list(keys), **fields)])


def links(*documents: tuple[str, Any]) -> dict[str, dict[str, Any]]:
    return {"build": {public(name)["keyid"]: document for name, document in documents}}


# --- signatures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), "\ud800", 10**500, b"x", object()])
def test_what_cannot_be_signed_is_not_signed(value):
    document = Metablock(signed=Link(name="build"), signatures=[{"keyid": public("bob")["keyid"], "sig": "00" * 64}])
    document.signed.byproducts["x"] = value
    with pytest.raises((SignatureVerificationError, TypeError)):
        document.verify_signature(public("bob"))


@pytest.mark.parametrize("payload", [b"x", b"[]", b'{"_type":"other"}', b'{"_type":"link","name":"a","name":"b"}'])
def test_a_payload_that_is_no_document_needs_its_signature_all_the_same(payload):
    document = Envelope(payload, "application/vnd.in-toto+json", {})
    keyid = public("bob")["keyid"]
    document.signatures[keyid] = Signature(keyid, "00" * 64)
    with pytest.raises(SignatureVerificationError):
        document.verify_signature(public("bob"))
    document.create_signature(signer("bob"))
    document.verify_signature(public("bob"))


@pytest.mark.parametrize("form", ["metablock", "dsse"])
class TestChangedAfterItWasSigned:
    def change(self, document: Any, form: str) -> None:
        if form == "dsse":
            document.payload = document.payload.replace(b'"build"', b'"other"')
        else:
            document.signed.name = "other"

    def test_a_document_made_here(self, form):
        document = signed(Link(name="build"), form)
        self.change(document, form)
        with pytest.raises(SignatureVerificationError):
            document.verify_signature(public("bob"))

    def test_a_document_that_was_loaded(self, form):
        signed(Link(name="build"), form).dump("a.link")
        document = Metadata.load("a.link")
        document.verify_signature(public("bob"))
        self.change(document, form)
        with pytest.raises(SignatureVerificationError):
            document.verify_signature(public("bob"))

    def test_a_copy_of_a_document_that_was_loaded(self, form):
        signed(Link(name="build"), form).dump("a.link")
        document = copy.deepcopy(Metadata.load("a.link"))
        self.change(document, form)
        with pytest.raises(SignatureVerificationError):
            document.verify_signature(public("bob"))

    def test_the_type_of_the_payload(self, form):
        if form == "metablock":
            return
        document = signed(Link(name="build"), form)
        document.payload_type = "text/plain"
        with pytest.raises(SignatureVerificationError):
            document.verify_signature(public("bob"))


def test_a_signature_moved_to_another_key_is_not_his():
    document = signed(Link(name="build"))
    document.signatures[0]["keyid"] = public("carl")["keyid"]
    with pytest.raises(SignatureVerificationError):
        document.verify_signature(public("carl"))


def test_no_owner_is_not_enough():
    with pytest.raises(SignatureVerificationError, match="at least one key"):
        verifylib.verify_metadata_signatures(signed(layout("bob"), by="owner"), {})
    with pytest.raises(SignatureVerificationError, match="at least one key"):
        verifylib.in_toto_verify(signed(layout("bob"), by="owner"), {})


def test_the_key_counts_and_not_the_id_that_it_is_given_under():
    document = signed(layout("bob"), by="owner")
    with pytest.raises(SignatureVerificationError):
        verifylib.in_toto_verify(
            document, {public("owner")["keyid"]: {**public("carl"), "keyid": public("owner")["keyid"]}}
        )


# --- stages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0, -1, True, False])
@pytest.mark.parametrize("stage", ["load", "signatures", "constraints"])
def test_a_threshold_that_asks_for_nobody_is_refused_at_every_stage(threshold, stage):
    made = layout("bob", threshold=threshold)
    calls = {
        "load": lambda: verifylib.load_links_for_layout(made, "."),
        "signatures": lambda: verifylib.verify_link_signature_thresholds(made, {}),
        "constraints": lambda: verifylib.verify_threshold_constraints(made, {"build": {}}),
    }
    with pytest.raises(FormatError, match="step 'build'"):
        calls[stage]()


def test_a_step_without_links_is_not_reduced_to_nothing():
    with pytest.raises(LinkNotFoundError, match="'build'"):
        verifylib.reduce_chain_links({"build": {}})


def test_one_key_under_two_ids_counts_once_at_the_stage_of_thresholds():
    bob = public("bob")
    twin = {**bob, "keyid": "ab" * 32}
    made = Layout(keys={bob["keyid"]: bob, twin["keyid"]: twin})
    made.steps = [Step(name="build", pubkeys=[bob["keyid"], twin["keyid"]], threshold=2)]
    first, second = signed(Link(name="build")), signed(Link(name="build"))
    second.signatures[0]["keyid"] = twin["keyid"]
    found = {"build": {bob["keyid"]: first, twin["keyid"]: second}}
    with pytest.raises(ThresholdVerificationError, match=r"Only found '1'.*duplicate"):
        verifylib.verify_link_signature_thresholds(made, found)


def test_a_link_of_another_step_does_not_count_at_the_stage_of_thresholds():
    with pytest.raises(ThresholdVerificationError, match="signed for another step, 'review'"):
        verifylib.verify_link_signature_thresholds(layout("bob"), links(("bob", signed(Link(name="review")))))


def test_cve_2021_41087_a_path_not_in_normal_form_does_not_count_at_the_stage_of_thresholds():
    odd = Link(name="build", products={"bin/../app": {"sha256": "ab" * 32}})
    with pytest.raises(ThresholdVerificationError, match=r"normal form, 'bin/\.\./app'"):
        verifylib.verify_link_signature_thresholds(layout("bob"), links(("bob", signed(odd))))


def test_a_stranger_and_a_broken_signature_do_not_count_and_are_named():
    made = layout("bob", "carl", threshold=2)
    broken = signed(Link(name="build"), by="carl")
    broken.signed.command = ["other"]
    with pytest.raises(
        ThresholdVerificationError, match=f"Broken link signature with keyid '{public('carl')['keyid']}'"
    ):
        verifylib.verify_link_signature_thresholds(made, links(("bob", signed(Link(name="build"))), ("carl", broken)))
    with pytest.raises(ThresholdVerificationError, match="is not authorized to sign links for step 'build'"):
        verifylib.verify_link_signature_thresholds(
            layout("bob"), links(("carl", signed(Link(name="build"), by="carl")))
        )


# --- inspections ---------------------------------------------------------------------------------------------------


def test_an_inspection_ends_where_folders_lead_in_circles(work):
    for name in ("a", "b"):
        (work / name).mkdir()
    (work / "a" / "b").symlink_to("../b")
    (work / "b" / "a").symlink_to("../a")
    (work / "b" / "here").symlink_to(".")
    (work / "self").symlink_to("self")
    (work / "root").symlink_to("/")
    (work / "root").unlink()
    found = inspect("look", ["true"], 10).signed
    assert "self" not in found.materials
    assert len(found.materials) < 50


def test_a_rule_of_an_inspection_sees_what_lies_behind_a_link(work):
    (work / "hidden").mkdir()
    (work / "hidden" / "evil").write_text("x")
    (work / "shown").symlink_to("hidden")
    assert {"hidden/evil", "shown/evil"} <= set(inspect("look", ["true"], 10).signed.materials)


# --- names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".evil", "a\\b", "a\0b", None])
def test_a_name_that_leads_out_writes_nothing(work, name):
    inner = work / "inner"
    inner.mkdir()
    before = sorted(work.rglob("*"))
    with pytest.raises(FormatError):
        runlib.in_toto_run(name, [], [], [], signer=signer("bob"), metadata_directory="inner")
    with pytest.raises(FormatError):
        runlib.in_toto_record_start(name, [], signer=signer("bob"))
    assert sorted(work.rglob("*")) == before


@pytest.mark.parametrize("form", ["metablock", "dsse"])
def test_a_key_that_stands_twice_is_no_document(form):
    document = signed(Link(name="build"), form)
    document.dump("a.link")
    raw = Path("a.link").read_text()
    twice = raw.replace('"signatures"', '"signatures": [], "signatures"', 1)
    assert json.loads(twice) == json.loads(raw)
    Path("a.link").write_text(twice)
    with pytest.raises(FormatError, match="duplicate key"):
        Metadata.load("a.link")
