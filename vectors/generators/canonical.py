"""Canonical JSON, over which Metablocks are signed. The signed bytes are written out here, not computed.

Spec: in-toto v1.0 §4.1, OLPC canonical JSON.
"""

from __future__ import annotations

import json

from vectors.generators.material import APP, ONE, SOURCE, Document, block, name_of, signature
from vectors.generators.vector import PASS, Vector, fails, of

from navicert.digest import sha256

LINK = name_of("build", "bob")
SOURCE_DIGEST = sha256(SOURCE).hex
APP_DIGEST = sha256(APP).hex
SORTED = "OLPC canonical JSON: keys in the order of their code points"
RAW = "OLPC canonical JSON: only the quotation mark and the backslash are escaped"


def _message(byproducts: str) -> bytes:
    """The canonical form of the link of this group with these byproducts, spelled out."""
    text = (
        '{"_type":"link","byproducts":' + byproducts + ',"command":["make","app"],"environment":{},'
        '"materials":{"src/main.c":{"sha256":"' + SOURCE_DIGEST + '"}},"name":"build",'
        '"products":{"app":{"sha256":"' + APP_DIGEST + '"}}}'
    )
    return text.encode()


def _document(byproducts: Document) -> Document:
    return {
        "_type": "link",
        "name": "build",
        "command": ["make", "app"],
        "materials": {"src/main.c": {"sha256": SOURCE_DIGEST}},
        "products": {"app": {"sha256": APP_DIGEST}},
        "byproducts": byproducts,
        "environment": {},
    }


def _case(byproducts: Document, signed: str, *, attack: str, spec: str, good: bool, control: str = "") -> Vector:
    """A link with `byproducts`, signed over the canonical form that has `signed` in their place."""
    raw = block(_document(byproducts), [signature(_message(signed), "bob")])
    return of(
        ONE,
        attack=attack,
        spec=spec,
        evidence={LINK: raw},
        strict=PASS if good else fails("signature", "step.threshold", "no valid signature"),
        in_toto="pass" if good else "ThresholdVerificationError",
        refused={} if good else {LINK: "signature"},
        control=control,
    )


CONTROLS = {"stdout": "a\nb\tc\x01d\x7fe"}
ORDER = {"\U0001f600": "1", "\uffff": "2", "é": "3", "z": "4", "Z": "5"}
QUOTES = {"stdout": 'say "C:\\n" / done'}
WORDS = {"stdout": "caf\u00e9 \u6f22 \u2028 \U0001f6a2"}


def canonical_control_characters() -> Vector:
    """Line feed, tab, U+0001 and U+007F stand in the signed bytes as they are: the result need not be JSON."""
    return _case(
        CONTROLS,
        '{"stdout":"a\nb\tc\x01d\x7fe"}',
        attack="none: an encoder that escapes control characters cannot verify recorded output",
        spec=RAW,
        good=True,
    )


def canonical_control_characters_escaped() -> Vector:
    """The same link, signed over ordinary JSON with \\n and \\t."""
    return _case(
        CONTROLS,
        '{"stdout":"a\\nb\\tc\\u0001d\x7fe"}',
        attack="two encodings for one document",
        spec=RAW,
        good=False,
        control="canonical-control-characters",
    )


def canonical_order_of_code_points() -> Vector:
    """U+FFFF comes before U+1F600: the order of code points and of UTF-8, not of UTF-16."""
    return _case(
        ORDER,
        '{"Z":"5","z":"4","é":"3","\uffff":"2","\U0001f600":"1"}',
        attack="none: an encoder in a language with UTF-16 strings sorts otherwise",
        spec=SORTED,
        good=True,
    )


def canonical_order_of_utf_16() -> Vector:
    """The same link, signed with its keys in the order of UTF-16 code units: U+1F600 begins with U+D83D."""
    return _case(
        ORDER,
        '{"Z":"5","z":"4","é":"3","\U0001f600":"1","\uffff":"2"}',
        attack="the order of keys in the RFC 8785 canonical form, taken for that of OLPC",
        spec=SORTED,
        good=False,
        control="canonical-order-of-code-points",
    )


def canonical_order_by_locale() -> Vector:
    """The same link, signed with its keys in the order of a dictionary: z before Z, é after e."""
    return _case(
        ORDER,
        '{"é":"3","z":"4","Z":"5","\uffff":"2","\U0001f600":"1"}',
        attack="the order of keys depends on the machine's language",
        spec=SORTED,
        good=False,
        control="canonical-order-of-code-points",
    )


