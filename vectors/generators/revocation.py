"""What is denied at once, what belongs to another run, and what is older than has been seen.

In-toto has no word for these; the reference implementation ignores them. `revoked` holds digests (`alg:hex`), ids of
keys, and names of persons.
"""

from __future__ import annotations

from typing import Any

from vectors.generators.material import APP, ONE, PLAIN, SOURCE, layout_of, link_of, metablock, name_of
from vectors.generators.vector import PASS, Expected, Vector, fails, of

from navicert.digest import sha256
from navicert.testing import Chain, key

LINK = name_of("build", "bob")


def _denied(what: str, attack: str, strict: Expected, chain: Chain = PLAIN, **fields: Any) -> Vector:
    return of(
        chain,
        attack=attack,
        spec="Navicert: what is revoked does not count, at once and without a new layout",
        in_toto="pass",
        strict=strict,
        revoked=(what,),
        **({"control": "plain"} | fields),
    )


def revoked_owner() -> Vector:
    """The key of the layout's owner."""
    return _denied(
        key("owner").id, "a stolen key of an owner", fails("signature", "layout.owner", "this key is revoked")
    )


def revoked_layout() -> Vector:
    """The digest of the layout's file."""
    digest = sha256(metablock(layout_of(PLAIN), "owner"))
    return _denied(
        str(digest), "a policy with a mistake", fails("signature", "layout.signature", "this layout is revoked")
    )


def revoked_functionary() -> Vector:
    """Bob's key."""
    return _denied(
        key("bob").id,
        "a stolen key of a functionary",
        fails("evidence", "step.threshold", "is signed with a revoked key"),
    )


def revoked_functionary_by_another_id() -> Vector:
    """Bob's key, by the id that in-toto 1.x gives it: it is one key, whatever it is called."""
    return _denied(
        key("bob").legacy_id,
        "a revoked key under another of its ids",
        fails("evidence", "step.threshold", "is signed with a revoked key"),
    )


def revoked_person() -> Vector:
    """Bob himself, as the layout names him."""
    chain = PLAIN.release(persons={"Bob": "bob"})
    return _denied(
        "Bob", "somebody who has left", fails("evidence", "step.threshold", "is signed by Bob, who is revoked"), chain
    )


def revoked_link() -> Vector:
    """The digest of Bob's link."""
    digest = sha256(metablock(link_of(), "bob"))
    return _denied(
        str(digest),
        "a report that turned out to be false",
        fails("evidence", "step.threshold", "is revoked by its digest"),
    )


def revoked_artifact() -> Vector:
    """The digest of the source."""
    return _denied(
        str(sha256(SOURCE)),
        "a file that turned out to be bad",
        fails("rules", "artifact.revoked", '"src/main.c" is revoked'),
    )


def revoked_target() -> Vector:
    """The digest of what is about to be used. It is also that of a product of the step."""
    return _denied(
        str(sha256(APP)),
        "a release that turned out to be bad",
        fails("rules", "artifact.revoked", '"app" is revoked'),
        target=("app", APP),
        control="target",
    )


def revoked_something_else() -> Vector:
    """The digest of a file that has nothing to do with this chain."""
    return _denied(str(sha256(b"something else\n")), "none: only what is revoked is denied", PASS, control="")


# --- another run ---------------------------------------------------------------------------------------------------

RUN = "Navicert: only evidence of the run that is asked for counts"


def _run(recorded: str | None, wanted: str, attack: str, strict: Expected = PASS, control: str = "") -> Vector:
    environment = {} if recorded is None else {"navicert": {"run-id": recorded}}
    link = link_of(edit=lambda body: body.update(environment=environment))
    return of(
        ONE,
        attack=attack,
        spec=RUN,
        in_toto="pass",
        strict=strict,
        evidence={LINK: metablock(link, "bob")},
        run_id=wanted,
        control=control,
    )


def run_id() -> Vector:
    """The link belongs to the run that is asked for."""
    return _run("1042", "1042", "none: the control of cases about runs")


def run_id_of_another_run() -> Vector:
    """The link belongs to an earlier run of the same layout."""
    return _run(
        "1041",
        "1042",
        "evidence of an earlier run (GHSA-6q78-j78h-pqm2)",
        fails("evidence", "step.threshold", 'belongs to run "1041", not to run "1042"'),
        "run-id",
    )


def run_id_missing() -> Vector:
    """The link does not say to which run it belongs."""
    return _run(
        None,
        "1042",
        "absence taken for a run that fits",
        fails("evidence", "step.threshold", 'not to run "1042"'),
        "run-id",
    )


# --- an older layout -----------------------------------------------------------------------------------------------

VERSION = "Navicert: a layout is not older than the verifier has seen"


def _version(stated: int | None, least: int, attack: str, strict: Expected = PASS, control: str = "") -> Vector:
    chain = PLAIN if stated is None else PLAIN.release(name="app", version=stated)
    return of(chain, attack=attack, spec=VERSION, in_toto="pass", strict=strict, min_version=least, control=control)


def version_as_seen() -> Vector:
    """The layout has the version that was seen before."""
    return _version(7, 7, "none: the control of cases about versions")


def version_before_that() -> Vector:
    """The layout is older, signed and not expired."""
    return _version(
        6,
        7,
        "an older policy put in place of the current one (GHSA-73jv-h86v-c2vh)",
        fails("policy", "layout.version", "version 6, at least 7 is required"),
        "version-as-seen",
    )


def version_missing() -> Vector:
    """The layout states no version."""
    return _version(
        None,
        7,
        "absence taken for the newest version",
        fails("policy", "layout.version", "states no version"),
        "version-as-seen",
    )
