"""Gathering: what verifies becomes evidence, all else a near miss with its reason; nothing is left out silently."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from navicert.crypto.key import Key
from navicert.digest import DigestSet
from navicert.envelope.document import open_document, seal
from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.store import Piece
from navicert.store.gather import Gathered, gather
from navicert.testing import LATER, MemoryStore, chain, key, signer
from navicert.verify.case import Policy

GOOD = chain().step("build", by="bob").link("build")
STATEMENT = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab"})),), "https://example.com/p")


def gathered(made=GOOD, **more) -> Gathered:
    return gather(made.policy(), [made.store()], **more)


def reasons(found: Gathered) -> list[str]:
    return [refusal.reason for refusal in found.refused]


def test_what_a_functionary_signed_is_evidence_with_its_hints() -> None:
    found = gathered()
    (exhibit,) = found.exhibits
    assert exhibit.document.body == Link("build")
    assert exhibit.document.signers == (key("bob"),)
    assert (exhibit.step, exhibit.scope) == ("build", ())
    assert found.refused == ()


def test_nothing_is_gathered_for_a_layout_that_its_owners_did_not_sign() -> None:
    assert gather(GOOD.policy(signed_by="mallory"), [GOOD.store()]) == Gathered()


def test_nothing_is_gathered_for_a_policy_that_is_no_layout() -> None:
    sealed = open_document(seal(Link("build"), signer("owner")))
    assert gather(Policy(sealed, (key("owner"),), sealed.verified_by([key("owner")])), [GOOD.store()]) == Gathered()


def test_a_stranger_s_link_is_a_near_miss_that_names_whom_it_claims() -> None:
    found = gathered(GOOD.link("build", by="mallory"))
    (refusal,) = found.refused
    assert refusal.reason == f"no valid signature by a key of the layout; it names {key('mallory').short}"
    assert (refusal.step, refusal.claimed) == ("build", "build")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "cannot be read: not JSON"),
        (b"{}", "cannot be read: not a signed document"),
        (b'{"signed": {}, "signed": {}, "signatures": []}', "cannot be read: /: duplicate key"),
        (b"\xff", "cannot be read: not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_a_near_miss_without_its_file_name_twice(raw: bytes, reason: str) -> None:
    found = gathered(GOOD.file(raw, "build"))
    assert len(found.exhibits) == 1
    assert found.refused[0].reason.startswith(reason)
    assert found.refused[0].origin == "build.unknown.link"


def test_what_the_store_could_not_read_is_a_near_miss() -> None:
    store = MemoryStore([Piece("x.link", None, "cannot be read: permission denied", "build")])
    found = gather(GOOD.policy(), [store])
    assert reasons(found) == ["cannot be read: cannot be read: permission denied"]


def test_a_document_without_signatures_says_so() -> None:
    raw = json.loads(GOOD.filed[0].raw or b"")
    found = gathered(GOOD.without("build").file(json.dumps({**raw, "signatures": []}).encode(), "build"))
    assert reasons(found) == ["carries no signature"]


def test_a_signature_without_an_id_is_named_so() -> None:
    raw = json.loads(GOOD.link("build", by="mallory").filed[1].raw or b"")
    del raw["signatures"][0]["keyid"]
    found = gathered(GOOD.without("build").file(json.dumps(raw).encode(), "build"))
    assert reasons(found) == ["no valid signature by a key of the layout; it names (no id)"]


def test_a_signed_document_that_is_malformed_inside_is_a_near_miss() -> None:
    # The signature is right; what it is over is no link.
    raw = seal(replace(Link("build"), extra={"_type": "nonsense"}), signer("bob"))
    found = gathered(GOOD.without("build").file(raw, "build"))
    assert found.exhibits == ()
    assert "unknown document type" in reasons(found)[0]


def test_a_stranger_s_malformed_document_is_a_near_miss_too() -> None:
    raw = seal(replace(Link("build"), extra={"_type": "nonsense"}), signer("mallory"))
    assert "unknown document type" in reasons(gathered(GOOD.file(raw, "build")))[0]


def test_too_many_signatures_to_check_are_a_near_miss() -> None:
    raw = json.loads(GOOD.link("build", by="mallory").filed[1].raw or b"")
    raw["signatures"] *= 3
    tight = replace(LOCAL, signature_attempts=2)
    found = gathered(GOOD.without("build").file(json.dumps(raw).encode(), "build"), limits=tight)
    assert found.exhibits == ()
    assert len(found.refused) == 1


def test_statements_of_functionaries_are_gathered_and_those_of_strangers_claim_no_step() -> None:
    made = GOOD.file(seal(STATEMENT, signer("bob")), "build").file(seal(STATEMENT, signer("mallory")), "build")
    found = gathered(made)
    assert len(found.exhibits) == 2
    assert [refusal.claimed for refusal in found.refused] == [None]


def test_the_same_bytes_in_one_place_are_taken_once_under_the_first_name() -> None:
    piece = GOOD.filed[0]
    copies = [replace(piece, origin=name) for name in ("c", "a", "b")]
    found = gather(GOOD.policy(), [MemoryStore(copies[:1]), MemoryStore(copies[1:])])
    assert [exhibit.document.origin for exhibit in found.exhibits] == ["a"]


def test_the_same_bytes_filed_under_two_steps_are_two_hints() -> None:
    piece = GOOD.filed[0]
    found = gather(GOOD.policy(), [MemoryStore([piece, replace(piece, step_hint="test")])])
    assert {exhibit.step for exhibit in found.exhibits} == {"build", "test"}


def test_a_store_is_looked_at_up_to_the_limit_and_the_end_is_said() -> None:
    made = GOOD.link("build", by="mallory").link("build", by="eve")
    found = gathered(made, limits=replace(LOCAL, evidence_files=2))
    assert len(found.exhibits) == 1
    assert "limit evidence_files" in reasons(found)[0]
    whole = gathered(made, limits=replace(LOCAL, evidence_files=3))
    assert len(whole.refused) == 2


class TestSublayouts:
    """Whoever a verified sublayout names is believed too, and nobody else."""

    inner = chain().step("compile", by="carl").link("compile")
    outer = chain().step("all", by="lead").sublayout("all", inner)

    def test_bring_the_keys_of_their_own_functionaries(self) -> None:
        found = gathered(self.outer)
        assert {type(exhibit.document.body) for exhibit in found.exhibits} == {Layout, Link}
        assert found.refused == ()

    def test_bring_none_when_a_stranger_signed_them(self) -> None:
        found = gathered(chain().step("all", by="lead").sublayout("all", self.inner, by="mallory"))
        assert found.exhibits == ()
        assert len(found.refused) == 2

    def test_may_stand_in_the_store_in_any_order(self) -> None:
        backwards = self.outer.having(filed=tuple(reversed(self.outer.filed)))
        assert len(gathered(backwards).exhibits) == 2

    def test_are_followed_through_all_their_levels(self) -> None:
        made = self.inner
        for level in range(5):
            made = chain().step(f"s{level}", by=f"p{level}").sublayout(f"s{level}", made)
        assert len(gathered(made).exhibits) == 6
        assert gathered(made).refused == ()

    def test_find_more_signers_of_what_was_verified_already(self) -> None:
        # The link is signed by somebody of the layout and by somebody of the sublayout.
        inner = chain().step("compile", by="carl")
        made = chain().step("all", by="lead").step("own", by="bob").sublayout("all", inner)
        made = made.link("compile", by=["bob", "carl"])
        (link,) = [e for e in gathered(made).exhibits if isinstance(e.document.body, Link)]
        assert set(link.document.signers) == {key("bob"), key("carl")}

    def test_that_bring_a_bad_key_are_evidence_all_the_same_to_be_refused_with_the_reason(self) -> None:
        bad = Layout(LATER, keys={"ab" * 32: {"keytype": "odd"}})
        made = chain().step("all", by="lead").file(seal(bad, signer("lead")), "all")
        assert len(gathered(made).exhibits) == 1

    def test_that_bring_no_new_key_end_the_search(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        original = Key.verify

        def listening(self: Key, *question):
            asked.append(self.short)
            return original(self, *question)

        monkeypatch.setattr(Key, "verify", listening)
        made = chain().step("all", by="lead").sublayout("all", chain().step("again", by="lead"))
        assert len(gathered(made).exhibits) == 1
        assert asked.count(key("lead").short) == 1


def test_a_bad_key_in_the_policy_itself_is_malformed() -> None:
    layout = Layout(LATER, keys={"ab" * 32: {"keytype": "odd"}})
    policy = Policy.open(seal(layout, signer("owner")), [key("owner")])
    with pytest.raises(Malformed, match="/keys/"):
        gather(policy, [])


def test_no_store_holds_nothing() -> None:
    assert gather(GOOD.policy(), []) == Gathered()