def canonical_quotes() -> Vector:
    """A quotation mark and a backslash get a backslash; a slash does not."""
    return _case(
        QUOTES,
        '{"stdout":"say \\"C:\\\\n\\" / done"}',
        attack="none: without these escapes two documents would share one form",
        spec=RAW,
        good=True,
    )


def canonical_quotes_unescaped() -> Vector:
    """The same link, signed without escapes: its bytes are also those of another document."""
    return _case(
        QUOTES,
        '{"stdout":"say "C:\\n" / done"}',
        attack="a string that ends early in the signed bytes and goes on as structure",
        spec=RAW,
        good=False,
        control="canonical-quotes",
    )


def canonical_non_ascii() -> Vector:
    """Letters, a line separator and a character beyond the basic plane, raw in UTF-8."""
    return _case(
        WORDS,
        '{"stdout":"café 漢 \u2028 \U0001f6a2"}',
        attack="none: an encoder that escapes what is not ASCII cannot verify it",
        spec=RAW,
        good=True,
    )


def canonical_non_ascii_escaped() -> Vector:
    """The same link, signed over \\u escapes, as most JSON libraries write them."""
    return _case(
        WORDS,
        json.dumps(WORDS, separators=(",", ":")),
        attack="two encodings for one document",
        spec=RAW,
        good=False,
        control="canonical-non-ascii",
    )


def canonical_with_spaces() -> Vector:
    """The link is signed over canonical JSON with a space after each colon of the byproducts."""
    return _case(
        {"stdout": ""},
        '{"stdout": ""}',
        attack="a signature over a pretty-printed form",
        spec="OLPC canonical JSON: no white space between tokens",
        good=False,
        control="plain",
    )


def canonical_integers() -> Vector:
    """Integers are decimal digits, negative ones with a minus; true, false and null are words."""
    return _case(
        {"return-value": 0, "large": 9007199254740993, "negative": -1, "nothing": None, "yes": True},
        '{"large":9007199254740993,"negative":-1,"nothing":null,"return-value":0,"yes":true}',
        attack="none: an encoder with doubles rounds 2^53 + 1",
        spec="OLPC canonical JSON: integers in decimal",
        good=True,
    )


def canonical_integer_rounded() -> Vector:
    """The same link, signed with 2^53 + 1 rounded to a double."""
    return _case(
        {"return-value": 0, "large": 9007199254740993, "negative": -1, "nothing": None, "yes": True},
        '{"large":9007199254740992,"negative":-1,"nothing":null,"return-value":0,"yes":true}',
        attack="two numbers, one signature",
        spec="OLPC canonical JSON: integers in decimal",
        good=False,
        control="canonical-integers",
    )


def canonical_spelling_of_the_file() -> Vector:
    """The file spells a path with \\/ and \\u0061: the canonical form knows only what was meant."""
    raw = block(_document({}), [signature(_message("{}"), "bob")])
    spelled = raw.replace(b'"src/main.c"', b'"src\\/m\\u0061in.c"')
    return of(
        ONE,
        attack="none: the signature is over the value, however the file spells it",
        spec="in-toto v1.0 §4.1: signatures are over canonical JSON, not over the file",
        evidence={LINK: spelled},
        in_toto="pass",
    )


def float_in_metablock() -> Vector:
    """A float has no canonical form. This one is integral, and signed as the integer."""
    raw = block(_document({"return-value": 0.0}), [signature(_message('{"return-value":0}'), "bob")])
    return of(
        ONE,
        attack="implementations write 0.0 differently, and some find the signature good",
        spec="OLPC canonical JSON: floating-point numbers are not allowed",
        evidence={LINK: raw},
        refused={LINK: "envelope"},
        strict=fails("envelope", "step.threshold", "floats cannot be signed"),
        in_toto="FormatError",
        control="canonical-integers",
    )


def float_in_dsse() -> Vector:
    """In an envelope the bytes are signed, so a float is nothing special."""
    from vectors.generators.material import dsse

    return of(
        ONE,
        attack="none: the control of float-in-metablock and of numbers that are no JSON",
        spec="DSSE v1.0.2: the signature is over the payload's bytes",
        evidence={LINK: dsse(_document({"load": 0.25}), "bob")},
        in_toto="FormatError",
    )
