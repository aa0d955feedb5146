"""JSON lines: a file with one document a line, as the attestations about one artifact are kept together.

Whether a file is one says its content, never its name: under the name that the framework proposes lie single envelopes
and Sigstore bundles too. The order of lines means nothing, and nobody signs the file: lines may be missing from it.

Spec: in-toto attestation framework, spec/v1/bundle.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.strictjson import loads


@dataclass(frozen=True, slots=True)
class Member:
    """One document of a file: its bytes, and the number of its line; 0 where the file is nothing but this document."""

    raw: bytes = field(repr=False)
    line: int = 0

    def place(self, path: str) -> str:
        """Where it is, in the file at `path`."""
        return f"{path}:{self.line}" if self.line else path


def members_of(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> tuple[Member, ...]:
    """The documents in `raw`: its lines where they are documents, otherwise all of it as the only one.

    Nothing but their limits is looked at: a line that is no document stands for itself, so that whoever opens it can
    say so. Raises `LimitExceeded` for more lines than `limits` allow.
    """
    if not _may_be_lines(raw) or _is_json(raw, limits):
        return (Member(raw),)
    members: list[Member] = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        if line.strip():
            members.append(Member(line.strip(), number))
        if len(members) > limits.evidence_files:
            raise LimitExceeded(
                "too many lines (limit evidence_files)", path=path, expected=f"at most {limits.evidence_files}"
            )
    return tuple(members)


def _may_be_lines(raw: bytes) -> bool:
    """Whether `raw` has several lines, one of which looks like a whole JSON object. What is written for people begins
    with a line that holds a brace alone, and all others are indented up to the last."""
    if b"\n" not in raw.strip():
        return False
    return any(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in raw.split(b"\n"))


def _is_json(raw: bytes, limits: Limits) -> bool:
    try:
        loads(raw, limits)
    except Malformed:
        return False
    return True
