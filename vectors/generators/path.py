"""Paths of artifacts: which spellings a link may use.

A path in a link that is not in normal form names what another spelling names: a rule on the one does not see the
other (CVE-2021-41087). Spec: in-toto v1.0 §4.4.
"""

from __future__ import annotations

from vectors.generators.material import ONE, SOURCE, link_of, metablock, name_of
from vectors.generators.vector import PASS, Expected, Vector, fails, of

LINK = name_of("build", "bob")
SPEC = "in-toto v1.0 §4.4: artifacts are named by paths"


def _named(path: str, attack: str, *, counts: bool, strict: Expected | None = None) -> Vector:
    """A step whose only material lies at `path`, and whose rules allow every name."""
    from navicert.testing import chain

    made = (
        chain()
        .having(form="metablock")
        .step(
            "build",
            by="bob",
            command="make app",
            materials=["ALLOW *", "DISALLOW *"],
            products=["ALLOW app", "DISALLOW *"],
        )
    )
    bad = fails("evidence", "step.threshold", f'a path that is not in normal form: "{path}"')
    return of(
        made,
        attack=attack,
        spec=SPEC,
        in_toto="pass",
        evidence={LINK: metablock(link_of(materials={path: SOURCE}), "bob")},
        strict=strict or (PASS if counts else bad),
        control="" if counts else "path",
    )


def path() -> Vector:
    """A relative path, its parts joined by single slashes."""
    return _named("src/main.c", "none: the control of cases about paths", counts=True)


def path_with_a_dot_before_it() -> Vector:
    """./src/main.c"""
    return _named("./src/main.c", "a prohibition of src/* that does not see the file", counts=False)


def path_with_two_slashes() -> Vector:
    """src//main.c"""
    return _named("src//main.c", "a MATCH of src/main.c that does not see the file", counts=False)


def path_that_goes_up_and_down() -> Vector:
    """doc/../src/main.c"""
    return _named("doc/../src/main.c", "a prohibition of src/* that does not see the file", counts=False)


def path_with_a_slash_after_it() -> Vector:
    """src/main.c/"""
    return _named("src/main.c/", "another spelling of one file", counts=False)


def path_that_is_a_dot() -> Vector:
    """The folder itself, which is no artifact."""
    return _named(".", "an artifact that stands for whatever lies there", counts=False)


def path_that_is_empty() -> Vector:
    """No name at all."""
    return _named("", "an artifact that no pattern but a star sees", counts=False)


def path_with_two_slashes_before_it() -> Vector:
    """//src/main.c, which normalising functions of some systems leave alone."""
    return _named("//src/main.c", "another spelling of /src/main.c", counts=False)


def path_below_file_scheme() -> Vector:
    """file:src/../main.c is a path behind its scheme."""
    return _named("file:src/../main.c", "a spelling that a scheme hides", counts=False)


def path_that_leads_out() -> Vector:
    """../lib/x.c is in normal form: what a step uses may lie outside its folder."""
    return _named("../lib/x.c", "none: legal, and reported", counts=True)


def path_that_is_absolute() -> Vector:
    """/usr/include/stdio.h"""
    return _named("/usr/include/stdio.h", "none: legal, and reported", counts=True)


def path_that_is_a_uri() -> Vector:
    """https://example.org//a/../b keeps its spelling: it is the name of something, not a path."""
    return _named("https://example.org//a/../b", "none: URIs are names, and no file system's", counts=True)


def path_that_is_a_package_url() -> Vector:
    """pkg:deb/debian/libc6@2.41?arch=amd64"""
    return _named("pkg:deb/debian/libc6@2.41?arch=amd64", "none: URIs are names, and no file system's", counts=True)


def paths_that_look_alike() -> Vector:
    """Readme and README are two files, or one, depending on the system: both stay, and a person is told."""
    from vectors.generators.vector import passes

    vector = of(
        ONE,
        attack="none: said aloud, and not decided",
        spec=SPEC,
        in_toto="pass",
        evidence={
            LINK: metablock(link_of(materials={"src/Readme": SOURCE, "src/README": SOURCE}), "bob"),
        },
    )
    return vector.having(strict=passes("artifact.twins"))
