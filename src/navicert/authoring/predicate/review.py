"""Reviews as predicates: that whoever signs agrees to the subject, a commit as a rule.

The attestation framework has no predicate for reviews, so a review is a SCAI report with an attribute. Whose it is says
the signature, and nothing in the predicate. Spec: in-toto attestation framework, spec/predicates/scai.md.
"""

from __future__ import annotations

from navicert.authoring.predicate.draft import Draft, known_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

REVIEWED: Final = "REVIEWED"
"""The attribute of a review. It has no conditions: agreeing on conditions is not agreeing."""


def review_draft(url: str = "") -> Draft:
    """The predicate of a review. `url` is where the discussion is kept, for people."""
    attribute: dict[str, object] = {"attribute": REVIEWED}
    if url:
        attribute["evidence"] = {"uri": url}
    return Draft(known_kind("scai").type, {"attributes": [attribute]}).checked()
