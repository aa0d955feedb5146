"""MATCH: the artifact is the one that another step reported.

Spec: in-toto v1.0 §4.3.3 (MATCH), §5.3.1.
"""

from __future__ import annotations

import hashlib

from vectors.generators.material import OTHER, SOURCE, TWO
from vectors.generators.vector import PASS, Expected, Vector, fails, of, passes

from navicert.testing import Content, Files, Rules, chain

SPEC = "in-toto v1.0 §4.3.3: MATCH consumes what both steps report with the same digest"
PREFIX = "in-toto v1.0 §4.3.3: IN names a folder on either side"
DIGESTS = "in-toto v1.0 §4.4: digests by algorithm"
CLOSED = "DISALLOW *"


def _tied(
    attack: str,
    strict: Expected = PASS,
    *,
    rules: Rules = ("MATCH src/* WITH PRODUCTS FROM fetch", CLOSED),
    fetched: Files,
    used: Files,
    spec: str = SPEC,
    in_toto: str = "",
    upstream: Expected | None = None,
    control: str = "",
) -> Vector:
    """Two steps: what fetch produced, and what build used under `rules`."""
    made = (
        chain()
        .having(form="metablock")
        .step("fetch", by="alice", products=["ALLOW *", CLOSED])
        .step("build", by="bob", materials=rules)
        .link("fetch", products=fetched)
        .link("build", materials=used)
    )
    expected = "pass" if strict.expect == "pass" else "RuleVerificationError"
    return of(
        made, attack=attack, spec=spec, in_toto=in_toto or expected, strict=strict, upstream=upstream, control=control
    )


LEFT = fails("rules", "rule.disallow", '"src/main.c"')
DIFFERS = fails("rules", "rule.match-unsatisfied", '"src/main.c" differs from the products of step "fetch"')


def match() -> Vector:
    """What was fetched is what was built."""
    return of(TWO, attack="none: the control of cases about MATCH", spec=SPEC, in_toto="pass")


def match_of_a_changed_file() -> Vector:
    """The source was changed between the two steps."""
    return _tied(
        "a file exchanged between two steps",
        DIFFERS,
        upstream=LEFT,
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": OTHER},
        control="match",
    )


def match_of_an_added_file() -> Vector:
    """A file that nobody fetched."""
    return _tied(
        "a file added between two steps",
        fails("rules", "rule.disallow", '"src/extra.c"'),
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": SOURCE, "src/extra.c": OTHER},
        control="match",
    )


def match_of_a_missing_file() -> Vector:
    """A file that was fetched and not used: MATCH consumes what is there, and asks for nothing."""
    return _tied(
        "none: whoever needs the file writes REQUIRE",
        fetched={"src/main.c": SOURCE, "src/util.c": SOURCE},
        used={"src/main.c": SOURCE},
    )


def match_of_a_changed_file_without_disallow() -> Vector:
    """The file was exchanged, and the list of rules does not end with DISALLOW: by the letter what is left is
    allowed."""
    return _tied(
        "a MATCH that does not match and says nothing",
        DIFFERS,
        rules=["MATCH src/* WITH PRODUCTS FROM fetch"],
        upstream=passes("rule.match-unsatisfied"),
        in_toto="pass",
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": OTHER},
        control="match",
    )


def match_of_a_changed_file_that_is_allowed() -> Vector:
    """The file was exchanged, and a later rule allows it in so many words."""
    return _tied(
        "none: the owner wrote that another version is fine",
        passes("rule.match-nothing"),
        rules=["MATCH src/* WITH PRODUCTS FROM fetch", "ALLOW src/main.c", CLOSED],
        upstream=PASS,
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": OTHER},
    )


def match_with_materials() -> Vector:
    """MATCH WITH MATERIALS looks at what fetch used, not at what it made."""
    return _tied(
        "the wrong side of a link compared",
        LEFT,
        rules=["MATCH src/* WITH MATERIALS FROM fetch", CLOSED],
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": SOURCE},
        control="match",
    )


def match_from_no_step() -> Vector:
    """The rule names a step that does not exist: it consumes nothing."""
    return _tied(
        "a rule that refers to nothing taken for one that holds",
        LEFT,
        rules=["MATCH src/* WITH PRODUCTS FROM fetsch", CLOSED],
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": SOURCE},
        control="match",
    )


def match_of_nothing() -> Vector:
    """The pattern fits no artifact: a warning, since it may be a typing error."""
    return _tied(
        "none: a rule without effect is said aloud",
        passes("rule.match-nothing"),
        rules=["MATCH lib/* WITH PRODUCTS FROM fetch", "ALLOW *", CLOSED],
        upstream=PASS,
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": SOURCE},
    )


def match_with_prefixes() -> Vector:
    """The file moved from one folder to another."""
    return _tied(
        "none: prefixes are taken off on one side and put before on the other",
        rules=["MATCH * IN work/src WITH PRODUCTS IN src FROM fetch", CLOSED],
        spec=PREFIX,
        fetched={"src/main.c": SOURCE},
        used={"work/src/main.c": SOURCE},
    )


def match_with_a_prefix_that_ends_in_a_slash() -> Vector:
    """The same with a slash at the end of the prefix."""
    return _tied(
        "none: one slash more means the same",
        rules=["MATCH * IN work/src/ WITH PRODUCTS IN src/ FROM fetch", CLOSED],
        spec=PREFIX,
        fetched={"src/main.c": SOURCE},
        used={"work/src/main.c": SOURCE},
    )


