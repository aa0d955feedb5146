"""A layout that the command line takes as plain is one that in-toto's own objects take, and they make the same of it.

`in-toto-verify` judges by such a layout without making these objects. What they would refuse must never get through:
whatever is odd about a layout, its keys or its signatures is left to them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from navicert.compat.shim.in_toto import keyring, verifylib
from navicert.compat.shim.in_toto.models.metadata import Metadata
from navicert.compat.shim.in_toto.policy import plain_policy
from navicert.crypto.signer import MemorySigner, generate
from navicert.envelope.dsse import PAYLOAD_TYPE, POLICY_PAYLOAD_TYPE, encode_base64, pae
from navicert.errors import Malformed
from navicert.strictjson import canonical
from navicert.verify.case import Policy

NOW = datetime(2030, 1, 1, tzinfo=UTC)
BOB, RITA, OLD = generate(), generate("rsa", bits=2048), generate()
SIGNERS: dict[str, MemorySigner] = {
    "ed25519": generate(),
    "ecdsa": generate("ecdsa"),
    "rsa": generate("rsa", bits=2048),
    "legacy": OLD.with_id(OLD.key.legacy_id),
}
KINDS = tuple(SIGNERS)

LAYOUT: dict[str, object] = {
    "_type": "layout",
    "expires": "2999-01-01T00:00:00Z",
    "readme": "",
    "keys": {BOB.keyid: BOB.key.to_json(), RITA.keyid: RITA.key.to_json()},
    "steps": [
        {
            "_type": "step",
            "name": "build",
            "threshold": 1,
            "pubkeys": [BOB.keyid],
            "expected_command": ["make"],
            "expected_materials": [["MATCH", "*", "IN", "a", "WITH", "PRODUCTS", "IN", "b", "FROM", "fetch"]],
            "expected_products": [["CREATE", "out"], ["disallow", "*"]],
        },
        {"name": "fetch"},
    ],
    "inspect": [{"_type": "inspection", "name": "look", "run": ["true"], "expected_materials": [["ALLOW", "*"]]}],
}
POLICY = {
    "_type": "navicert-policy/v1",
    "name": "app",
    "version": 1,
    "expires": LAYOUT["expires"],
    "keys": {BOB.keyid: BOB.key.to_json()},
    "steps": [{"name": "build", "pubkeys": [BOB.keyid]}],
}


def with_key(**fields: object) -> dict[str, object]:
    """The layout with a key that these fields are changed of."""
    return {**LAYOUT, "keys": {BOB.keyid: {**BOB.key.to_json(), **fields}}}


ODD: list[object] = [
    None, True, False, 0, 1, -1, 2**70, 1.5, "", "x", "layout", "step", "build", "look", "../x", ".", "a/b", "é", "zz",
    "2020-01-01T00:00:00Z", "2031-01-01", "2031-01-01T00:00:00Z", "rsa", "ed25519", "ecdsa-sha2-nistp256", BOB.keyid,
    "ABCDEF12", [], {}, [[]], [{}], ["ALLOW"], [["ALLOW", "*"]], [["ALLOW", 1]], [["NOTHING", "*"]], ["x", 1],
    {"a": {"b": [1.5]}}, {"public": 1}, {"public": "ab"}, {"public": "ab", "private": "x"}, {"x": {"keyval": {}}},
]  # fmt: skip
NAMES = [
    "x", "self", "_type", "name", "steps", "inspect", "keys", "expires", "readme", "rootcas", "intermediatecas",
    "cert_constraints", "threshold", "type", "method", "hashes", "subkeys", "keyid", "keytype", "scheme", "keyval",
    "keyid_hash_algorithms", "creation_time", "public", "private", "certificate", "kwargs", "run", "pubkeys",
]  # fmt: skip


@st.composite
def layouts(draw) -> dict[str, object]:
    """The layout with up to two changes anywhere in it: a value replaced or left out, a field added, or one twice."""
    changed: dict[str, object] = copy.deepcopy(LAYOUT)
    for _ in range(draw(st.integers(0, 2))):
        place: object = changed
        while True:
            if not isinstance(place, dict | list) or not place:
                break
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            token = draw(st.sampled_from(keys))
            below = place[token]  # type: ignore[index]  # a key of it
            if isinstance(below, dict | list) and below and draw(st.integers(0, 3)):
                place = below
                continue
            action = draw(st.sampled_from(["replace", "drop", "add", "double"]))
            if action == "replace":
                place[token] = copy.deepcopy(draw(st.sampled_from(ODD)))  # type: ignore[index]
            elif action == "drop":
                del place[token]  # type: ignore[attr-defined]
            elif isinstance(place, dict):
                place[draw(st.sampled_from(NAMES))] = copy.deepcopy(draw(st.sampled_from(ODD)))
            elif action == "double":
                place.append(copy.deepcopy(below))
            break
    return changed


@st.composite
def entries(draw) -> list[tuple[str, str, object]]:
    """How each signature is made: by whom, over what, and with which id (None: none at all)."""
    who = st.sampled_from(KINDS)
    what = st.sampled_from(["this", "this", "this", "something else"])
    ids = st.sampled_from(["own", "own", "own", "modern", "legacy", None, "", "#0", "#1", "ab" * 32, 1])
    return draw(st.lists(st.tuples(who, what, ids), min_size=0, max_size=3))


def written(described, made, form: str, kind: object = PAYLOAD_TYPE, **more) -> bytes:
    """The bytes of a document that is signed so."""
    payload = json.dumps(described).encode()
    message = pae(str(kind), payload) if form == "dsse" else canonical(described)
    signatures = []
    for who, what, keyid in made:
        signer = SIGNERS[who]
        value = signer.sign(message if what == "this" else b"something else")
        entry: dict[str, object] = {"sig": encode_base64(value) if form == "dsse" else value.hex()}
        if keyid is not None:
            ids = {"own": signer.keyid, "modern": signer.key.modern_id, "legacy": signer.key.legacy_id}
            entry["keyid"] = ids.get(keyid, keyid)
        signatures.append(entry)
    if form == "dsse":
        return json.dumps(
            {"payload": encode_base64(payload), "payloadType": kind, "signatures": signatures, **more}
        ).encode()
    return json.dumps({"signed": described, "signatures": signatures, **more}).encode()


def by_objects(raw: bytes, owners: Sequence[str]) -> Policy:
    """What in-toto's objects make of it."""
    layout = Metadata._read("root.layout", raw)
    return verifylib._policy(layout, keyring.public_keys(owners, None, lambda who: SIGNERS[who].key), None, NOW)


