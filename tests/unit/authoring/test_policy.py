"""Drafts become layouts, and documents stay what they were."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from navicert.authoring.policy import read_policy
from navicert.crypto.key import Key
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release

TEXT = b"""\
name: my-app
version: 3
expires: 6 months
readme: text
functionaries: {alice: [alice.pub, carol.pub], bob: bob.pub}
steps:
  - {name: build, by: [alice, bob], threshold: 2, products: [DISALLOW *]}
"""


@pytest.fixture
def read(read_key, at):
    return lambda raw, path="f.yaml", **limits: read_policy(
        raw, read_key, at, path=path, limits=replace(LOCAL, **limits)
    )


@pytest.fixture
def document(signers):
    """A small layout in its own form."""
    key = signers["alice"].key
    step = Step("build", pubkeys=(key.id,))
    return Layout(datetime(2030, 1, 1, tzinfo=UTC), steps=(step,), keys={key.id: key.to_json()}, readme="text")


def test_a_draft_becomes_a_layout_with_keys_persons_and_a_moment_of_expiry(read, signers):
    layout = read(TEXT).finished()
    ids = {name: signer.keyid for name, signer in signers.items()}
    assert layout.steps[0].pubkeys == (ids["alice"], ids["carol"], ids["bob"])
    assert layout.expires == datetime(2027, 9, 1, tzinfo=UTC)
    assert layout.keys == {ids[name]: signers[name].key.to_json() for name in ("alice", "carol", "bob")}
    release = Release.of(layout.readme)
    assert (release.name, release.version) == ("my-app", 3)
    assert release.persons == {"alice": (ids["alice"], ids["carol"]), "bob": (ids["bob"],)}
    assert layout.readme.startswith("text\nnavicert: {")


def test_keys_are_written_in_the_shape_that_every_implementation_verifies(read):
    for keyid, key in read(TEXT).finished().keys.items():
        assert set(key) == {"keyid", "keyid_hash_algorithms", "keytype", "keyval", "scheme"}
        assert key["keyid"] == keyid
        assert set(key["keyval"]) == {"public"}


def test_the_same_draft_at_the_same_moment_gives_the_same_layout(read):
    assert read(TEXT).finished() == read(TEXT).finished()


def test_a_layout_reads_back_as_what_it_was(read):
    layout = read(TEXT).finished()
    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


def test_a_layout_without_expiry_is_not_finished(read):
    policy = read(TEXT.replace(b"expires: 6 months\n", b""))
    assert policy.expires is None
    with pytest.raises(Malformed, match=r"f\.yaml: /expires: the layout says nothing about when it expires"):
        policy.finished()


def test_a_key_of_two_persons_is_not_finished(read):
    policy = read(TEXT.replace(b"bob.pub", b"alice.pub"))
    with pytest.raises(Malformed, match=r"f\.yaml: /functionaries: .*belongs to two persons"):
        policy.finished()


def test_an_expiry_beyond_the_calendar_is_refused_with_its_line(read):
    with pytest.raises(Malformed, match=r"f\.yaml:3: /expires: date out of range"):
        read(TEXT.replace(b"6 months", b"9000 years"))


def test_a_key_that_cannot_be_read_is_named_with_whose_it_is(at):
    def no_key(file):
        raise Malformed("no such key file", path=file)

    with pytest.raises(Malformed, match=r'alice\.pub: no such key file, the key of "alice" in f\.yaml:5'):
        read_policy(TEXT, no_key, at, path="f.yaml")


def test_json_of_the_authoring_format_is_read(read):
    raw = json.dumps({"expires": "1 day", "functionaries": {"bob": "bob.pub"}, "steps": [{"name": "s", "by": "bob"}]})
    policy = read(raw.encode(), path="f.json")
    assert policy.finished().expires == datetime(2027, 3, 2, tzinfo=UTC)
    assert policy.release.name == ""


def test_a_flow_mapping_in_a_file_called_yaml_is_yaml(read):
    assert read(b"{expires: 1 day, steps: []}", path="F.YML").expires
    with pytest.raises(Malformed, match=r"f\.json: not JSON"):
        read(b"{expires: 1 day, steps: []}", path="f.json")


def test_an_unsigned_layout_of_another_program_is_read_and_its_keys_completed(read, document, signers):
    value = document.to_json()
    key = signers["alice"].key
    value["keys"][key.id] = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.public_text}}
    policy = read(json.dumps(value).encode(), path="f.json")
    assert policy.given
    assert policy.finished() == document


def test_keys_that_are_not_understood_stay_as_they_are(read, document):
    odd = {"a" * 40: {"type": "rsa", "method": "pgp+rsa-pkcsv1.5"}}
    value = replace(document, keys=odd).to_json()
    assert read(json.dumps(value).encode(), path="f.json").finished().keys == odd


def test_a_version_line_in_an_unsigned_layout_is_understood(read, document):
    value = replace(document, readme=Release("my-app", 7).append_to("text")).to_json()
    policy = read(json.dumps(value).encode(), path="f.json")
    assert policy.release == Release("my-app", 7)
    assert policy.finished().readme.count("navicert:") == 1


@pytest.mark.parametrize("form", ["dsse", "metablock"])
def test_a_signed_layout_is_read_as_it_is(read, document, signers, form):
    raw = seal(document, signers["owner"], form=form)
    policy = read(raw, path="root.layout")
    assert policy.finished() == document
    assert policy.sealed.raw == raw


@pytest.mark.parametrize("form", ["dsse", "metablock"])
def test_a_signed_layout_without_expiry_can_be_looked_at_and_not_finished(read, document, signers, form):
    class Undated:
        @staticmethod
        def to_json():
            return {name: value for name, value in document.to_json().items() if name != "expires"}

    if form == "dsse":
        raw = seal(Undated(), signers["owner"], form=form)  # type: ignore[arg-type]  # all that is asked of a body
    else:
        block = json.loads(seal(document, signers["owner"], form=form))
        del block["signed"]["expires"]
        raw = json.dumps(block).encode()
    policy = read(raw, path="root.layout")
    assert policy.expires is None
    assert policy.layout.steps == document.steps
    with pytest.raises(Malformed, match=r"root\.layout: /expires"):
        policy.finished()


def test_a_link_where_a_layout_belongs_is_refused(read, signers):
    link = Link("build")
    with pytest.raises(Malformed, match=r"f: not a layout \(expected a layout, got a link\)"):
        read(seal(link, signers["bob"]), path="f")
    with pytest.raises(Malformed, match=r"f: /_type: not a layout"):
        read(json.dumps(link.to_json()).encode(), path="f")


@pytest.mark.parametrize(
    "raw",
    [b"{", b"{}x", b'{"a": 1, "a": 2}', b'{"_type": "layout"}', b'{"_type": 1}', b'{"signed": 1}', b'{"payload": 1}',
     b'{"signed": {"_type": "layout", "steps": 1}, "signatures": []}', b'{"_type": "layout", "steps": {}}',
     b'{"payloadType": "application/vnd.in-toto+json", "payload": "MQ==", "signatures": []}', b"[]", b'"x"', b""],
)  # fmt: skip
def test_other_documents_are_refused_with_the_name_of_the_file(read, raw):
    with pytest.raises(Malformed) as caught:
        read(raw, path="f")
    assert str(caught.value).startswith("f: ") or str(caught.value).startswith("f:1: ")


def test_the_limits_that_are_given_hold(read):
    with pytest.raises(Malformed, match="limit yaml_bytes"):
        read(TEXT, yaml_bytes=10)
    with pytest.raises(Malformed, match="limit document_bytes"):
        read(b'{"steps": []}', path="f.json", document_bytes=5)


def test_a_key_is_used_under_the_id_that_its_reader_chooses(signers, at):
    def legacy(file):
        key = signers[file.removesuffix(".pub")].key
        return key.with_id(key.legacy_id)

    layout = read_policy(TEXT, legacy, at).finished()
    assert signers["bob"].key.legacy_id in layout.steps[0].pubkeys
    for keyid, value in layout.keys.items():
        assert Key.from_json(value).id == keyid
