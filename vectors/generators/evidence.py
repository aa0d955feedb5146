"""Evidence that is read, well signed, and still does not count, or not as often as it seems.

Spec: in-toto v1.0 §4.4, §5.2 (3 to 9).
"""

from __future__ import annotations

from collections.abc import Sequence

from vectors.generators.material import (
    APP,
    ONE,
    OTHER,
    PLAIN,
    SOURCE,
    Document,
    dsse,
    layout_of,
    link_of,
    metablock,
    name_of,
)
from vectors.generators.vector import PASS, Vector, evidence_of, fails, of, passes

from navicert.testing import Chain, Files, chain, key, signer

LINK = name_of("build", "bob")
THRESHOLD = "in-toto v1.0 §5.2 (4): as many different functionaries as the threshold says"
SAME = "in-toto v1.0 §5.2 (6): the links of a step report the same artifacts"
NAME = "in-toto v1.0 §4.4: the name of the link is that of the step"


def _shared(by: Sequence[str], threshold: int) -> Chain:
    """One step that several may perform."""
    return (
        chain()
        .having(form="metablock")
        .step(
            "build",
            by=by,
            threshold=threshold,
            materials=["ALLOW src/*", "DISALLOW *"],
            products=["CREATE app", "DISALLOW *"],
        )
    )


def _by(chain: Chain, who: str, *, source: bytes = SOURCE, app: bytes = APP) -> Chain:
    return chain.link("build", by=who, materials={"src/main.c": source}, products={"app": app})


# --- who -----------------------------------------------------------------------------------------------------------


def no_evidence() -> Vector:
    """The store is empty."""
    return of(
        ONE,
        attack="a step that was left out",
        spec=THRESHOLD,
        in_toto="LinkNotFoundError",
        strict=fails("evidence", "step.threshold", "no evidence found"),
        control="plain",
    )


def two_of_two() -> Vector:
    """Two people are required, and two signed."""
    return of(
        _by(_by(_shared(["bob", "carol"], 2), "bob"), "carol"),
        attack="none: the control of cases about thresholds",
        spec=THRESHOLD,
        in_toto="pass",
    )


def one_of_two() -> Vector:
    """Two people are required, and one signed."""
    return of(
        _by(_shared(["bob", "carol"], 2), "bob"),
        attack="one person alone does what two are to do",
        spec=THRESHOLD,
        in_toto="LinkNotFoundError",
        strict=fails("evidence", "step.threshold", "1 of 2 required signers"),
        control="two-of-two",
    )


def two_links_by_one_key() -> Vector:
    """Bob signed two links; one of them lies under Carol's name."""
    once = _by(_shared(["bob", "carol"], 2), "bob")
    second = metablock(link_of(edit=lambda link: link.update(byproducts={"attempt": 2})), "bob")
    return of(
        once,
        attack="one person counted twice, by file name",
        spec=THRESHOLD,
        in_toto="ThresholdVerificationError",
        evidence={**evidence_of(once), name_of("build", "carol"): second},
        strict=fails("evidence", "step.threshold", "1 of 2 required signers"),
        control="two-of-two",
    )


def one_link_under_two_names() -> Vector:
    """Bob's link, copied."""
    once = _by(_shared(["bob", "carol"], 2), "bob")
    return of(
        once,
        attack="one piece of evidence counted twice",
        spec=THRESHOLD,
        in_toto="ThresholdVerificationError",
        evidence={**evidence_of(once), name_of("build", "carol"): evidence_of(once)[LINK]},
        strict=fails("evidence", "step.threshold", "1 of 2 required signers"),
        control="two-of-two",
    )


