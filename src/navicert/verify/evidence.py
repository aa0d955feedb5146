"""Evidence for a step: what a verified document says that may count, and why others do not.

A classic step accepts a link, or a statement with a link predicate, whose signed name is the step's; or a sublayout.
Spec: in-toto v1.0 §4.4, §5.2 (4, 5); attestation framework, predicate link v0.3.
"""

from __future__ import annotations

import posixpath

from navicert.crypto.key import Key
from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.model.artifact import Artifacts
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.principal import Principal
from navicert.model.statement import Statement
from navicert.verdict import Check
from navicert.verify.case import Claimed
from navicert.verify.rules import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_URI: Final = r"[A-Za-z][A-Za-z0-9+.-]*://"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one document proves about a step, or one claim says. `tree` is the check of a sublayout, None for a
    link."""

    document: Verified[Body] | Claimed
    signers: Mapping[Principal, Key | None]
    """Who counts, each with the key of the signature; None for an identity, whose keys live for minutes."""
    record: Record
    command: tuple[str, ...]
    byproducts: Mapping[str, object]
    tree: Check | None = None
    alternative: int = 0
    """Which of the ways in which a sublayout holds this is."""
    checks: tuple[Check, ...] = ()
    """Of a statement: what was found out about it by itself."""
    run: str | None = None
    """The run that a link says it belongs to."""

    @property
    def origin(self) -> str:
        """Where the document came from."""
        return self.document.origin

    @property
    def digest(self) -> Digest:
        """The SHA-256 of the document's file."""
        return self.document.digest


@dataclass(frozen=True, slots=True)
class Claim:
    """The content of a link in either of its forms."""

    name: str
    record: Record
    command: tuple[str, ...]
    byproducts: Mapping[str, object]
    environment: Mapping[str, object]


def carries_link(predicate_type: str) -> bool:
    """Whether predicates of this type are links."""
    from navicert.model.predicate import kind_of

    kind = kind_of(predicate_type)
    return kind is not None and kind.name == "link"


def claim_of(body: Link | Statement | Layout) -> Claim | None:
    """What `body` claims about a step; None for what is no link. Raises `Malformed` for a bad link predicate."""
    if isinstance(body, Link):
        return Claim(body.name, Record(body.materials, body.products), body.command, body.byproducts, body.environment)
    if isinstance(body, Statement) and carries_link(body.predicate_type):
        return _from_statement(body)
    return None


def _from_statement(statement: Statement) -> Claim:
    from navicert.model.predicate.link import LinkPredicate, artifacts_of

    link = LinkPredicate.from_json(statement.predicate, "/predicate")
    record = Record(link.materials, artifacts_of(statement.subjects, "/subject"))
    return Claim(link.name, record, link.command, link.byproducts, link.environment)


def odd_path(record: Record) -> str | None:
    """The first path that is not in normal form, None where all are.

    `./x`, `a//b` and `a/../b` name what another spelling names: a rule on the one would not see the other. A name with
    `scheme://` is a URI and keeps its spelling; `../x` and `/x` are in normal form.
    """
    for artifacts in (record.materials, record.products):
        if artifacts.names.irregular:
            for path in artifacts:
                if _is_odd(path):
                    return path
    return None


def odd(path: str) -> str:
    """Why evidence with `path` does not count."""
    return f'names an artifact by a path that is not in normal form: "{path}"'


def _is_odd(path: str) -> bool:
    if "/" not in path and path not in ("", ".") and not path.startswith("file:"):
        return False
    if "://" in path:
        import re

        if re.match(_URI, path):
            return False
    path = path.removeprefix("file:")
    # normpath keeps two leading slashes, which POSIX leaves to the system.
    return not path or path == "." or path.startswith("//") or posixpath.normpath(path) != path


def same_artifacts(left: Record, right: Record, *, strong: bool) -> bool:
    """Whether two links report the same artifacts, by the same comparison that rules use."""
    if not strong:
        return left == right
    return _agree(left.materials, right.materials) and _agree(left.products, right.products)


def _agree(left: Artifacts, right: Artifacts) -> bool:
    if left.plain and right.plain:
        return left == right
    if left.keys() != right.keys():
        return False
    return all(digests.agrees(right[path]) for path, digests in left.items())


def run_id_of(environment: Mapping[str, object]) -> str | None:
    """The run id that a link's recorder wrote, or None."""
    ours = environment.get("navicert")
    run_id = ours.get("run-id") if isinstance(ours, dict) else None
    return run_id if isinstance(run_id, str) else None
