"""Layouts that are not what a layout is: signed by their owner, and refused all the same.

Spec: in-toto v1.0 §4.3. The owner signed the mistake, so only the reader stands between it and its consequence.
"""

from __future__ import annotations

from datetime import UTC, datetime

from vectors.generators.material import (
    ONE,
    PLAIN,
    TWO,
    Document,
    Edit,
    dsse,
    edited,
    layout_of,
    link_of,
    metablock,
    name_of,
    without,
)
from vectors.generators.vector import Expected, Vector, evidence_of, fails, of, passes

from navicert.testing import chain, key

LINK = name_of("build", "bob")


def _edited(
    edit: Edit, says: str, *, attack: str, spec: str, in_toto: str, control: str = "plain", signed: str = "metablock"
) -> Vector:
    """PLAIN with its layout edited, then signed."""
    document = layout_of(PLAIN, edit)
    return Vector(
        attack,
        spec,
        metablock(document, "owner") if signed == "metablock" else dsse(document, "owner"),
        fails("model", "Malformed", says),
        in_toto,
        control=control,
        evidence=evidence_of(PLAIN),
    )


def _step(**fields: object) -> Edit:
    def edit(layout: Document) -> None:
        layout["steps"][0].update(fields)

    return edit


THRESHOLD = "in-toto v1.0 §4.3.1: threshold is how many pieces of evidence are needed"


def threshold_of_zero() -> Vector:
    """The step may be skipped: zero links are enough."""
    return _edited(
        _step(threshold=0),
        "threshold below 1",
        attack="a step that nobody has to perform",
        spec=THRESHOLD,
        in_toto="pass",
    )


def threshold_below_zero() -> Vector:
    """Minus one is always reached."""
    return _edited(
        _step(threshold=-1),
        "threshold below 1",
        attack="a step that nobody has to perform",
        spec=THRESHOLD,
        in_toto="pass",
    )


def threshold_of_true() -> Vector:
    """`true` is 1 in some languages, and no integer in JSON."""
    return _edited(
        _step(threshold=True),
        "expected integer, got boolean",
        attack="a value whose meaning depends on the reader's language",
        spec=THRESHOLD,
        in_toto="pass",
    )


def threshold_as_text() -> Vector:
    """ "1" in quotes."""
    return _edited(
        _step(threshold="1"),
        "expected integer, got string",
        attack="a comparison between a number and a text",
        spec=THRESHOLD,
        in_toto="FormatError",
    )


def threshold_as_float() -> Vector:
    """1.0, which is an integer to some parsers."""
    return _edited(
        _step(threshold=1.0),
        "expected integer, got number",
        attack="a value whose type depends on the reader's language",
        spec=THRESHOLD,
        in_toto="FormatError",
        control="plain-dsse",
        signed="dsse",
    )


def step_name_twice() -> Vector:
    """Two steps are called build, so one link counts for both."""

    def edit(layout: Document) -> None:
        layout["steps"].append(edited(layout["steps"][0], None))

    return _edited(
        edit,
        "name used twice",
        attack="one piece of evidence for two steps",
        spec="in-toto v1.0 §4.3.1: a name identifies a step",
        in_toto="FormatError",
    )


def step_and_inspection_of_one_name() -> Vector:
    """A MATCH that names build could mean either."""

    def edit(layout: Document) -> None:
        layout["inspect"].append({"_type": "inspection", "name": "build", "run": ["true"]})

    return _edited(
        edit,
        "name used twice",
        attack="a rule that refers to something other than its author meant",
        spec="in-toto v1.0 §4.3.1: a name identifies a step",
        in_toto="FormatError",
    )


NAMES = "in-toto v1.0 §4.4: the name of a step is part of a file name"


def step_name_that_leads_out() -> Vector:
    """The evidence of this step would lie in the folder above."""
    return _edited(
        _step(name="../build"),
        "not a usable name",
        attack="a name that becomes a path",
        spec=NAMES,
        in_toto="LinkNotFoundError",
    )


def step_name_empty() -> Vector:
    """A step without a name."""
    return _edited(
        _step(name=""),
        "not a usable name",
        attack="a step that nothing can refer to",
        spec=NAMES,
        in_toto="LinkNotFoundError",
    )


def step_name_missing() -> Vector:
    """A step that has no field name at all."""
    return _edited(
        lambda layout: layout["steps"][0].pop("name"),
        'required field "name" is missing',
        attack="absence taken for a name that fits",
        spec="in-toto v1.0 §4.3.1: name",
        in_toto="LinkNotFoundError",
        control="plain-dsse",
        signed="dsse",
    )


def step_name_with_control_character() -> Vector:
    """The name holds an escape sequence that clears a terminal's line."""
    return _edited(
        _step(name="build\u001b[2K"),
        "not a usable name",
        attack="a name that rewrites the report about it",
        spec=NAMES,
        in_toto="LinkNotFoundError",
    )