def match_with_half_a_name_as_prefix() -> Vector:
    """The prefix src is a folder, not the beginning of a name: src-new/main.c does not lie in it."""
    return _tied(
        "a folder that begins like the expected one",
        fails("rules", "rule.disallow", '"src-new/main.c"'),
        rules=["MATCH * IN src WITH PRODUCTS IN src FROM fetch", CLOSED],
        spec=PREFIX,
        fetched={"src/main.c": SOURCE},
        used={"src-new/main.c": SOURCE},
        control="match-with-prefixes",
    )


def match_with_a_pattern_in_the_prefix() -> Vector:
    """A prefix is literal: no folder is called *."""
    return _tied(
        "a pattern where a name belongs",
        fails("rules", "rule.disallow", '"work/main.c"'),
        rules=["MATCH main.c IN * WITH PRODUCTS IN src FROM fetch", CLOSED],
        spec=PREFIX,
        fetched={"src/main.c": SOURCE},
        used={"work/main.c": SOURCE},
        control="match-with-prefixes",
    )


def match_with_another_place() -> Vector:
    """The same content under another path, without prefixes: the path is part of what is compared."""
    return _tied(
        "a file that lands where it has another meaning",
        fails("rules", "rule.disallow", '"etc/main.c"'),
        rules=["MATCH * WITH PRODUCTS FROM fetch", CLOSED],
        fetched={"src/main.c": SOURCE},
        used={"etc/main.c": SOURCE},
        control="match",
    )


def match_from_itself() -> Vector:
    """A step may compare its materials with its own products: what it did not change."""
    return _tied(
        "none: FROM may name the step itself",
        fails("rules", "rule.disallow", '"src/main.c"'),
        rules=["MATCH src/* WITH PRODUCTS FROM build", CLOSED],
        fetched={"src/main.c": SOURCE},
        used={"src/main.c": SOURCE},
        control="match",
    ).having(attack="a step that vouches for its own materials by a product that it does not have")


# --- digests -------------------------------------------------------------------------------------------------------


def _sha(content: bytes, *algorithms: str) -> dict[str, str]:
    return {name: hashlib.new(name, content).hexdigest() for name in algorithms}


def _compared(
    attack: str,
    strict: Expected,
    fetched: Content,
    used: Content,
    *,
    in_toto: str,
    upstream: Expected | None = None,
    control: str = "",
) -> Vector:
    return _tied(
        attack,
        strict,
        fetched={"src/main.c": fetched},
        used={"src/main.c": used},
        spec=DIGESTS,
        in_toto=in_toto,
        upstream=upstream,
        control=control,
    )


REFUSED = "RuleVerificationError"


def digests_of_different_algorithms() -> Vector:
    """One step recorded SHA-256, the other SHA-512: nothing says that it is the same file."""
    return _compared(
        "a comparison without anything to compare",
        DIFFERS,
        _sha(SOURCE, "sha256"),
        _sha(SOURCE, "sha512"),
        in_toto=REFUSED,
        upstream=LEFT,
        control="match",
    )


def digests_with_one_algorithm_in_common() -> Vector:
    """The second step recorded one algorithm more; the common one is strong and equal. in-toto 3.1.0 asks for equal
    sets."""
    return _compared(
        "none: recording more must not break a chain",
        PASS,
        _sha(SOURCE, "sha256"),
        _sha(SOURCE, "sha256", "sha512"),
        in_toto=REFUSED,
        upstream=LEFT,
    )


def digests_of_which_one_differs() -> Vector:
    """SHA-256 is equal and SHA-512 is not: they cannot both be true."""
    first = {**_sha(SOURCE, "sha256"), **_sha(SOURCE, "sha512")}
    second = {**_sha(SOURCE, "sha256"), **_sha(OTHER, "sha512")}
    return _compared(
        "a contradiction of which only the agreeable half is looked at",
        DIFFERS,
        first,
        second,
        in_toto=REFUSED,
        upstream=LEFT,
        control="digests-with-one-algorithm-in-common",
    )


def digests_in_upper_case() -> Vector:
    """The same digest, its letters in upper case on one side."""
    upper = {name: value.upper() for name, value in _sha(SOURCE, "sha256").items()}
    return _compared(
        "none: hexadecimal is a number, not a text",
        PASS,
        _sha(SOURCE, "sha256"),
        upper,
        in_toto=REFUSED,
        upstream=LEFT,
    )


def digests_that_are_empty() -> Vector:
    """Neither step recorded any digest. Two empty sets are equal, and prove nothing."""
    return _compared(
        "any two files are the same where nobody recorded what they are",
        DIFFERS,
        {},
        {},
        in_toto="pass",
        upstream=PASS,
        control="match",
    )


def digests_that_are_weak() -> Vector:
    """Both recorded MD5 only, for which two files with one digest can be made at will."""
    return _compared(
        "a collision",
        DIFFERS,
        _sha(SOURCE, "md5"),
        _sha(SOURCE, "md5"),
        in_toto="pass",
        upstream=PASS,
        control="match",
    )


def digests_that_are_cut_short() -> Vector:
    """Both recorded the first sixteen digits of SHA-256."""
    short = {"sha256": _sha(SOURCE, "sha256")["sha256"][:16]}
    return _compared(
        "a digest short enough to be met by trying",
        DIFFERS,
        short,
        short,
        in_toto="pass",
        upstream=PASS,
        control="match",
    )


def digests_of_git_objects() -> Vector:
    """Both recorded a commit of git, which is compared with itself."""
    commit = {"gitCommit": hashlib.sha1(SOURCE, usedforsecurity=False).hexdigest()}
    return _compared("none: object names of git identify what git keeps", PASS, commit, commit, in_toto="pass")
