"""Attestations judged by themselves: what is asked of each, and what several of them come to."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.checks import causes, checks, misses, only, outcome, warnings

from navicert.crypto.key import Key
from navicert.crypto.signer import Signer
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import Limits
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import STATEMENT_TYPES, ResourceDescriptor, Statement
from navicert.testing import LATER, NOW, file_target, key, signer
from navicert.verdict import Outcome, Verdict
from navicert.verify.case import Part, Revocations, Target
from navicert.verify.inquiry import Artifact, Inquiry, Specimen, wanted_type
from navicert.verify.specimen import Trust, algorithms_of, examine, open_members
from navicert.verify.statement import judge

APP = b"app 1"
RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VSA = "https://slsa.dev/verification_summary/v1"
PASSED: dict[str, Any] = {"result": "PASSED", "configuration": [], "passedTests": ["unit"]}
SUMMARY: dict[str, Any] = {
    "verifier": {"id": "https://example.com/v"},
    "resourceUri": "pkg:app",
    "policy": {"uri": "https://example.com/p"},
    "timeVerified": "2026-01-01T00:00:00Z",
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_BUILD_LEVEL_2"],
}


def hashed(content: bytes, *algorithms: str) -> DigestSet:
    return DigestSet.of({name: hashlib.new(name, content).hexdigest() for name in algorithms or ("sha256",)})


def statement(
    predicate: dict[str, Any] | None = None, type: str = RESULT, *, about: DigestSet | None = None, name: str = "app"
) -> Statement:
    subject = ResourceDescriptor(name, digests=hashed(APP) if about is None else about)
    return Statement((subject,), type, PASSED if predicate is None else predicate)


def signed(body: Statement | Link | Layout, *signers: Signer) -> bytes:
    return seal(body, *(signers or (signer("bob"),)))


def artifact(content: bytes = APP, *algorithms: str) -> Artifact:
    return Artifact("app", hashed(content, *algorithms))


def specimens(raw: bytes, *keys: Key) -> tuple[Specimen, ...]:
    return tuple(examine(one, Trust(keys, NOW)) for one in open_members(raw, path="a.json"))


def ask(raw: bytes, about: Artifact | None = artifact(), by: tuple[str, ...] = ("bob",), **more: Any) -> Verdict:  # noqa: B008
    keys = tuple(key(name) for name in by)
    return judge(Inquiry(keys, NOW, about, **more), specimens(raw, *keys))


# --- one document --------------------------------------------------------------------------------------------------


def test_an_attestation_that_answers_every_question_passes() -> None:
    verdict = ask(signed(statement()))
    assert verdict.passed
    assert [check.outcome for check in verdict.root.children[0].children] == [Outcome.PASS] * 6
    assert verdict.root.reason.startswith("the result of a run of tests, signed by")
    assert len(verdict.inputs) == 1


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha384", "blake2b"])
def test_any_strong_digest_decides(algorithm: str) -> None:
    raw = signed(statement(about=hashed(APP, algorithm)))
    names = algorithms_of(open_members(raw))
    assert set(names) == {"sha256", algorithm}
    assert ask(raw, artifact(APP, *names)).passed


def test_without_an_artifact_it_passes_with_a_warning() -> None:
    verdict = ask(signed(statement()), None)
    assert verdict.passed
    assert warnings(verdict) == ["attestation.subject"]
    assert "no artifact was given" in verdict.root.reason


@pytest.mark.parametrize(
    ("raw", "id", "said"),
    [
        (b"", "attestation.signature", "empty"),
        (b"\x7fELF", "attestation.signature", "cannot be read"),
        (b"[]", "attestation.signature", "cannot be read"),
        (b"{}", "attestation.signature", "cannot be read"),
        (json.dumps(statement().to_json()).encode(), "attestation.signature", "nobody signed it"),
        (signed(Link("build")), "attestation.statement", "is a link"),
        (signed(Layout(LATER)), "attestation.statement", "is a layout"),
        (signed(statement(about=hashed(b"other"))), "attestation.subject", "it is about app sha256"),
        (signed(statement(about=hashed(APP, "sha1"))), "attestation.subject", "digests that decide nothing"),
        (signed(statement(about=hashed(APP, "sha512"))), "attestation.subject", "it has sha512 and no sha256"),
        (signed(statement(type="https://example.com/mine/v1")), "attestation.type", "not known here"),
        (signed(statement({"result": "PASSED"})), "attestation.predicate", '"configuration" is missing'),
        (signed(statement({**PASSED, "result": "FAILED"})), "attestation.result", "says FAILED"),
        (signed(statement({**PASSED, "failedTests": ["unit"]})), "attestation.result", "tests that failed: unit"),
        (signed(statement({**SUMMARY, "verificationResult": "FAILED"}, VSA)), "attestation.result", "did not pass"),
    ],
)
def test_the_first_question_that_goes_wrong_is_the_cause(raw: bytes, id: str, said: str) -> None:
    verdict = ask(raw)
    assert verdict.outcome is Outcome.FAIL
    assert causes(verdict) == [id]
    assert said in only(verdict, id).reason


def test_what_follows_from_a_failure_is_not_judged() -> None:
    verdict = ask(signed(statement()), by=("ann",))
    assert causes(verdict) == ["attestation.key"]
    assert "it carries signatures by" in only(verdict, "attestation.key").reason
    for id in ("attestation.statement", "attestation.subject", "attestation.type", "attestation.predicate"):
        assert outcome(verdict, id) is Outcome.SKIP


def test_a_good_verification_summary_passes() -> None:
    verdict = ask(signed(statement(SUMMARY, VSA)))
    assert verdict.passed
    assert "SLSA_BUILD_LEVEL_2" in only(verdict, "attestation.result").reason


@pytest.mark.parametrize("fields", [{"result": "WARNED"}, {"warnedTests": ["slow"]}])
def test_tests_with_warnings_pass_with_one(fields: dict[str, Any]) -> None:
    verdict = ask(signed(statement({**PASSED, **fields})))
    assert verdict.passed
    assert warnings(verdict) == ["attestation.result"]


# --- types ---------------------------------------------------------------------------------------------------------

SPDX = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "musl"}]}


@pytest.mark.parametrize("wanted", ["spdx", "spdxjson", "https://spdx.dev/Document", "https://spdx.dev/Document/v2.3"])
def test_a_type_is_asked_for_by_short_name_or_uri(wanted: str) -> None:
    raw = signed(statement(SPDX, "https://spdx.dev/Document/v2.3"))
    assert ask(raw, type=wanted_type(wanted)).passed


@pytest.mark.parametrize("wanted", ["cyclonedx", "https://spdx.dev/Document/v2.2", "https://spdx.dev/Document/v2"])
def test_another_type_or_version_is_not_what_was_asked_for(wanted: str) -> None:
    raw = signed(statement(SPDX, "https://spdx.dev/Document/v2.3"))
    assert causes(ask(raw, type=wanted_type(wanted))) == ["attestation.type"]


def test_an_unversioned_document_is_not_one_of_a_version_that_was_asked_for() -> None:
    raw = signed(statement(SPDX, "https://spdx.dev/Document"))
    assert causes(ask(raw, type="https://spdx.dev/Document/v2.3")) == ["attestation.type"]


def test_a_type_of_ones_own_is_taken_where_it_is_asked_for_and_said_to_be_unread() -> None:
    raw = signed(statement({"a": 1}, "https://example.com/mine/v1"))
    verdict = ask(raw, type=wanted_type("https://example.com/mine/v1"))
    assert verdict.passed
    assert warnings(verdict) == ["attestation.predicate"]


def test_a_word_that_is_no_type_is_refused() -> None:
    with pytest.raises(Malformed, match="no such predicate type"):
        wanted_type("sbom")


# --- signers -------------------------------------------------------------------------------------------------------


def test_every_key_given_must_have_signed_or_as_many_as_were_asked_for() -> None:
    both = signed(statement(), signer("ann"), signer("bob"))
    assert ask(both, by=("ann", "bob")).passed
    assert causes(ask(signed(statement()), by=("ann", "bob"))) == ["attestation.key"]
    assert ask(signed(statement()), by=("ann", "bob"), need=1).passed
    assert not ask(signed(statement()), by=("ann", "bob", "eve"), need=2).passed


def test_no_key_is_no_pass() -> None:
    assert not ask(signed(statement()), by=()).passed
    assert not ask(signed(statement()), by=(), need=1).passed


def test_what_is_revoked_does_not_count() -> None:
    raw = signed(statement())
    good = specimens(raw, key("bob"))[0].verified
    assert good is not None
    assert not ask(raw, revoked=Revocations(keys=frozenset({key("bob").id}))).passed
    for digest in (good.digest, good.content):
        verdict = ask(raw, revoked=Revocations(digests=frozenset({str(digest)})))
        assert "revoked by its digest" in only(verdict, "attestation.signature").reason


# --- several documents ---------------------------------------------------------------------------------------------

GOOD, BAD = signed(statement()), signed(statement({**PASSED, "result": "FAILED"}))
STRANGER = signed(statement({**PASSED, "result": "FAILED"}), signer("eve"))
ELSEWHERE = signed(statement({**PASSED, "result": "FAILED"}, about=hashed(b"other")))


@pytest.mark.parametrize("other", [STRANGER, ELSEWHERE, b"garbage", b"{}", signed(Link("build"))])
def test_what_is_somebody_elses_business_changes_nothing_and_is_named(other: bytes) -> None:
    for raw in (GOOD + b"\n" + other, other + b"\n" + GOOD):
        verdict = ask(raw)
        assert verdict.passed
        assert len(misses(verdict)) == 1


def test_another_type_is_nobodys_business_where_one_was_asked_for() -> None:
    scan = signed(statement({}, "https://in-toto.io/attestation/vulns/v0.2"))
    assert ask(GOOD + b"\n" + scan, type=RESULT).passed
    assert causes(ask(GOOD + b"\n" + scan)) == ["attestation.predicate"]


@pytest.mark.parametrize("raw", [GOOD + b"\n" + BAD, BAD + b"\n" + GOOD, b"\n".join([BAD, GOOD, STRANGER])])
def test_one_that_says_the_opposite_does_not_hide_behind_one_that_is_fine(raw: bytes) -> None:
    assert causes(ask(raw)) == ["attestation.result"]


def test_the_same_document_twice_is_one() -> None:
    again = json.dumps(json.loads(GOOD), indent=None, separators=(",", ":")).encode()
    verdict = ask(GOOD + b"\n" + again)
    assert verdict.passed
    assert len(checks(verdict, "attestation")) == 1


def test_where_none_is_to_the_point_the_one_that_came_furthest_is_named_first() -> None:
    verdict = ask(b"\n".join([b"garbage", STRANGER, ELSEWHERE]))
    assert causes(verdict) == ["attestation.none"]
    assert [check.subject for check in checks(verdict, "attestation")] == ["a.json:3", "a.json:1", "a.json:2"]


def test_no_document_at_all_is_no_pass() -> None:
    assert causes(judge(Inquiry((key("bob"),), NOW), ())) == ["attestation.none"]


def test_documents_are_limited_in_number() -> None:
    with pytest.raises(LimitExceeded):
        open_members(GOOD + b"\n" + BAD, Limits(evidence_files=1))


# --- artifacts -----------------------------------------------------------------------------------------------------


def test_digests_that_disagree_are_refused_though_one_agrees() -> None:
    lie = DigestSet.of({**dict(hashed(APP)), "sha512": hashlib.sha512(b"other").hexdigest()})
    verdict = ask(signed(statement(about=lie)), artifact(APP, "sha256", "sha512"))
    assert causes(verdict) == ["attestation.subject"]
    assert "another digest does not" in only(verdict, "attestation.subject").reason


def test_one_of_several_subjects_is_enough_for_a_file() -> None:
    subjects = tuple(ResourceDescriptor(f"file {i}", digests=hashed(b"%d" % i)) for i in range(9))
    raw = signed(Statement((*subjects, ResourceDescriptor("app", digests=hashed(APP))), RESULT, PASSED))
    assert ask(raw).passed
    assert "and 5 more" in only(ask(raw, artifact(b"none")), "attestation.subject").reason


def test_a_commit_is_compared_with_commits_only() -> None:
    commit = DigestSet.of({"gitCommit": "a" * 40})
    raw = signed(statement(about=commit))
    assert ask(raw, Artifact("HEAD", commit)).passed
    assert not ask(raw, Artifact("HEAD", DigestSet.of({"gitTree": "a" * 40}))).passed


def test_of_an_image_the_index_or_every_platform_must_be_among_the_subjects() -> None:
    parts = (Part("linux/amd64", frozenset({"a" * 64})), Part("linux/arm64", frozenset({"b" * 64})))
    image = Artifact("app:1", target=Target("app:1", "image", parts, Part("index", frozenset({"c" * 64}))))

    def about(*digits: str) -> bytes:
        found = tuple(ResourceDescriptor("_", digests=DigestSet.of({"sha256": digit * 64})) for digit in digits)
        return signed(Statement(found, RESULT, PASSED, STATEMENT_TYPES[1]))

    assert ask(about("c"), image).passed
    assert ask(about("a", "b"), image).passed
    assert not ask(about("a"), image).passed
    assert not ask(about("d"), image).passed


def test_a_file_that_holds_the_id_is_not_the_thing() -> None:
    digest = hashlib.sha256(APP).hexdigest()
    target = Target("app", "file", (Part("app", frozenset({digest}), {"b" * 64: f"sha256:{digest}"}),))
    assert ask(signed(statement()), Artifact("app", target=target)).passed
    raw = signed(statement(about=DigestSet.of({"sha256": "b" * 64})))
    assert not ask(raw, Artifact("app", target=target)).passed


# --- the inquiry ---------------------------------------------------------------------------------------------------


def test_the_digest_of_an_inquiry_covers_all_that_decides_but_the_moment() -> None:
    one = Inquiry((key("bob"),), NOW, artifact(), RESULT, 1)
    target = Artifact("app", target=file_target(APP))
    others = [
        Inquiry((key("ann"),), NOW, artifact(), RESULT, 1),
        Inquiry((key("bob"),), NOW, artifact(b"x"), RESULT, 1),
        Inquiry((key("bob"),), NOW, None, RESULT, 1),
        Inquiry((key("bob"),), NOW, target, RESULT, 1),
        Inquiry((key("bob"),), NOW, artifact(), "", 1),
        Inquiry((key("bob"),), NOW, artifact(), RESULT),
        Inquiry((key("bob"),), NOW, artifact(), RESULT, 1, Revocations(identities=frozenset({"x"}))),
    ]
    assert len({str(inquiry.digest) for inquiry in (one, *others)}) == len(others) + 1
    assert Inquiry((key("bob"),), NOW + timedelta(1), artifact(), RESULT, 1).digest == one.digest