EXPIRES = "in-toto v1.0 §4.3.1: expires is a UTC time as YYYY-MM-DDTHH:MM:SSZ"


def expires_missing() -> Vector:
    """A layout that says nothing about when it ends."""
    return _edited(
        without("expires"),
        'required field "expires" is missing',
        attack="a policy that is valid for ever",
        spec=EXPIRES,
        in_toto="SignatureVerificationError",
    )


def expires_missing_in_envelope() -> Vector:
    """The same in an envelope, where nothing is completed before the signature is checked."""
    return _edited(
        without("expires"),
        'required field "expires" is missing',
        attack="a policy that is valid for ever",
        spec=EXPIRES,
        in_toto="pass",
        control="plain-dsse",
        signed="dsse",
    )


def expires_with_offset() -> Vector:
    """The same moment with an offset instead of Z."""
    return _edited(
        lambda layout: layout.update(expires="2027-01-01T00:00:00+00:00"),
        "not a timestamp",
        attack="a time that is compared as text, or read in the local zone",
        spec=EXPIRES,
        in_toto="FormatError",
    )


def expires_on_no_day() -> Vector:
    """The thirtieth of February."""
    return _edited(
        lambda layout: layout.update(expires="2027-02-30T00:00:00Z"),
        "not a real date",
        attack="a date that libraries move to another day",
        spec=EXPIRES,
        in_toto="FormatError",
    )


def expired() -> Vector:
    """Judged a year after the layout ended."""
    return of(
        PLAIN,
        attack="an old policy that allows what a newer one forbids",
        spec="in-toto v1.0 §5.2 (2): the layout has not expired",
        in_toto="LayoutExpiredError",
        strict=fails("policy", "layout.expired", "expired on 2027-01-01T00:00:00Z"),
        at=datetime(2028, 1, 1, tzinfo=UTC),
        control="plain",
    )


def expired_to_the_second() -> Vector:
    """Judged at the very second: what expires then is no longer valid."""
    return of(
        PLAIN,
        attack="a comparison that is off by one second",
        spec="in-toto v1.0 §5.2 (2): the layout has not expired",
        in_toto="LayoutExpiredError",
        strict=fails("policy", "layout.expired", "expired on 2027-01-01T00:00:00Z"),
        at=datetime(2027, 1, 1, tzinfo=UTC),
        control="valid-for-one-more-second",
    )


def valid_for_one_more_second() -> Vector:
    """Judged one second earlier."""
    return of(
        PLAIN,
        attack="none: the control of expired-to-the-second",
        spec="in-toto v1.0 §5.2 (2): the layout has not expired",
        in_toto="pass",
        at=datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
    )


def no_steps() -> Vector:
    """A layout with nothing in it."""
    empty = chain().having(form="metablock")
    return of(
        empty,
        attack="a policy that everything satisfies",
        spec="in-toto v1.0 §4.3.1: steps",
        in_toto="pass",
        strict=fails("policy", "layout.empty", "nothing is verified"),
        upstream=passes("layout.empty"),
        control="plain",
    )


def steps_missing() -> Vector:
    """A layout without the field steps."""
    return _edited(
        without("steps"),
        'required field "steps" is missing',
        attack="absence taken for an empty list",
        spec="in-toto v1.0 §4.3.1: steps",
        in_toto="TypeError",
    )


def steps_as_object() -> Vector:
    """The steps by name in an object, as one would write them by hand."""

    def edit(layout: Document) -> None:
        layout["steps"] = {"build": layout["steps"][0]}

    return _edited(
        edit,
        "expected array, got object",
        attack="a container whose elements are never looked at",
        spec="in-toto v1.0 §4.3.1: steps is a list",
        in_toto="TypeError",
    )


GRAMMAR = "in-toto v1.0 §4.3.3: the grammar of rules"


def rule_with_unknown_keyword() -> Vector:
    """A typing error in DISALLOW."""
    return _edited(
        _step(expected_materials=[["ALLOW", "src/*"], ["DISALOW", "*"]]),
        "not an artifact rule",
        attack="a mistyped prohibition that is skipped",
        spec=GRAMMAR,
        in_toto="FormatError",
    )


def rule_with_an_extra_word() -> Vector:
    """One pattern too many."""
    return _edited(
        _step(expected_materials=[["ALLOW", "src/*", "lib/*"], ["DISALLOW", "*"]]),
        "has 3 words",
        attack="a rule of which a part is ignored",
        spec=GRAMMAR,
        in_toto="FormatError",
    )


def rule_match_without_step() -> Vector:
    """A MATCH that does not say against what."""
    return _edited(
        _step(expected_materials=[["MATCH", "src/*", "WITH", "PRODUCTS"], ["DISALLOW", "*"]]),
        "not a MATCH rule",
        attack="a rule of which a part is guessed",
        spec=GRAMMAR,
        in_toto="FormatError",
    )


