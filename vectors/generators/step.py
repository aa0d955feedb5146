"""A chain of one step whose rules are judged."""

from __future__ import annotations

from vectors.generators.vector import PASS, Expected, Vector, of

from navicert.testing import Files, Rules, chain


def judged(
    attack: str,
    spec: str,
    strict: Expected = PASS,
    *,
    in_toto: str = "",
    materials: Rules = (),
    products: Rules = (),
    before: Files | None = None,
    after: Files | None = None,
    control: str = "",
    upstream: Expected | None = None,
) -> Vector:
    """One step with these rules, whose link reports `before` as materials and `after` as products."""
    made = (
        chain()
        .having(form="metablock")
        .step("build", by="bob", materials=materials, products=products)
        .link("build", materials=before or {}, products=after or {})
    )
    expected = "pass" if strict.expect == "pass" else "RuleVerificationError"
    return of(
        made, attack=attack, spec=spec, in_toto=in_toto or expected, strict=strict, control=control, upstream=upstream
    )