def one_key_under_two_ids() -> Vector:
    """The layout holds Bob's key a second time, under another id. Two links name one id each."""
    alias = "b0b0" * 16

    def edit(layout: Document) -> None:
        layout["keys"] = {key("bob").id: key("bob").to_json(), alias: {**key("bob").to_json(), "keyid": alias}}
        layout["steps"][0].update(pubkeys=[key("bob").id, alias], threshold=2)

    from vectors.generators.material import block, signature

    from navicert.strictjson import canonical

    def link(attempt: int, keyid: str) -> bytes:
        document = link_of(edit=lambda body: body.update(byproducts={"attempt": attempt}))
        return block(document, [signature(canonical(document), "bob", keyid)])

    return of(
        ONE,
        attack="one person counted twice, by key id",
        spec=THRESHOLD,
        in_toto="pass",
        layout=metablock(layout_of(ONE, edit), "owner"),
        evidence={LINK: link(1, key("bob").id), f"build.{alias[:8]}.link": link(2, alias)},
        strict=fails("evidence", "step.threshold", "1 of 2 required signers"),
        control="two-of-two",
    )


def two_keys_of_one_person() -> Vector:
    """The layout says that both keys are Bob's, in the signed line at the end of its readme."""
    owned = _shared(["bob", "bob-at-work"], 2).release(persons={"Bob": ["bob", "bob-at-work"]})
    return of(
        _by(_by(owned, "bob"), "bob-at-work"),
        attack="one person counted twice, with two keys",
        spec=THRESHOLD,
        in_toto="pass",
        strict=fails("evidence", "step.threshold", "1 of 2 required signers"),
        control="two-keys-of-two-persons",
    )


def two_keys_of_two_persons() -> Vector:
    """The same with the second key declared to be Carol's."""
    owned = _shared(["bob", "carol"], 2).release(persons={"Bob": ["bob"], "Carol": ["carol"]})
    return of(
        _by(_by(owned, "bob"), "carol"),
        attack="none: the control of two-keys-of-one-person",
        spec=THRESHOLD,
        in_toto="pass",
    )


def threshold_above_the_number_of_people() -> Vector:
    """Three are required, and two are allowed."""
    return of(
        _by(_by(_shared(["bob", "carol"], 3), "bob"), "carol"),
        attack="a threshold that is lowered to what is there",
        spec=THRESHOLD,
        in_toto="LinkNotFoundError",
        strict=fails("evidence", "step.threshold", "this can never pass"),
        control="two-of-two",
    )


def functionary_of_another_step() -> Vector:
    """Alice is in the layout, for the step fetch; here she signs build."""
    both = ONE.step("fetch", by="alice")
    return of(
        both.link("fetch"),
        attack="somebody allowed one thing does another",
        spec="in-toto v1.0 §4.3.1: pubkeys of the step",
        in_toto="ThresholdVerificationError",
        evidence={**evidence_of(both.link("fetch")), LINK: metablock(link_of(), "alice")},
        strict=fails("evidence", "step.threshold", "who may not sign for this step"),
        control="plain",
    )


# --- what ----------------------------------------------------------------------------------------------------------


def _both_by_bob() -> Chain:
    return ONE.step("test", by="bob", materials=["ALLOW *"], products=["ALLOW *"])


def link_of_another_step_renamed() -> Vector:
    """Bob's genuine link of the step test, copied to where his link of build would be."""
    tested = _both_by_bob().link("test", materials={"src/main.c": SOURCE}, products={"app": APP})
    return of(
        tested,
        attack="a genuine report of one step passed off as that of another",
        spec=NAME,
        in_toto="pass",
        evidence={**evidence_of(tested), LINK: evidence_of(tested)[name_of("test", "bob")]},
        strict=fails("evidence", "step.threshold", 'is signed for another step, "test"'),
        control="plain",
    )


def link_with_a_name_in_another_case() -> Vector:
    """The signed name is Build."""
    return of(
        ONE,
        attack="two names that people take for one",
        spec=NAME,
        in_toto="pass",
        evidence={LINK: metablock(link_of("Build"), "bob")},
        strict=fails("evidence", "step.threshold", 'is signed for another step, "Build"'),
        control="plain",
    )


def link_of_no_step() -> Vector:
    """A stray link of a step that the layout does not have, beside the good one."""
    return of(
        PLAIN,
        attack="none: what belongs to no step is in nobody's way",
        spec="in-toto v1.0 §5.2 (3): links of the layout's steps",
        in_toto="pass",
        evidence={**evidence_of(PLAIN), name_of("deploy", "bob"): metablock(link_of("deploy"), "bob")},
    )


