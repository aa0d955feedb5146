"""What the checks of SLSA mean, beside those of verification: one table of all that can be explained.

The pages of the requirements follow from the requirements themselves.
"""

from __future__ import annotations

from types import MappingProxyType

from navicert.slsa.levels import REQUIREMENTS, Requirement
from navicert.verify.catalogue import CATALOGUE, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final


def _page(one: Requirement) -> Entry:
    if one.declared_only:
        cause = "Nothing can prove it, and the expectations do not declare it."
    elif one.best_effort:
        cause = "Only one builder made it. This keeps nobody from the level."
    else:
        cause = "The evidence for it was not found, or does not count; the reason names what was looked at."
    return Entry(one.meaning, one.spec, cause, one.remedy)


_STEPS: Final = "SLSA v1.2 verification_summary.md: how to verify"

SLSA: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "slsa": Entry(
            "How far the artifact got on the scales of SLSA, and whether that is as far as was asked for.",
            "Navicert: nothing is verified because nothing was found",
            "A level that is required is not reached, or what is expected is not so.",
            "Follow the first cause; each requirement that is not met says what to do.",
        ),
        "slsa.required": Entry(
            "Every level that is required is reached; where none is, some level of the build track or of the table.",
            "Navicert: --require, and `require` of the expectations",
            "The evidence reaches a lower level only.",
            "See what the next level lacks.",
        ),
        "slsa.vouched": Entry(
            "The expectations are signed by every key that was named, and have the digest that was named.",
            "Navicert: what grants a level is signed or pinned",
            "The file was changed, or somebody else signed it.",
            "Compare the file with the one that was meant; sign it, or pin it, anew.",
        ),
        "slsa.expected": Entry(
            "Some provenance is as the expectations say.",
            "SLSA v1.2 verifying-artifacts.md, step 2",
            "It was built from another source, by another builder, or with parameters that nobody expects.",
            "Compare the expectations with what `navicert show` prints of the provenance.",
        ),
        "slsa.conflict": Entry(
            "Trusted builders agree about the source.",
            "Navicert: evidence that contradicts itself is said",
            "Two builders made the same artifact from different repositories, or one of them lies.",
            "Find out which of them is right, and expect that source.",
        ),
        "slsa.track": Entry(
            "One scale of levels: its check passes where the level that is asked for is reached.",
            "SLSA v1.2 tracks; SLSA v0.1 levels",
            "Some requirement of a level is not met.",
            "See the first level that is not reached.",
        ),
        "slsa.level": Entry(
            "One level: all its requirements are met, and the level below is reached.",
            "SLSA v1.2 tracks; SLSA v0.1 levels",
            "Some requirement is not met.",
            "See the requirement.",
        ),
        "slsa.below": Entry(
            "The level below is reached: levels build on each other.",
            "SLSA v1.2 tracks; SLSA v0.1 levels",
            "Some requirement of a lower level is not met.",
            "Begin with the lower level.",
        ),
        "slsa.dependencies": Entry(
            "Everything that went into the build has reached the level that is expected of dependencies.",
            "SLSA v1.2 verifying-artifacts.md, step 3",
            "A dependency has neither a summary of a trusted verifier nor provenance that counts.",
            "Get a summary (VSA) of it, or lower `dependencies` in the expectations.",
        ),
        "slsa.dependency": Entry(
            "One dependency has reached the level, by a summary or by provenance of its own.",
            "SLSA v1.2 verifying-artifacts.md, step 3",
            "Nothing is known about it, or only that it reached less.",
            "Get a summary (VSA) of it from whoever verifies it.",
        ),
        "slsa.summary": Entry(
            "One verification summary holds, by the seven steps.",
            _STEPS,
            "One of the steps below did not pass.",
            "See that step.",
        ),
        "slsa.summary-signature": Entry(
            "The summary is signed.",
            f"{_STEPS} (1)",
            "It was not signed, or by a key that was not given.",
            "Give the verifier's public key with --key, or in the expectations.",
        ),
        "slsa.summary-subject": Entry(
            "Its subject is the artifact.",
            f"{_STEPS} (2)",
            "It is about another build of the same image.",
            "Get a summary of this very digest.",
        ),
        "slsa.summary-type": Entry(
            "It is a verification summary.",
            f"{_STEPS} (3)",
            "It is another kind of attestation.",
            "Use a summary of type https://slsa.dev/verification_summary/v1.",
        ),
        "slsa.summary-verifier": Entry(
            "Its verifier is trusted, and signed it.",
            f"{_STEPS} (4)",
            "The verifier is not in the expectations, or somebody else signed in its name.",
            "Name the verifier with its id and signer under `verifiers` of signed expectations.",
        ),
        "slsa.summary-resource": Entry(
            "It is about the resource that is expected.",
            f"{_STEPS} (5)",
            "Nobody said what its resourceUri must be, or it is about another image, repository or branch.",
            "Give --resource-uri, or `resource` in the expectations.",
        ),
        "slsa.summary-result": Entry(
            "Its result is PASSED.",
            f"{_STEPS} (6)",
            "The verifier has judged the artifact, and it did not pass.",
            "Ask the verifier why.",
        ),
        "slsa.summary-level": Entry(
            "It states the level that is wanted, or a higher one of the track, and its verifier may.",
            f"{_STEPS} (7)",
            "It states a lower level, FAILED, or that the level was not evaluated.",
            "Get a summary that evaluates this track.",
        ),
        **{one.id: _page(one) for one in REQUIREMENTS},
    }
)
"""Check id → what it means, of the checks of `navicert slsa`."""

CHECKS: Final[Mapping[str, Entry]] = MappingProxyType({**CATALOGUE, **SLSA})
"""Every check that there is."""
