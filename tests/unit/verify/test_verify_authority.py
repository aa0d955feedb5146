"""Who may sign for what: key material and persons, never ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from navicert.crypto.key import Key
from navicert.errors import Malformed
from navicert.model.layout import Layout, Step
from navicert.model.principal import Principal
from navicert.model.release import Release
from navicert.testing import LATER, chain, key, signer
from navicert.verify.authority import Authority

ANN, BEA = key("ann"), key("bea")


def layout(*keys: tuple[str, Key], readme: str = "", **stated: str) -> Layout:
    """A layout with these keys under these ids; `stated` are key ids inside the key objects, by the id outside."""
    objects = {id: {**key.to_json(), "keyid": stated.get(id, id)} for id, key in keys}
    return Layout(LATER, keys=objects, readme=readme)


def persons(**of: tuple[str, ...]) -> str:
    return Release(persons=of).append_to("")


def test_keys_are_known_by_the_ids_of_the_layout_verbatim() -> None:
    authority = Authority.of(layout(("ab" * 32, ANN)))
    assert authority.keys == {"ab" * 32: ANN}
    assert authority.authorised(Step("build", pubkeys=("ab" * 32,))) == {ANN}


def test_ids_that_the_layout_has_no_key_for_authorise_nobody() -> None:
    authority = Authority.of(layout((ANN.id, ANN)))
    for keyid in (BEA.id, ANN.legacy_id, ANN.id.upper(), ANN.id[:8]):
        assert authority.authorised(Step("build", pubkeys=(keyid,))) == frozenset()


def test_one_key_under_two_ids_is_one_signer() -> None:
    authority = Authority.of(layout(("ab" * 32, ANN), ("cd" * 32, ANN)))
    step = Step("build", threshold=2, pubkeys=("ab" * 32, "cd" * 32))
    assert len(authority.authorised(step)) == 1
    assert len({authority.principal(one) for one in authority.authorised(step)}) == 1


def test_one_key_under_two_schemes_is_one_signer() -> None:
    from navicert.crypto.signer import generate

    rsa = generate("rsa", bits=2048).key
    other = replace(rsa, scheme="rsa-pkcs1v15-sha256", id="cd" * 32)
    authority = Authority.of(layout((rsa.id, rsa), (other.id, other)))
    found = authority.authorised(Step("build", pubkeys=(rsa.id, other.id)))
    assert len(found) == 2
    assert len({authority.principal(one) for one in found}) == 1


@pytest.mark.parametrize(
    "bad",
    [
        layout((ANN.id, ANN), (ANN.legacy_id, BEA)),
        layout((ANN.modern_id, BEA), ("ab" * 32, ANN)),
        layout(("ab" * 32, ANN), ("cd" * 32, BEA), **{"cd" * 32: "ab" * 32}),
        layout(("ab" * 32, ANN), ("cd" * 32, BEA), **{"ab" * 32: "ef" * 32, "cd" * 32: "ef" * 32}),
        layout(("ab" * 32, ANN), ("cd" * 32, BEA), **{"cd" * 32: ANN.go_id}),
    ],
)
def test_two_different_keys_that_answer_to_one_id_are_refused(bad: Layout) -> None:
    with pytest.raises(Malformed, match="two different keys answer to one id"):
        Authority.of(bad)


def test_a_bad_key_is_refused_where_it_stands() -> None:
    with pytest.raises(Malformed) as caught:
        Authority.of(Layout(LATER, keys={"ab" * 32: {"keytype": "ed25519", "scheme": "ed25519", "keyval": {}}}))
    assert caught.value.pointer.startswith("/keys/" + "ab" * 32)


class TestPersons:
    both = layout((ANN.id, ANN), (BEA.id, BEA), readme=persons(ann=(ANN.id, BEA.id)))

    def test_count_once_with_all_their_keys(self) -> None:
        authority = Authority.of(self.both)
        assert authority.principal(ANN) == authority.principal(BEA) == Principal("person", "ann")
        assert str(authority.principal(ANN)) == "ann"

    def test_are_keys_where_nobody_is_declared(self) -> None:
        authority = Authority.of(layout((ANN.id, ANN)))
        assert authority.principal(ANN) == Principal("key", ANN.fingerprint)
        assert str(authority.principal(ANN)) == ANN.short
        assert str(authority.principal(BEA)) == BEA.short

    def test_are_called_by_the_id_that_the_layout_uses(self) -> None:
        assert str(Authority.of(layout(("ab" * 32, ANN))).principal(ANN)) == "ab" * 4

    def test_with_a_key_that_the_layout_does_not_have_are_refused(self) -> None:
        with pytest.raises(Malformed, match="not in the layout"):
            Authority.of(layout((ANN.id, ANN), readme=persons(bea=(BEA.id,))))

    def test_that_share_a_key_under_two_ids_are_refused(self) -> None:
        shared = persons(ann=("ab" * 32,), bea=("cd" * 32,))
        with pytest.raises(Malformed, match="one key belongs to two persons"):
            Authority.of(layout(("ab" * 32, ANN), ("cd" * 32, ANN), readme=shared))

    def test_are_what_the_caller_says_before_what_the_layout_says(self) -> None:
        authority = Authority.of(layout((ANN.id, ANN), readme=persons(ann=(ANN.id,))), {ANN.fingerprint: "Ann B."})
        assert authority.principal(ANN) == Principal("person", "Ann B.")

    def test_stay_one_when_the_caller_names_one_of_their_keys(self) -> None:
        authority = Authority.of(self.both, {ANN.fingerprint: "Ann B."})
        assert authority.principal(ANN) == authority.principal(BEA) == Principal("person", "Ann B.")

    def test_are_two_when_the_caller_says_so(self) -> None:
        authority = Authority.of(self.both, {ANN.fingerprint: "Ann B.", BEA.fingerprint: "Bea"})
        assert authority.principal(ANN) != authority.principal(BEA)

    def test_may_be_declared_for_keys_that_no_layout_names(self) -> None:
        authority = Authority.of(layout((ANN.id, ANN)), {BEA.fingerprint: "bea"})
        assert authority.principal(BEA) == Principal("person", "bea")

    def test_are_read_from_the_signed_line_of_the_readme(self) -> None:
        made = chain().step("build", by=["ann", "bea"]).release(version=3, persons={"ann": ["ann", "bea"]})
        authority = Authority.of(made.layout())
        assert authority.release.version == 3
        assert authority.principal(signer("bea").key) == Principal("person", "ann")