def unreadable_file_beside_the_link() -> Vector:
    """Carol's file is damaged; Bob's link is enough."""
    once = _by(_shared(["bob", "carol"], 1), "bob")
    broken = name_of("build", "carol")
    return of(
        once,
        attack="none: whoever can write one file must not be able to stop every verification",
        spec="in-toto v1.0 §5.2 (4): a link that does not verify is disregarded",
        in_toto="JSONDecodeError",
        evidence={**evidence_of(once), broken: b"{"},
        refused={broken: "json"},
    )


def strangers_link_beside_the_link() -> Vector:
    """Carol's file holds a link by somebody else; Bob's link is enough."""
    once = _by(_shared(["bob", "carol"], 1), "bob")
    other = name_of("build", "carol")
    return of(
        once,
        attack="none: whoever can write one file must not be able to stop every verification",
        spec="in-toto v1.0 §5.2 (4): a link that does not verify is disregarded",
        in_toto="pass",
        evidence={**evidence_of(once), other: metablock(link_of(products={"app": OTHER}), "mallory")},
        refused={other: "signature"},
    )


def links_that_disagree() -> Vector:
    """Two are required to report the same; Carol built something else."""
    return of(
        _by(_by(_shared(["bob", "carol"], 2), "bob"), "carol", app=b"another application\n"),
        attack="a build that only one of two vouches for",
        spec=SAME,
        in_toto="ThresholdVerificationError",
        strict=fails("evidence", "step.threshold", "disagree about the artifacts"),
        upstream=fails("evidence", "step.disagreement", "have different artifacts"),
        control="two-of-two",
    )


def two_of_three_agree() -> Vector:
    """Two are required, and two of three report the same. in-toto 3.1.0 wants all that are there to agree."""
    three = _by(_by(_shared(["bob", "carol", "dave"], 2), "bob"), "carol")
    return of(
        _by(three, "dave", app=b"another application\n"),
        attack="none: one that disagrees cannot take down what enough others vouch for",
        spec=SAME,
        in_toto="ThresholdVerificationError",
        strict=passes("step.disagreement"),
        upstream=fails("evidence", "step.disagreement", "have different artifacts"),
    )


def two_lies_of_three() -> Vector:
    """Three are required and agree in pairs only: Mal's link has the digest of Bob by SHA-256 and that of Carol by
    SHA-512, which are of different files."""
    other = b"another application\n"
    import hashlib

    bob = hashlib.sha256(APP).hexdigest()
    carol = hashlib.sha512(other).hexdigest()

    def link(who: str, digest: dict[str, str]) -> bytes:
        products: Files = {"app": digest}
        return metablock(link_of(products=products), who)

    evidence = {
        name_of("build", "bob"): link("bob", {"sha256": bob}),
        name_of("build", "carol"): link("carol", {"sha512": carol}),
        name_of("build", "mal"): link("mal", {"sha256": bob, "sha512": carol}),
    }
    return of(
        _shared(["bob", "carol", "mal"], 3),
        attack="a liar who joins two reports that never agreed",
        spec=SAME,
        in_toto="ThresholdVerificationError",
        evidence=evidence,
        strict=fails("evidence", "step.threshold", "disagree about the artifacts"),
        upstream=fails("evidence", "step.disagreement", "have different artifacts"),
        control="two-of-two",
    )


def links_that_disagree_where_one_is_enough() -> Vector:
    """One is required. Carol, whom the step names first, reports another source; of Bob's link all rules hold."""
    fetched = (
        chain()
        .having(form="metablock")
        .step("fetch", by="alice", products=["CREATE src/*", "DISALLOW *"])
        .step("build", by=["carol", "bob"], materials=["MATCH src/* WITH PRODUCTS FROM fetch", "DISALLOW *"])
        .link("fetch", products={"src/main.c": SOURCE})
    )
    return of(
        _by(_by(fetched, "bob"), "carol", source=OTHER),
        attack="none: evidence that is added cannot take down what stands without it",
        spec=SAME,
        in_toto="RuleVerificationError",
        strict=passes("step.disagreement"),
        upstream=fails("rules", "rule.disallow", '"src/main.c"'),
    )


# --- what is only worth knowing ------------------------------------------------------------------------------------


