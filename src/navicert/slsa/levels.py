"""The requirements of SLSA, as data: what each asks for, at which level of which track, and what to do about it.

Two tables of levels are judged. They are not the same scale: level 3 of the old one is not Build L3.

- v1.2: the build track (L0 to L3) and the source track (L0 to L4).
- v0.1: one scale of four levels, with source, build, provenance and common requirements: the table that in-toto's
  tutorials still go by.

Spec: SLSA v1.2 build-requirements.md, source-requirements.md; SLSA v0.1 requirements.md.
"""

from __future__ import annotations

from types import MappingProxyType

from navicert.dataclass import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

BUILD: Final = "build"
SOURCE: Final = "source"
TABLE: Final = "table"

CRYPTOGRAPHIC: Final = "cryptographic"
"""Decided by signatures and digests alone."""
BUILDER: Final = "builder trusted"
"""Decided by trusting whom the builder table, or the list of verifiers, names."""
CLAIMED: Final = "claimed"
"""The word of whoever signed, or of nobody."""
DECLARED: Final = "declared"
"""The word of whoever signed the expectations, with no evidence."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. `name` is unique within its track and is how it is declared; `level` is where it begins.

    `declared_only` is for what nothing can prove, `best_effort` for what does not keep anybody from the level.
    """

    track: str
    level: int
    name: str
    title: str
    spec: str
    meaning: str
    remedy: str
    declarable: bool = False
    declared_only: bool = False
    best_effort: bool = False

    @property
    def id(self) -> str:
        """The id of its check."""
        return f"slsa.{self.track}-{self.name}"


def _build(level: int, name: str, title: str, section: str, meaning: str, remedy: str) -> Requirement:
    return Requirement(BUILD, level, name, title, f"SLSA v1.2 Build L{level}: {section}", meaning, remedy)


def _source(level: int, name: str, title: str, section: str, meaning: str, remedy: str) -> Requirement:
    return Requirement(SOURCE, level, name, title, f"SLSA v1.2 Source L{level}: {section}", meaning, remedy)


def _table(
    level: int, name: str, title: str, section: str, meaning: str, remedy: str, *, declarable: bool = True
) -> Requirement:
    spec = f"SLSA v0.1 level {level}: {section}"
    return Requirement(TABLE, level, name, title, spec, meaning, remedy, declarable)


def _common(name: str, title: str, meaning: str) -> Requirement:
    remedy = f"Write how it is so under `declared: {name}:` of the expectations, and sign them."
    return Requirement(TABLE, 4, name, title, f"SLSA v0.1 level 4: {title}", meaning, remedy, True, declared_only=True)


_ENTRY: Final = (
    "Have the build run by a service that signs its provenance, and name builder id, signer and level in the builder"
    " table of signed or pinned expectations."
)
_SUMMARY: Final = (
    "Get a source summary (VSA) for the commit from whoever watches the repository, and name that verifier with its"
    " `source` level in the expectations."
)

