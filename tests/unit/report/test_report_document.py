"""A document for people: what it says, what it does not say, and never more trust than was earned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.sample_chain import AT, CLOSED, SampleChain, digests, rule

from navicert.digest import DigestSet
from navicert.envelope.body import Body
from navicert.model.identity import IdentityPolicy
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.model.terms import Terms
from navicert.report.document import SeenDocument, SeenSignature, document_json, render_document, silences

KEYID = "0123456789abcdef" * 4


def seen(body: Body, *signatures: SeenSignature, form: str = "dsse") -> SeenDocument:
    return SeenDocument("file", form, "sha256:" + "ab" * 32, body, signatures)


def shown(body: Body, *signatures: SeenSignature, everything: bool = False, width: int = 80) -> str:
    return render_document(seen(body, *signatures), AT, width=width, everything=everything)


def silent(body: Body, *signatures: SeenSignature) -> list[str]:
    return list(silences(seen(body, *signatures)))


SIGNED = SeenSignature(KEYID)
LINK = Link(
    "build", ("make", "all the things"), {"a": digests(b"a")}, {"b": digests(b"b")}, {"return-value": 0}, {"os": "x"}
)


# --- signatures ----------------------------------------------------------------------------------------------------


def test_a_signature_that_nobody_checked_is_shown_as_not_checked() -> None:
    assert f"signed by    {KEYID[:16]}  not checked (--key PUB checks it)" in shown(LINK, SIGNED)


def test_a_checked_signature_is_shown_with_its_result() -> None:
    text = shown(LINK, SeenSignature(KEYID, True, "bob.pub"), SeenSignature(None, False))
    assert f"{KEYID[:16]}  valid: bob.pub" in text
    assert "(no key id)  NOT valid with any key given" in text


def test_an_unsigned_document_is_signed_by_nobody_and_says_so_twice() -> None:
    text = render_document(seen(LINK, form="unsigned"), AT)
    assert text.startswith("file: link, not signed, sha256:abababababab\n")
    assert "signed by    nobody" in text
    assert "who made it: nobody signed it" in text


def test_nothing_that_is_shown_claims_to_be_verified() -> None:
    document = document_json(seen(LINK, SeenSignature(KEYID, True, "bob.pub")))
    assert document["verified"] is False
    assert document["signatures"] == [{"keyid": KEYID, "valid": True, "key": "bob.pub", "certificate": None}]


def test_the_json_form_holds_the_whole_document() -> None:
    document = document_json(seen(LINK, SIGNED))
    assert document["body"] == LINK.to_json()
    assert document["kind"] == "link"
    assert document["signatures"] == [{"keyid": KEYID, "valid": None, "key": None, "certificate": None}]
    assert document["does_not_say"] == silent(LINK, SIGNED)


# --- layouts -------------------------------------------------------------------------------------------------------


def test_a_layout_is_shown_with_its_release_expiry_keys_steps_and_rules() -> None:
    chain = SampleChain(steps=2, inspections=(Inspection("look", ("sh", "-c", "test -f app"), (rule("ALLOW *"),)),))
    bob = chain.bob.key
    assert shown(chain.layout(), SIGNED) == (
        "file: layout, DSSE envelope, sha256:abababababab\n"
        f"signed by    {KEYID[:16]}  not checked (--key PUB checks it)\n"
        "name         sample version 1\n"
        "expires      2099-01-01T00:00:00Z (in 26390 days)\n"
        "readme       How it is built.\n"
        f"keys         {bob.id[:16]}  ed25519  bob\n"
        "step step00\n"
        f"  performed by 1 of: bob ({bob.short})\n"
        "  command      make\n"
        "  materials    DISALLOW *\n"
        "  products\n"
        "    ALLOW src/*\n"
        "    CREATE app\n"
        "    DISALLOW *\n"
        "step step01\n"
        f"  performed by 1 of: bob ({bob.short})\n"
        "  command      make\n"
        "  materials\n"
        "    MATCH * WITH PRODUCTS FROM step00\n"
        "    DISALLOW *\n"
        "  products\n"
        "    ALLOW src/*\n"
        "    CREATE app\n"
        "    DISALLOW *\n"
        "inspection look\n"
        "  runs         sh -c 'test -f app'\n"
        "  materials    ALLOW *\n"
    )


def signed_by(*identities: IdentityPolicy, persons: dict[str, tuple[IdentityPolicy, ...]] | None = None) -> Layout:
    """A policy of one step that any of `identities` performs."""
    step = Step("build", identities=identities, expected_materials=(rule("DISALLOW *"),))
    step = replace(step, expected_products=(rule("DISALLOW *"),))
    return Layout(AT, (step,), terms=Terms(Release("app", 1), identities=persons or {}))


def test_a_step_of_identities_says_who_may_perform_it() -> None:
    one = IdentityPolicy.exactly("ci@acme.example", "https://accounts.acme.example")
    text = shown(signed_by(one), SIGNED)
    assert '  performed by 1 of: "ci@acme.example" of "https://accounts.acme.example"\n' in text
    assert silent(signed_by(one), SIGNED) == []
    assert silent(signed_by(), SIGNED) == ["who may perform build"]


def test_signers_that_no_line_holds_are_listed_one_a_line() -> None:
    several = [IdentityPolicy.exactly(f"{name}@acme.example", "https://accounts.acme.example") for name in "ab"]
    text = shown(signed_by(*several, persons={"alice": tuple(several)}), SIGNED)
    lines = [f'"{name}@acme.example" of "https://accounts.acme.example"' for name in "ab"]
    assert f"  performed by 1 of:\n    {lines[0]}\n    {lines[1]}\n" in text
    assert f"identities\n  {lines[0]}  alice\n  {lines[1]}  alice\n" in text


@pytest.mark.parametrize(
    ("left", "said"),
    [(timedelta(0), "expired"), (timedelta(days=1), "within two days"), (timedelta(days=9), "in 9 days")],
)
def test_how_long_a_layout_is_still_valid_is_said(left: timedelta, said: str) -> None:
    assert f"({said})" in shown(Layout(AT + left), SIGNED)


def test_a_loose_layout_is_told_what_it_leaves_open() -> None:
    steps = (Step("open"), Step("half", 1, (KEYID,), (), (CLOSED,), (rule("CREATE *"),)))
    assert silent(Layout(AT, steps), SIGNED) == [
        "who may perform open",
        "that other materials are forbidden (no final DISALLOW *): open",
        "that other products are forbidden (no final DISALLOW *): open, half",
        "its version: an older layout cannot be told from a newer one",
    ]


def test_a_layout_without_steps_is_told_so() -> None:
    assert "what has to happen: it has no steps" in silent(Layout(AT), SIGNED)


def test_a_strict_layout_leaves_nothing_open() -> None:
    assert silent(SampleChain().layout(), SIGNED) == []


def test_a_step_by_an_unknown_key_or_by_nobody_is_shown_as_such() -> None:
    text = shown(Layout(AT, (Step("a", 1, (KEYID,)), Step("b"))), SIGNED)
    assert f"performed by 1 of: {KEYID[:8]} (no such key)" in text
    assert "performed by 1 of: nobody" in text


def test_a_release_line_that_cannot_be_read_is_shown_as_it_stands() -> None:
    text = shown(Layout(AT, readme='navicert: {"surprise":1}'), SIGNED)
    assert "unreadable: unknown field in the navicert line" in text
    assert 'readme       navicert: {"surprise":1}' in text


def test_a_version_without_a_name_is_shown() -> None:
    assert "name         (none) version 4" in shown(SampleChain(name="", version=4).layout(), SIGNED)


def test_fields_that_are_not_known_are_shown() -> None:
    layout = Layout(AT, (Step("a", extra={"note": "x"}),), extra={"zzz": [1, "b"]})
    assert "  unknown      note: x" in shown(layout, SIGNED)
    assert 'unknown      zzz: [1, "b"]' in shown(layout, SIGNED)


# --- links ---------------------------------------------------------------------------------------------------------


def test_a_link_is_shown_with_its_command_artifacts_and_surroundings() -> None:
    link = replace(LINK, byproducts={"return-value": 0, "stdout": "one\ntwo\n", "stderr": ""}, extra={"more": 1})
    text = shown(link, SIGNED)
    for line in (
        "step         build",
        "command      make 'all the things'",
        f"materials    a  sha256:{digests(b'a')[0][1][:12]}",
        "  stdout: one (first of 2 lines)",
        "  stderr: (empty)",
        "environment  os: x",
        "unknown      more: 1",
        "does not say when it was made: a link carries no time",
    ):
        assert line in text.splitlines()


def test_long_lists_are_cut_and_counted_unless_everything_is_asked_for() -> None:
    many = {f"src/{number:02}": digests(b"x") for number in range(30)}
    link = replace(LINK, products=many)
    assert "products (30)\n" in shown(link, SIGNED)
    assert "  … 20 more (--all shows them)\n" in shown(link, SIGNED)
    assert "src/29" not in shown(link, SIGNED)
    everything = shown(link, SIGNED, everything=True)
    assert f"src/29  {digests(b'x')}" in everything
    assert KEYID in everything


def test_an_empty_link_is_told_all_that_it_does_not_say() -> None:
    assert silent(Link("build")) == [
        "who made it: nobody signed it",
        "when it was made: a link carries no time",
        "what the step used: it has no materials",
        "what the step made: it has no products",
        "which command was run",
        "where it was run: its environment is empty",
    ]


def test_a_command_without_a_return_value_may_have_failed() -> None:
    assert "whether the command succeeded: it has no return value" in silent(replace(LINK, byproducts={}), SIGNED)


def test_digests_that_prove_nothing_are_pointed_out() -> None:
    weak: Mapping[str, DigestSet] = {str(n): DigestSet.of({"sha1": "ab" * 20} if n else {}) for n in range(7)}
    link = replace(LINK, products=weak)
    assert "the content of some products (no strong digest): 0, 1, 2, 3, 4 and 2 more" in silent(link, SIGNED)
    assert "0  (no digest)" in shown(link, SIGNED)


# --- statements ----------------------------------------------------------------------------------------------------


def test_a_statement_is_shown_with_its_subjects_and_what_it_says() -> None:
    subjects = (
        ResourceDescriptor("app", None, digests(b"app")),
        ResourceDescriptor(None, "git+https://x", DigestSet()),
    )
    text = shown(Statement(subjects, "https://example.com/mine", {"builder": {"id": "x"}}), SIGNED)
    for line in (
        "predicate    https://example.com/mine",
        f"  app  sha256:{digests(b'app')[0][1][:12]}",
        "  git+https://x  (no digest)",
        'says         builder: {"id": "x"}',
    ):
        assert line in text.splitlines()


def test_a_statement_of_a_known_type_is_told_in_its_own_words() -> None:
    type = "https://in-toto.io/attestation/test-result/v0.1"
    subject = ResourceDescriptor("app", None, digests(b"app"))
    text = shown(Statement((subject,), type, {"result": "FAILED", "configuration": [], "failedTests": ["a"]}), SIGNED)
    for line in ("is           the result of a run of tests", "result       FAILED", "failed (1)   a"):
        assert line in text.splitlines()
    assert "malformed    /predicate/result: no such value" in shown(
        Statement((subject,), type, {"result": "fine", "configuration": []}), SIGNED
    )


def test_a_statement_with_an_empty_predicate_says_nothing() -> None:
    statement = Statement((ResourceDescriptor("a", None, digests(b"a")),), "https://x/v1")
    assert "anything about its subjects: the predicate is empty" in silent(statement, SIGNED)


# --- both ----------------------------------------------------------------------------------------------------------


def test_lines_fit_the_width() -> None:
    link = replace(LINK, command=("x" * 300,), products={"y" * 300: digests(b"y"), "z": digests(b"z")})
    assert max(map(len, shown(link, SIGNED, width=72).splitlines())) <= 72


def test_nothing_in_a_document_moves_the_terminal() -> None:
    evil = "a\x1b[2J\r\n\u202eb"
    link = Link(
        evil, (evil,), {evil: digests(b"a")}, {evil: digests(b"b")}, {evil: evil}, {evil: {evil: evil}}, {evil: evil}
    )
    key = {"keytype": evil, "scheme": evil}
    layout = Layout(
        datetime(2099, 1, 1, tzinfo=UTC),
        (Step(evil, 1, (evil,), (evil,), (rule("ALLOW x"),)),),
        (Inspection(evil, (evil,)),),
        {evil: key},
        evil,
        {evil: evil},
    )
    subject = ResourceDescriptor(evil, None, digests(b"a"))
    statement = Statement((subject,), evil, {evil: evil})
    scai = {"attributes": [{"attribute": evil, "conditions": {evil: evil}, "evidence": {"uri": evil}}]}
    known = Statement((subject,), "https://in-toto.io/attestation/scai/v0.3", scai)
    broken = Statement((subject,), "https://in-toto.io/attestation/test-result/v0.1", {"result": evil, evil: evil})
    for body in (link, layout, statement, known, broken):
        for everything in (False, True):
            document = SeenDocument(evil, "dsse", "sha256:" + "ab" * 32, body, (SeenSignature(evil, True, evil),))
            text = render_document(document, AT, everything=everything)
            assert not [c for c in text if c in "\x1b\r\u202e"]
