"""What statements say: one module for each vetted predicate type, looked up by its type URI.

`kind_of` finds the type in a table, and `read_predicate` loads its module and reads the predicate in it. Nothing is
filled in by imports: a type is a line of the table and a module with a class that has

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str) -> TheClass

which raises `Malformed` where a required field is missing or of another type, and ignores fields that it does not know.
A type that is not in the table is not read, and whoever needs it read has to refuse it.

Spec: in-toto attestation framework, spec/predicates; ITE-9.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One predicate type in all its versions.

    `name` is the short name that the framework gives it, `title` what it is for people, `types` its type URIs with the
    one that is written first. `versioned` types may have any version behind the last URI: what they hold says which.
    """

    name: str
    title: str
    module: str
    reader: str
    types: tuple[str, ...]
    versioned: bool = False

    @property
    def type(self) -> str:
        """The type URI that is written."""
        return self.types[0]

    def covers(self, predicate_type: str) -> bool:
        """Whether predicates of this type URI are of this kind."""
        if predicate_type in self.types:
            return True
        return self.versioned and any(
            _is_version(predicate_type.removeprefix(one), predicate_type) for one in self.types
        )


def _is_version(rest: str, whole: str) -> bool:
    """Whether `rest`, what is left of `whole`, is a version: /v2, /v2.3."""
    numbers = rest.removeprefix("/v")
    return rest != whole and rest != numbers and all(part.isascii() and part.isdigit() for part in numbers.split("."))


_IN_TOTO: Final = "https://in-toto.io/attestation"

_SLSA: Final = "https://slsa.dev"

KINDS: Final = (
    Kind(
        "provenance",
        "how it was built (SLSA provenance)",
        "provenance",
        "Provenance",
        (
            f"{_SLSA}/provenance/v1",
            f"{_SLSA}/provenance/v0.2",
            f"{_SLSA}/provenance/v0.1",
            "https://in-toto.io/Provenance/v0.1",
        ),
    ),
    Kind(
        "vsa",
        "what a verifier found, level by level (SLSA verification summary)",
        "vsa",
        "VerificationSummary",
        (
            f"{_SLSA}/verification_summary/v1",
            f"{_SLSA}/verification_summary/v0.2",
            f"{_SLSA}/verification_summary/v0.1",
        ),
    ),
    Kind(
        "link",
        "a link: what one step consumed, ran and produced",
        "link",
        "LinkPredicate",
        (
            f"{_IN_TOTO}/link/v0.3",
            f"{_IN_TOTO}/link/v0.2",
            f"{_IN_TOTO}/link/v0.1",
            "https://in-toto.io/Link/v1",
            "https://in-toto.io/Link/v0.3",
            "https://in-toto.io/Link/v0.2",
            "https://in-toto.io/Link/v0.1",
        ),
    ),
    Kind(
        "scai",
        "attributes of software and of what made it (SCAI)",
        "scai",
        "ScaiPredicate",
        (f"{_IN_TOTO}/scai/v0.3", f"{_IN_TOTO}/scai/attribute-report/v0.2", f"{_IN_TOTO}/scai/attribute-report/v0.1"),
    ),
    Kind(
        "test-result",
        "the result of a run of tests",
        "test_result",
        "ResultPredicate",
        (f"{_IN_TOTO}/test-result/v0.1",),
    ),
    Kind(
        "vulns",
        "the result of a scan for vulnerabilities",
        "vulns",
        "VulnsPredicate",
        (f"{_IN_TOTO}/vulns/v0.2", f"{_IN_TOTO}/vulns/v0.1"),
    ),
    Kind(
        "release",
        "which files make up a release",
        "release",
        "ReleasePredicate",
        (f"{_IN_TOTO}/release/v0.1", f"{_IN_TOTO}/release/v0.2", f"{_IN_TOTO}/release"),
    ),
    Kind(
        "runtime-trace",
        "what a monitor saw while a process ran",
        "runtime_trace",
        "RuntimeTracePredicate",
        (f"{_IN_TOTO}/runtime-trace/v0.1", f"{_IN_TOTO}/runtime-trace/v0.2"),
    ),
    Kind("spdx", "a bill of materials (SPDX)", "spdx", "SpdxPredicate", ("https://spdx.dev/Document",), versioned=True),
    Kind(
        "cyclonedx",
        "a bill of materials (CycloneDX)",
        "cyclonedx",
        "CycloneDxPredicate",
        ("https://cyclonedx.org/bom",),
        versioned=True,
    ),
    Kind(
        "reference",
        "documents that lie elsewhere",
        "reference",
        "ReferencePredicate",
        (f"{_IN_TOTO}/reference/v0.1",),
    ),
    Kind(
        "svr",
        "what a verifier found (simple verification result)",
        "svr",
        "SvrPredicate",
        (f"{_IN_TOTO}/svr/v0.2", f"{_IN_TOTO}/svr/v0.1"),
    ),
    Kind(
        "custom",
        "data of a producer's own (cosign)",
        "cosign_custom",
        "CosignCustomPredicate",
        ("https://cosign.sigstore.dev/attestation/v1", "cosign.sigstore.dev/attestation/v1"),
    ),
    Kind(
        "vuln",
        "a scanner's report (cosign)",
        "cosign_vuln",
        "CosignVulnPredicate",
        ("https://cosign.sigstore.dev/attestation/vuln/v1", "cosign.sigstore.dev/attestation/vuln/v1"),
    ),
    Kind(
        "sign",
        "a signature on an image (cosign)",
        "cosign_sign",
        "CosignSignPredicate",
        ("https://sigstore.dev/cosign/sign/v1",),
    ),
    Kind(
        "openvex",
        "which vulnerabilities matter (OpenVEX)",
        "openvex",
        "OpenVexPredicate",
        ("https://openvex.dev/ns/v0.2.0", "https://openvex.dev/ns"),
        versioned=True,
    ),
    Kind(
        "npm-publish",
        "a package that was published to npm",
        "npm_publish",
        "NpmPublishPredicate",
        ("https://github.com/npm/attestation/tree/main/specs/publish/v0.1",),
    ),
)
"""Every predicate type that is read. Spec of the short names: the file names in spec/predicates, and cosign's."""

