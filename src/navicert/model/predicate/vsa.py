"""Verification summary: what a verifier found out about an artifact, so that others need not look again.

Read in all its versions: v1, and v0.2 and v0.1, which write names with underscores. Every level that the specification
allows is read: levels of any track, `FAILED`, `SLSA_<TRACK>_LEVEL_UNEVALUATED`, verified properties, and what a
verifier defines itself. What they are worth is decided elsewhere.

Spec: SLSA v1.2 verification_summary.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

VSA: Final = "https://slsa.dev/verification_summary/v1"
VSA_TYPES: Final = (VSA, "https://slsa.dev/verification_summary/v0.2", "https://slsa.dev/verification_summary/v0.1")
"""The type URIs that are read; the first is the one written."""

PASSED: Final = "PASSED"
FAILED: Final = "FAILED"


@dataclass(frozen=True, slots=True)
class VerificationSummary:
    """One verification summary predicate. `dependency_levels` is None where nothing is said about dependencies, and
    empty where there are none; `levels` are `verifiedLevels`, or the one `policy_level` of old versions."""

    verifier_id: str
    resource_uri: str
    result: str
    levels: tuple[str, ...] = ()
    policy: ResourceDescriptor | None = None
    time_verified: datetime | None = None
    input_attestations: tuple[ResourceDescriptor, ...] = ()
    dependency_levels: Mapping[str, int] | None = None
    slsa_version: str = ""
    verifier_version: Mapping[str, object] | None = None

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str) -> VerificationSummary:
        """The summary of a predicate of this type URI. Raises `Malformed` for missing or wrong fields."""
        if predicate_type not in VSA_TYPES:
            raise Malformed("not a verification summary", pointer="/predicateType", expected=VSA, got=predicate_type)
        reader = Reader(predicate if predicate_type == VSA else _renamed(predicate, where), where)
        verifier = reader.child("verifier")
        result = reader.one_of("verificationResult", (PASSED, FAILED))
        levels = reader.texts("verifiedLevels") or reader.texts("policyLevel")
        if not levels and result == PASSED:
            raise Malformed("passed, and no verified level", pointer=where or "/", expected="verifiedLevels")
        if not all(levels):
            raise Malformed("empty", pointer=reader.at("verifiedLevels"), expected="the name of a level")
        return VerificationSummary(
            verifier_id=verifier.text("id"),
            resource_uri=reader.text("resourceUri"),
            result=result,
            levels=levels,
            policy=_policy(reader),
            time_verified=reader.maybe_moment("timeVerified"),
            input_attestations=reader.descriptors("inputAttestations"),
            dependency_levels=_counts(reader, "dependencyLevels"),
            slsa_version=reader.maybe_text("slsaVersion"),
            verifier_version=verifier.mapping("version") or None,
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this predicate in v1, without what is unset."""
        verifier: dict[str, object] = {"id": self.verifier_id}
        if self.verifier_version:
            verifier["version"] = dict(self.verifier_version)
        fields: dict[str, object] = {"verifier": verifier}
        if self.time_verified is not None:
            fields["timeVerified"] = format_timestamp(self.time_verified)
        fields["resourceUri"] = self.resource_uri
        if self.policy is not None:
            fields["policy"] = self.policy.to_json()
        if self.input_attestations:
            fields["inputAttestations"] = [one.to_json() for one in self.input_attestations]
        fields |= {"verificationResult": self.result, "verifiedLevels": list(self.levels)}
        if self.dependency_levels is not None:
            fields["dependencyLevels"] = dict(self.dependency_levels)
        if self.slsa_version:
            fields["slsaVersion"] = self.slsa_version
        return fields


def _policy(reader: Reader) -> ResourceDescriptor:
    policy = reader.descriptor("policy")
    if policy is None:
        raise Malformed('required field "policy" is missing', pointer=reader.where or "/")
    return policy


def _renamed(predicate: Mapping[str, object], where: str) -> dict[str, object]:
    """The fields of an old version under the names of v1, `policy_level` as a list of one. Raises `Malformed` where a
    field stands there under both names."""
    renamed: dict[str, object] = {}
    for name, value in predicate.items():
        head, *rest = name.split("_")
        new = head + "".join(part.capitalize() for part in rest)
        if new in renamed:
            raise Malformed("one field under two names", pointer=where or "/", got=f"{name} and {new}")
        renamed[new] = [value] if new == "policyLevel" and isinstance(value, str) else value
    return renamed


def _counts(reader: Reader, name: str) -> dict[str, int] | None:
    """Level → how many dependencies have it. None where the field is unset: that is no claim, and `{}` is one."""
    if not reader.has(name):
        return None
    counts: dict[str, int] = {}
    for level, value in reader.mapping(name).items():
        # Protocol buffers write 64-bit numbers as text.
        text = "" if isinstance(value, bool) else str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            raise Malformed("not a count", pointer=reader.at(name), expected="a number from 0", got=repr(value)[:40])
        counts[level] = int(text)
    return counts


_DIGITS: Final = 18