REQUIREMENTS: Final = (
    _build(
        1,
        "provenance",
        "provenance exists",
        "Provenance Exists",
        "There is provenance whose subject is the artifact, and it says who built it, how, and from which parameters.",
        "Let the builder write SLSA provenance, or make it of a recorded step with `navicert attest provenance LINK`.",
    ),
    _build(
        1,
        "expected",
        "built as expected",
        "verifying artifacts, step 2",
        "The provenance says what is expected of this image: source, ref, builder, build type, every parameter.",
        "Compare the expectations with the provenance that `navicert show` prints; one of them is wrong.",
    ),
    _build(
        2,
        "authentic",
        "provenance is authentic",
        "Provenance is Authentic",
        "The provenance is signed by whoever may sign for its builder id.",
        _ENTRY,
    ),
    _build(
        2,
        "hosted",
        "build ran on a hosted platform",
        "Hosted",
        "The builder is a service, not somebody's machine.",
        _ENTRY,
    ),
    _build(
        3,
        "unforgeable",
        "provenance is unforgeable",
        "Provenance is Unforgeable",
        "The builder is trusted to keep its key out of reach of the build steps, and to write every field itself.",
        "Use a builder that reaches level 3, and say so in its line of the builder table.",
    ),
    _build(
        3,
        "isolated",
        "builds are isolated",
        "Isolated",
        "The builder is trusted to keep builds apart from each other.",
        "Use a builder that reaches level 3, and say so in its line of the builder table.",
    ),
    _build(
        3,
        "parameters",
        "every external parameter is expected",
        "Provenance is Unforgeable (external parameters); verifying artifacts, step 2",
        "Every external parameter is known to the expectations, and has a value that they allow.",
        "Name every external parameter of the provenance under `parameters` of the image's expectations.",
    ),
    _source(
        1,
        "controlled",
        "source is version controlled",
        "Version controlled",
        "The commit that was built from has a source summary of a trusted verifier.",
        _SUMMARY,
    ),
    _source(
        2,
        "history",
        "history is kept",
        "History and source provenance",
        "The branch keeps its history, and says who changed what.",
        _SUMMARY,
    ),
    _source(
        3,
        "controls",
        "technical controls are continuous",
        "Continuous technical controls",
        "What protects the branch was in force all the time.",
        _SUMMARY,
    ),
    _source(
        4,
        "two-party",
        "two parties reviewed every change",
        "Two-party review",
        "Two trusted persons agreed to the change as it was merged.",
        "Have the source control system require two-party review, and issue source summaries of level 4.",
    ),
    _table(
        1,
        "documented",
        "build process is documented",
        "Build – build process documented",
        "A signed layout has the build step and lets nothing in or out that no rule names; or expectations name"
        " builder, build type and every parameter.",
        "Sign a layout whose build step ends both lists of rules with DISALLOW *, and judge by it: --layout, --owner.",
        declarable=False,
    ),
    _table(
        1,
        "scripted",
        "build is scripted",
        "Build – scripted build",
        "The recorded build says what was run: a command, a workflow or a build file.",
        "Record the build step with `navicert run build -- COMMAND`, or have the builder name its entry point.",
        declarable=False,
    ),
    _table(
        1,
        "provenance",
        "provenance is available",
        "Provenance – available",
        "Provenance, or a link of the build step, has the artifact as its product.",
        "Record the build step with the artifact as product, or let the builder write provenance.",
        declarable=False,
    ),
    _table(
        1,
        "builder",
        "builder is identified",
        "Provenance – identifies builder",
        "The provenance names its builder; of a link, its functionary is one.",
        "Have the builder write its id into the provenance.",
        declarable=False,
    ),
    _table(
        2,
        "service",
        "build service",
        "Build – build service",
        "The build ran on a service, and was signed by it.",
        _ENTRY,
    ),
    _table(
        2,
        "authenticated",
        "provenance is authenticated",
        "Provenance – authenticated",
        "The signature on the provenance verifies by a key or identity that was given.",
        "Give the public key that signs the provenance with --key, or name its signer in the builder table.",
        declarable=False,
    ),
    _table(
        2,
        "generated",
        "provenance is service generated",
        "Provenance – service generated",
        "The service that built is the one that signed, and no person has its key.",
        _ENTRY,
    ),
    _table(
        2,
        "version-control",
        "source is version controlled",
        "Source – version controlled",
        "Repository and commit are recorded, and are those that the build is expected to start from.",
        "Record the commit (the provenance's dependencies, or a MATCH of the build's materials with the checkout), and"
        " name the repository under `source` of the expectations.",
    ),
    _table(
        3,
        "as-code",
        "build as code",
        "Build – build as code",
        "The definition of the build comes from the recorded source.",
        "Have the builder take its build file from the repository, and record its path as entry point.",
    ),
    _table(
        3,
        "ephemeral",
        "ephemeral environment",
        "Build – ephemeral environment",
        "The builder is trusted to build in an environment made for this build alone.",
        "Use a builder that reaches level 3, and say so in its line of the builder table.",
    ),
    _table(
        3,
        "isolated",
        "isolated build",
        "Build – isolated",
        "The builder is trusted to keep builds apart from each other.",
        "Use a builder that reaches level 3, and say so in its line of the builder table.",
    ),
    _table(
        3,
        "non-falsifiable",
        "provenance is non-falsifiable",
        "Provenance – non-falsifiable",
        "Those who write the build cannot make its provenance say something else: the key signs for no other step, and"
        " what the certificate says agrees with the provenance.",
        "Use a builder that reaches level 3; give the build step a key of its own.",
    ),
    _table(
        3,
        "parameters",
        "all parameters are recorded",
        "Provenance – includes all build parameters",
        "All parameters under somebody's control are recorded, and are those that are expected.",
        "Name every external parameter in the expectations; of a link, the command in the layout.",
    ),
    _table(
        3,
        "history",
        "verified history",
        "Source – verified history",
        "Every change in the history has an author that was authenticated.",
        _SUMMARY,
    ),
    _table(
        3,
        "retained",
        "source is retained 18 months",
        "Source – retained",
        "The revision and its history are kept for 18 months or longer.",
        _SUMMARY,
    ),
    _table(
        4,
        "two-person",
        "two-person review",
        "Source – two-person reviewed",
        "Two trusted persons, neither of them counted twice, agreed to the very commit that was built.",
        "Record a review step with threshold 2 (or one review attestation a person) of the commit that the build takes,"
        " or get a source summary of level 4.",
    ),
    _table(
        4,
        "kept",
        "source is retained indefinitely",
        "Source – retained",
        "The revision and its history are kept as long as anybody can tell.",
        _SUMMARY,
    ),
    _table(
        4,
        "parameterless",
        "build takes no parameters",
        "Build – parameterless",
        "Nothing but the source decides what is built.",
        "Put what is now a parameter into the source.",
    ),
    _table(
        4,
        "hermetic",
        "build is hermetic",
        "Build – hermetic",
        "The build had no network, and everything it used is recorded with a digest.",
        "Build without network and have the builder say so, or record a runtime trace of a trusted monitor.",
    ),
    _table(
        4,
        "dependencies",
        "dependencies are complete",
        "Provenance – includes all transitive dependencies",
        "Every dependency is recorded, each with a digest that decides.",
        "Have the builder record all dependencies with digests, and say that they are all.",
    ),
    Requirement(
        TABLE,
        4,
        "reproducible",
        "build is reproducible (best effort)",
        "SLSA v0.1 level 4: Build – reproducible",
        "Two builders who do not depend on each other made the same artifact.",
        "Build twice with different trusted builders, or declare why that cannot be.",
        declarable=True,
        best_effort=True,
    ),
    _common("security", "Common – security", "The system meets a baseline of security that its owner has set."),
    _common("access", "Common – access", "Physical and remote access is rare, logged, and agreed to by several."),
    _common("superusers", "Common – superusers", "Only a few can override any of this, and two of them have to agree."),
)

BY_ID: Final[Mapping[str, Requirement]] = MappingProxyType({one.id: one for one in REQUIREMENTS})
DECLARABLE: Final = frozenset(one.name for one in REQUIREMENTS if one.declarable)
"""What expectations may declare, by name: requirements of v0.1 only, and none that signatures and digests decide."""

TOP: Final[Mapping[str, int]] = MappingProxyType({BUILD: 3, SOURCE: 4, TABLE: 4})
"""Track → its highest level."""


def requirements(track: str, level: int) -> tuple[Requirement, ...]:
    """What `level` of `track` asks for beyond the levels below it."""
    return tuple(one for one in REQUIREMENTS if one.track == track and one.level == level)


def level_name(track: str, level: int) -> str:
    """How a level is written."""
    return f"level {level}" if track == TABLE else f"{track.capitalize()} L{level}"


def slsa_level(track: str, level: int) -> str:
    """The `SlsaResult` of a level of a track of v1.2. Spec: verification_summary.md."""
    return f"SLSA_{track.upper()}_LEVEL_{level}"
