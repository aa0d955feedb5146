"""Evidence for a step: what a verified document says that may count, and why others do not.

A classic step accepts a link, or a statement with a link predicate, whose signed name is the step's; or a sublayout.
Spec: in-toto v1.0 §4.4, §5.2 (4, 5); attestation framework, predicate link v0.3.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from navicert.crypto.key import Key
from navicert.digest import Digest, DigestSet
from navicert.envelope.body import Body
from navicert.envelope.document import Verified
from navicert.errors import Malformed
from navicert.model.field import as_list, as_object, as_text, as_texts, required
from navicert.model.layout import Layout
from navicert.model.link import Artifacts, Link
from navicert.model.principal import Principal
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.verdict import Check
from navicert.verify.rules import Record

LINK_PREDICATE: Final = re.compile(r"https://in-toto\.io/(?:attestation/link/v0\.[0-9]+|Link/v[01](?:\.[0-9]+)*)")
"""Predicate types that carry a link."""

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one document proves about a step. `tree` is the check of a sublayout, None for a link."""

    document: Verified[Body]
    signers: Mapping[Principal, Key]
    record: Record
    command: tuple[str, ...]
    byproducts: Mapping[str, object]
    tree: Check | None = None
    alternative: int = 0
    """Which of the ways in which a sublayout holds this is."""

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


def claim_of(body: Link | Statement | Layout) -> Claim | None:
    """What `body` claims about a step; None for what is no link. Raises `Malformed` for a bad link predicate."""
    if isinstance(body, Link):
        return Claim(body.name, Record(body.materials, body.products), body.command, body.byproducts, body.environment)
    if isinstance(body, Statement) and LINK_PREDICATE.fullmatch(body.predicate_type):
        return _from_statement(body)
    return None


def _from_statement(statement: Statement) -> Claim:
    predicate = statement.predicate
    where = "/predicate"
    materials = predicate.get("materials")
    if isinstance(materials, dict):
        # The predicate types before v0.3 keep the classic map of path to digests.
        pairs: Artifacts = {
            path: DigestSet.from_json(digests, f"{where}/materials") for path, digests in materials.items()
        }
    else:
        items = as_list([] if materials is None else materials, f"{where}/materials")
        pairs = _named([ResourceDescriptor.from_json(m, f"{where}/materials/{i}") for i, m in enumerate(items)], where)
    return Claim(
        as_text(required(predicate, "name", where), f"{where}/name"),
        Record(pairs, _named(statement.subjects, "/subject")),
        _command(predicate.get("command", []), f"{where}/command"),
        as_object(predicate.get("byproducts", {}), f"{where}/byproducts"),
        as_object(predicate.get("environment", {}), f"{where}/environment"),
    )


def _command(value: object, where: str) -> tuple[str, ...]:
    # The predicate types before v0.3 hold one string.
    return (value,) if isinstance(value, str) else as_texts(value, where)


def _named(descriptors: list[ResourceDescriptor] | tuple[ResourceDescriptor, ...], where: str) -> Artifacts:
    artifacts: dict[str, DigestSet] = {}
    for descriptor in descriptors:
        name = descriptor.name or descriptor.uri
        if not name:
            raise Malformed("artifact of a link without a name", pointer=where)
        if name in artifacts:
            raise Malformed("artifact of a link named twice", pointer=where, got=repr(name)[:80])
        artifacts[name] = descriptor.digests
    return artifacts


def odd_path(record: Record) -> str | None:
    """The first path that is not in normal form, None where all are.

    `./x`, `a//b` and `a/../b` name what another spelling names: a rule on the one would not see the other. A name with
    `scheme://` is a URI and keeps its spelling; `../x` and `/x` are in normal form.
    """
    for artifacts in (record.materials, record.products):
        for path in artifacts:
            if _is_odd(path):
                return path
    return None


def _is_odd(path: str) -> bool:
    if "/" not in path and path not in ("", ".") and not path.startswith("file:"):
        return False
    if _URI.match(path):
        return False
    path = path.removeprefix("file:")
    # normpath keeps two leading slashes, which POSIX leaves to the system.
    return not path or path == "." or path.startswith("//") or posixpath.normpath(path) != path


def same_artifacts(left: Record, right: Record, *, strong: bool) -> bool:
    """Whether two links report the same artifacts, by the same comparison that rules use."""
    if not strong:
        return left.materials == right.materials and left.products == right.products
    return _agree(left.materials, right.materials) and _agree(left.products, right.products)


def _agree(left: Artifacts, right: Artifacts) -> bool:
    if left.keys() != right.keys():
        return False
    return all(digests.agrees(right[path]) for path, digests in left.items())


def run_id_of(environment: Mapping[str, object]) -> str | None:
    """The run id that a link's recorder wrote, or None."""
    ours = environment.get("navicert")
    run_id = ours.get("run-id") if isinstance(ours, dict) else None
    return run_id if isinstance(run_id, str) else None