def plain(raw: bytes, owners: Sequence[str]) -> Policy | None:
    return plain_policy(raw, "root.layout", [SIGNERS[who].key for who in owners], NOW)


def expect_same(one: Policy, other: Policy) -> None:
    assert one == other
    assert [key.id for key in one.owners] == [key.id for key in other.owners]


@pytest.mark.parametrize("form", ["dsse", "metablock"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_program_of_in_toto_signs_is_plain(kind, form):
    raw = written(LAYOUT, [(kind, "this", "own")], form)
    policy = plain(raw, [kind])
    assert policy is not None
    expect_same(policy, by_objects(raw, [kind]))


@given(
    layouts(),
    st.none() | entries(),
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=2),
    st.sampled_from(["dsse", "metablock"]),
    st.sampled_from([PAYLOAD_TYPE, PAYLOAD_TYPE, "application/vnd.in-toto.x+json", POLICY_PAYLOAD_TYPE]),
    st.sampled_from([{}, {}, {"payload": ""}, {"signed": {}}, {"x": 1.5}, {"signatures": {}}]),
)
@example(LAYOUT, [("rsa", "this", None)], ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(LAYOUT, [("rsa", "this", "ab" * 32)], ["rsa"], "metablock", PAYLOAD_TYPE, {})
@example(LAYOUT, [("rsa", "this", "own"), ("rsa", "this", "own")], ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(
    LAYOUT, [("rsa", "this", "own"), ("rsa", "this", None), ("rsa", "this", "#1")], ["rsa"], "dsse", PAYLOAD_TYPE, {}
)
@example(LAYOUT, [("legacy", "this", "own")], ["legacy", "rsa"], "dsse", PAYLOAD_TYPE, {})
@example(LAYOUT, [("legacy", "this", "own"), ("rsa", "other", "own")], ["legacy", "rsa"], "dsse", PAYLOAD_TYPE, {})
@example(LAYOUT, None, ["rsa"], "dsse", "application/vnd.in-toto.x+json", {})
@example(POLICY, None, ["rsa"], "dsse", POLICY_PAYLOAD_TYPE, {})
@example({**LAYOUT, "expires": "2029-01-01T00:00:00Z"}, None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example({**LAYOUT, "self": 1}, None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example({**LAYOUT, "steps": [{"name": "a", "self": 1}]}, None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example({**LAYOUT, "inspect": [{"name": "a", "self": 1}]}, None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example({**LAYOUT, "keys": {"ab" * 32: {}}}, None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(with_key(keyid=1), None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(with_key(scheme="x"), None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(with_key(keytype=[]), None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(with_key(keyval={}), None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(with_key(keyval=[]), None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@example(with_key(type="rsa", method="x", hashes=[], subkeys=[1]), None, ["rsa"], "dsse", PAYLOAD_TYPE, {})
@settings(max_examples=800)
def test_what_is_plain_is_what_the_objects_make_of_it(described, made, owners, form, kind, more):
    try:
        raw = written(described, [(who, "this", "own") for who in owners] if made is None else made, form, kind, **more)
    except Malformed:
        assume(False)  # nobody could sign it
    policy = plain(raw, owners)
    event("plain" if policy is not None else "left to the objects")
    if policy is not None:
        expect_same(policy, by_objects(raw, owners))


def test_without_owners_nothing_is_plain():
    raw = written(LAYOUT, [("ed25519", "this", "own")], "dsse")
    assert plain_policy(raw, "root.layout", [], NOW) is None