_ALIASES: Final[Mapping[str, str]] = {"spdxjson": "spdx", "slsaprovenance1": "provenance"}
"""Other short names, as cosign has them → ours."""


def kind_of(predicate_type: str) -> Kind | None:
    """The kind that predicates of this type URI are of; None for one that is not known. URIs are compared as they are
    written."""
    return next((kind for kind in KINDS if kind.covers(predicate_type)), None)


def kind_named(name: str) -> Kind | None:
    """The kind with this short name, ours or cosign's; None where there is none."""
    return next((kind for kind in KINDS if kind.name == _ALIASES.get(name, name)), None)


def read_predicate(predicate_type: str, predicate: Mapping[str, object], where: str = "/predicate") -> object | None:
    """The predicate, read as its type says; None for a type that is not known, about which nothing can be said.

    Raises `Malformed` with the JSON pointer of what is missing or wrong.
    """
    kind = kind_of(predicate_type)
    if kind is None:
        return None
    # What importlib does, which takes longer to load than a small module.
    module = __import__(f"navicert.model.predicate.{kind.module}", fromlist=[kind.reader])
    found: object = getattr(module, kind.reader).from_json(predicate, where, predicate_type)
    return found


def types() -> tuple[str, ...]:
    """The short names of all kinds, for people."""
    return tuple(sorted(kind.name for kind in KINDS))


def require_kind(name_or_type: str) -> Kind:
    """The kind with this short name or type URI. Raises `Malformed`, naming those that there are."""
    kind = kind_named(name_or_type) or kind_of(name_or_type)
    if kind is None:
        raise Malformed(
            "no such predicate type", expected=f"{', '.join(types())}, or a type URI", got=name_or_type[:80]
        )
    return kind
