"""Ways to a PASS that the evidence does not carry, each tried once: none of them leads there."""

from __future__ import annotations

import hashlib

from navicert.testing import chain, file_target

X, Y = b"content that was reviewed", b"content that was not"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha512(content: bytes) -> str:
    return hashlib.sha512(content).hexdigest()


def test_one_liar_does_not_join_two_reports_that_never_agreed() -> None:
    # Ann recorded X by SHA-256 and Bea Y by SHA-512; Mal says that both are digests of one file, which agrees with
    # each of them and makes three.
    step = chain().step("build", by=["ann", "bea", "mal"], threshold=3)
    both = {"sha256": sha256(X), "sha512": sha512(Y)}
    forged = (
        step.link("build", by="ann", products={"app": {"sha256": sha256(X)}})
        .link("build", by="bea", products={"app": {"sha512": sha512(Y)}})
        .link("build", by="mal", products={"app": both})
    )
    assert not forged.verdict().passed
    assert not forged.verdict(target=file_target(X)).passed


def test_a_digest_that_only_one_of_two_recorded_is_vouched_for_by_one() -> None:
    # The next step recorded SHA-512 only, and Mal alone says that this is what Ann saw as X.
    steps = (
        chain()
        .step("build", by=["ann", "mal"], threshold=2)
        .step("pack", by="pat", materials=["MATCH app WITH PRODUCTS FROM build", "DISALLOW *"])
    )
    forged = (
        steps.link("build", by="ann", products={"app": {"sha256": sha256(X)}})
        .link("build", by="mal", products={"app": {"sha256": sha256(X), "sha512": sha512(Y)}})
        .link("pack", by="pat", materials={"app": {"sha512": sha512(Y)}})
    )
    assert not forged.verdict().passed


def test_what_two_recorded_with_more_and_fewer_digests_still_counts_for_both() -> None:
    steps = chain().step("build", by=["ann", "bea"], threshold=2)
    honest = steps.link("build", by="ann", products={"app": {"sha256": sha256(X)}}).link(
        "build", by="bea", products={"app": {"sha256": sha256(X).upper(), "sha512": sha512(X)}}
    )
    assert honest.verdict(target=file_target(X)).passed