def rule_keywords_in_lower_case() -> Vector:
    """Keywords are read in either case; patterns are not."""
    layout = layout_of(PLAIN, _step(expected_materials=[["allow", "src/*"], ["Disallow", "*"]]))
    return of(
        PLAIN,
        attack="none: keywords are not case-sensitive",
        spec=GRAMMAR,
        in_toto="pass",
        layout=metablock(layout, "owner"),
    )


# --- keys ----------------------------------------------------------------------------------------------------------

KEYS = "in-toto v1.0 §4.3.1: keys maps ids to public keys"


def two_keys_under_one_id() -> Vector:
    """Mallory's key object says that its id is Bob's. Whose signature counts for that id depends on which is read."""

    def edit(layout: Document) -> None:
        mallory = key("mallory")
        layout["keys"][mallory.id] = {**mallory.to_json(), "keyid": key("bob").id}

    return _edited(
        edit,
        "two different keys answer to one id",
        attack="a second key under the name of a trusted one",
        spec=KEYS,
        in_toto="pass",
    )


def private_key_in_layout() -> Vector:
    """The key object holds the private half. Everybody who reads the layout can sign as Bob."""

    def edit(layout: Document) -> None:
        layout["keys"][key("bob").id]["keyval"]["private"] = "11" * 32

    return _edited(
        edit,
        "holds a private key",
        attack="a published private key",
        spec=KEYS,
        in_toto="pass",
    )


def key_of_unknown_type() -> Vector:
    """A key of a type that nobody can check."""
    return _edited(
        lambda layout: layout["keys"][key("bob").id].update(keytype="xmss", scheme="xmss"),
        "unsupported type of key",
        attack="a key that is skipped, and its requirement with it",
        spec=KEYS,
        in_toto="ValueError",
    )


def key_that_signs_everything() -> Vector:
    """The point of order one as an Ed25519 key: one constant signature, which no private key made, verifies over every
    message. In the layout it lets anybody perform the step."""
    point, zero = "01" + "00" * 31, "00" * 32
    weak = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": point}}
    keyid = "ab" * 32
    layout = layout_of(ONE)
    layout["keys"] = {keyid: {**weak, "keyid": keyid, "keyid_hash_algorithms": ["sha256", "sha512"]}}
    layout["steps"][0]["pubkeys"] = [keyid]
    from vectors.generators.material import block

    link = block(link_of(), [{"keyid": keyid, "sig": point + zero}])
    return Vector(
        "a key under which anybody can sign",
        "RFC 8032 §5.1.7; small-order points are no keys",
        metablock(layout, "owner"),
        fails("model", "Malformed", "Ed25519 key refused"),
        "pass",
        control="plain",
        evidence={f"build.{keyid[:8]}.link": link},
    )


def pubkey_that_is_not_among_the_keys() -> Vector:
    """The step names a key that the layout does not hold: nobody can ever perform it."""
    layout = layout_of(PLAIN, lambda document: document.update(keys={}))
    return of(
        PLAIN,
        attack="a key that is fetched from elsewhere because the policy names its id",
        spec="in-toto v1.0 §4.3.1: pubkeys refer to keys",
        in_toto="ThresholdVerificationError",
        layout=metablock(layout, "owner"),
        strict=Expected("signature", "step.threshold", "can never pass"),
        refused={LINK: "signature"},
        control="plain",
    )


# --- links ---------------------------------------------------------------------------------------------------------


def _link(edit: Edit, says: str, *, attack: str, in_toto: str, control: str = "plain") -> Vector:
    return of(
        ONE,
        attack=attack,
        spec="in-toto v1.0 §4.4",
        in_toto=in_toto,
        evidence={LINK: metablock(link_of(edit=edit), "bob")},
        strict=fails("model", "step.threshold", says),
        refused={LINK: "model"},
        control=control,
    )


def link_without_name() -> Vector:
    """A link that does not say of which step it is."""
    return _link(
        without("name"),
        'required field "name" is missing',
        attack="evidence that fits every step",
        in_toto="pass",
        control="plain-dsse",
    ).having(evidence={LINK: dsse(link_of(edit=without("name")), "bob")})


def link_with_materials_as_list() -> Vector:
    """The materials as a list of paths, without digests."""
    return _link(
        lambda link: link.update(materials=["src/main.c"]),
        "expected object, got array",
        attack="artifacts that no rule looks at",
        in_toto="FormatError",
    )


def link_with_a_digest_that_is_none() -> Vector:
    """A word where a digest belongs."""
    return _link(
        lambda link: link["products"].update(app={"sha256": "unknown"}),
        "digest is not hexadecimal",
        attack="two unknown digests that are equal",
        in_toto="FormatError",
    )


def two_steps() -> Vector:
    """Two steps, the second tied to the first: the control of cases about chains."""
    return of(TWO, attack="none: the control of cases with two steps", spec="in-toto v1.0 §5.2", in_toto="pass")