def another_command() -> Vector:
    """Bob ran another command than the layout expects: a warning, since a command proves little."""
    link = link_of(edit=lambda body: body.update(command=["make", "app", "CFLAGS=-O0"]))
    return of(
        ONE,
        attack="none: commands are compared, and a difference is said aloud",
        spec="in-toto v1.0 §5.2 (7): a difference of commands is a warning",
        in_toto="pass",
        evidence={LINK: metablock(link, "bob")},
        strict=passes("step.command"),
    )


def command_that_failed() -> Vector:
    """The recorded command returned 1."""
    link = link_of(edit=lambda body: body.update(byproducts={"return-value": 1}))
    return of(
        ONE,
        attack="none: the value is shown",
        spec="in-toto v1.0 §4.4: byproducts",
        in_toto="pass",
        evidence={LINK: metablock(link, "bob")},
        strict=passes("link.return-value"),
    )


# --- statements ----------------------------------------------------------------------------------------------------


def _statement(predicate_type: str, name: str = "build") -> bytes:
    link = link_of(name)
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path, "digest": digest} for path, digest in link["products"].items()],
        "predicateType": predicate_type,
        "predicate": {
            "name": name,
            "command": link["command"],
            "materials": [{"name": path, "digest": digest} for path, digest in link["materials"].items()],
        },
    }
    return dsse(document, "bob")


LINK_PREDICATE = "https://in-toto.io/attestation/link/v0.3"


def link_as_statement() -> Vector:
    """The link as an attestation with a link predicate. in-toto 3.1.0 reads no statements."""
    return of(
        ONE,
        attack="none: both forms of a link count",
        spec="attestation framework: link predicate v0.3",
        in_toto="InvalidMetadata",
        evidence={LINK: _statement(LINK_PREDICATE)},
    )


def statement_of_another_kind() -> Vector:
    """The same content under the type of a test result: an attestation of another kind is no link."""
    return of(
        ONE,
        attack="an attestation for one purpose used for another",
        spec="attestation framework: predicateType says what the predicate means",
        in_toto="InvalidMetadata",
        evidence={LINK: _statement("https://in-toto.io/attestation/test-result/v0.1")},
        strict=fails("evidence", "step.threshold", "no evidence found"),
        control="link-as-statement",
    )


def statement_for_another_step() -> Vector:
    """The name in the predicate is that of another step."""
    return of(
        ONE,
        attack="a genuine report of one step passed off as that of another",
        spec=NAME,
        in_toto="InvalidMetadata",
        evidence={LINK: _statement(LINK_PREDICATE, "test")},
        strict=fails("evidence", "step.threshold", 'is signed for another step, "test"'),
        control="link-as-statement",
    )


def same_name_for_two_people() -> Vector:
    """The ids of two functionaries begin with the same eight digits, so their links share one file name. Bob's key
    stands under such an id; the file holds his link."""
    from vectors.generators.material import block, signature

    from navicert.strictjson import canonical

    twin = key("carol").id[:8] + "00" * 28

    def edit(layout: Document) -> None:
        layout["keys"] = {key("carol").id: key("carol").to_json(), twin: {**key("bob").to_json(), "keyid": twin}}
        layout["steps"][0].update(pubkeys=[key("carol").id, twin])

    document = link_of()
    return of(
        ONE,
        attack="none: a file name says too little to decide whose link it holds",
        spec="in-toto v1.0 §4.4: file names carry part of the key id",
        in_toto="pass",
        layout=metablock(layout_of(ONE, edit), "owner"),
        evidence={name_of("build", "carol"): block(document, [signature(canonical(document), "bob", twin)])},
        strict=PASS,
    )


def id_in_the_form_of_another_implementation() -> Vector:
    """The layout names Bob's key by its modern id; his link names it by the id that in-toto 1.x gives the same key."""
    from vectors.generators.material import block, signature

    from navicert.strictjson import canonical

    document = link_of()
    return of(
        ONE,
        attack="none: implementations derive different ids from one key",
        spec="in-toto v1.0 §4.2: an id names a key",
        in_toto="ThresholdVerificationError",
        evidence={LINK: block(document, [signature(canonical(document), "bob", signer("bob").key.legacy_id)])},
    )
