"""What is about to be used: it came out of this chain, or nothing is verified.

In-toto has no word for it; the reference implementation ignores the target.
"""

from __future__ import annotations

import hashlib
from typing import Any

from vectors.generators.material import APP, FETCHED, OTHER, PLAIN, SOURCE, TWO
from vectors.generators.vector import PASS, Vector, fails, of, passes

from navicert.testing import Chain

SPEC = "Navicert: the digest of the target is a product of the named step, by default the last"


def _bound(chain: Chain, attack: str, content: bytes, *, says: str = "", control: str = "", **fields: Any) -> Vector:
    if says:
        fields["strict"] = fails("target", "target.bound", says)
        control = control or "target"
    return of(chain, attack=attack, spec=SPEC, in_toto="pass", target=("app", content), control=control, **fields)


def target() -> Vector:
    """The file is what the step made."""
    return _bound(PLAIN, "none: the control of cases about targets", APP)


def target_that_was_exchanged() -> Vector:
    """Another file under the same name."""
    return _bound(
        PLAIN,
        "good evidence shown for another file",
        b"not the application\n",
        says="is not among the products of step build",
    )


def target_of_an_earlier_step() -> Vector:
    """The file is a product, of a step before the last: it skipped what came after."""
    return _bound(TWO, "a file that left the chain too early", SOURCE, says="it is a product of step fetch")


def target_of_the_step_that_was_named() -> Vector:
    """The same file, and whoever verifies says that this step makes it."""
    return _bound(TWO, "none: not every target comes out of the last step", SOURCE, target_step="fetch")


def target_of_a_step_that_does_not_exist() -> Vector:
    """The step that is named is not in the layout."""
    return _bound(
        PLAIN, "a question about nothing answered with yes", APP, target_step="deploy", says='no step "deploy"'
    )


def target_that_went_in() -> Vector:
    """The file is a material of the last step, and no product."""
    return _bound(PLAIN, "a file that was used and not made", SOURCE, says="is not among the products of step build")


def target_by_a_text_file() -> Vector:
    """The chain recorded no digest of the file, but a text with its digest, as sha256sum writes it: such a file is what
    chains record that know an image only by its id."""
    text = f"{hashlib.sha256(APP).hexdigest()}  app\n".encode()
    made = FETCHED.having(steps=FETCHED.steps[:1]).step("build", by="bob").link("build", products={"app.sha256": text})
    return _bound(made, "none: an id that was recorded as text", APP).having(
        strict=passes("step.no-rules"), upstream=PASS
    )


def target_by_a_text_file_for_another() -> Vector:
    """The text is about another file."""
    text = f"{hashlib.sha256(OTHER).hexdigest()}  app\n".encode()
    made = FETCHED.having(steps=FETCHED.steps[:1]).step("build", by="bob").link("build", products={"app.sha256": text})
    return _bound(
        made,
        "a text that names another file",
        APP,
        says="is not among the products of step build",
        control="target-by-a-text-file",
    )


def target_by_a_weak_digest() -> Vector:
    """The product was recorded by MD5 only."""
    digests = {"md5": hashlib.md5(APP, usedforsecurity=False).hexdigest()}
    made = FETCHED.having(steps=FETCHED.steps[:1]).step("build", by="bob").link("build", products={"app": digests})
    return _bound(made, "a collision", APP, says="is not among the products of step build")
