"""What a document says of itself before anybody has verified it: what an index is made of, and never evidence.

Read from links, layouts, statements, and bundles: a Sigstore bundle, or JSON lines of any of these. Spec: in-toto
attestation framework, spec/v1/bundle.md; Sigstore protobuf-specs, sigstore_bundle.proto.
"""

from __future__ import annotations

import re

from navicert.dataclass import dataclass
from navicert.digest import DigestSet, sha256
from navicert.envelope.body import Body
from navicert.envelope.document import Sealed, open_document, peek
from navicert.errors import Malformed
from navicert.interface import Iterable, Iterator, Mapping
from navicert.limits import LOCAL, Limits
from navicert.model.artifact import Artifacts
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.model.statement import Statement
from navicert.store import Filing, Piece
from navicert.store.document import NO_ENVELOPE, documents, open_sealed
from navicert.store.trait import Trait
from navicert.verify.evidence import Claim, claim_of, run_id_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LINK: Final = "link"
LAYOUT: Final = "layout"
STATEMENT: Final = "statement"
BUNDLE: Final = "bundle"
UNKNOWN: Final = "unknown"

_KEYID: Final = re.compile(r"[0-9a-fA-F]{8,256}")


@dataclass(frozen=True, slots=True)
class Hint:
    """What one document claims. Digests are `alg:hex` in lower case; `kind` is one of the constants above."""

    kind: str = UNKNOWN
    names: tuple[str, ...] = ()
    """The steps that it says it is for."""
    signers: tuple[str, ...] = ()
    """The key ids that its signatures name."""
    types: tuple[str, ...] = ()
    """Predicate types; `link` and `layout` for those."""
    runs: tuple[str, ...] = ()
    materials: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    """Of a statement: its subjects."""
    parts: tuple[Hint, ...] = ()
    """Of a bundle: what each document in it claims."""

    @property
    def name(self) -> str:
        """The step that it says it is for; empty where it says none, or several."""
        return self.names[0] if len(self.names) == 1 else ""

    def traits(self) -> Iterator[tuple[Trait, str, str]]:
        """All by which it can be found, but where it is filed; each with the step of which that is said, empty for
        none. In a bundle each document speaks of its own."""
        for part in self.parts:
            yield from part.traits()
        if self.parts:
            return
        yield from ((Trait.PRODUCT, text, self.name) for text in sorted(self.products))
        yield from ((Trait.MATERIAL, text, self.name) for text in sorted(self.materials))
        yield from ((Trait.STEP, text, self.name) for text in self.names)
        yield from ((Trait.SIGNER, text, self.name) for text in dict.fromkeys(short(keyid) for keyid in self.signers))
        yield from ((Trait.TYPE, text, self.name) for text in self.types)
        yield from ((Trait.RUN, text, self.name) for text in self.runs)


def short(keyid: str) -> str:
    """The part of a key id that is indexed: the one that people see."""
    return keyid[:8].lower()


def filed_traits(hint: Hint, step: str | None) -> Iterator[tuple[Trait, str]]:
    """By what a document can be found because it is filed under `step`."""
    if step is None:
        return
    if step not in hint.names:
        yield Trait.FILED, step
    if LAYOUT in (hint.kind, *(part.kind for part in hint.parts)):
        yield Trait.SUBLAYOUT, step


def read_hint(raw: bytes, limits: Limits = LOCAL) -> Hint:
    """What `raw` says of itself; a hint of kind `unknown` for bytes that are no document. Never raises for these."""
    try:
        return _of_sealed(open_document(raw, limits))
    except Malformed:
        pass  # no signed document by itself: perhaps several
    hints = list(_members(raw, limits))
    if not hints:
        return Hint()
    return Hint(
        BUNDLE,
        _all(hint.names for hint in hints),
        _all(hint.signers for hint in hints),
        _all(hint.types for hint in hints),
        _all(hint.runs for hint in hints),
        frozenset[str]().union(*(hint.materials for hint in hints)),
        frozenset[str]().union(*(hint.products for hint in hints)),
        tuple(hint for hint in hints if hint != Hint()),
    )


def hint_of(piece: Piece, limits: Limits = LOCAL) -> Hint:
    """What the document of `piece` says of itself."""
    return Hint() if piece.raw is None else read_hint(piece.raw, limits)


def filing_of(piece: Piece, raw: bytes, hint: Hint) -> Filing:
    """How the document `raw` of `piece` is filed anew: where it lay, by the first key that its signatures name; by its
    digest where they name none. Raises `Malformed` for a place that is no file name."""
    named = next((keyid for keyid in hint.signers if _KEYID.fullmatch(keyid)), sha256(raw).hex)
    return Filing(piece.step_hint, "" if piece.step_hint is None else named, raw, piece.scope)


def _of_sealed(sealed: Sealed) -> Hint:
    signers = tuple(dict.fromkeys(signature.keyid for signature in sealed.signatures if signature.keyid))
    try:
        return of_body(peek(sealed).body, signers)
    except Malformed:
        return Hint(signers=signers)  # an envelope around something else


def of_body(body: Body, signers: tuple[str, ...] = ()) -> Hint:
    """What `body` claims, signed by whoever `signers` name."""
    if isinstance(body, Layout):
        return Hint(LAYOUT, signers=signers, types=(LAYOUT,))
    try:
        claim = claim_of(body)
    except Malformed:
        claim = None  # a bad link predicate is still a statement
    if isinstance(body, Link):
        return _of_claim(LINK, claim, signers, LINK)
    if claim is not None:
        return _of_claim(STATEMENT, claim, signers, body.predicate_type)
    products = digests_in(subject.digests for subject in body.subjects)
    return Hint(STATEMENT, (), signers, (body.predicate_type,), (), digests_in(_dependencies(body)), products)


def _of_claim(kind: str, claim: Claim | None, signers: tuple[str, ...], type: str) -> Hint:
    if claim is None:
        return Hint(kind, (), signers, (type,))
    run = run_id_of(claim.environment)
    runs = () if run is None else (run,)
    materials, products = _artifacts(claim.record.materials), _artifacts(claim.record.products)
    return Hint(kind, (claim.name,), signers, (type,), runs, materials, products)


def _artifacts(artifacts: Mapping[str, DigestSet]) -> frozenset[str]:
    small = Artifacts.of(artifacts)
    if small.plain:
        return frozenset(f"sha256:{digits}" for digits in small.entries.values())
    return digests_in(small.values())


def digests_in(sets: Iterable[DigestSet]) -> frozenset[str]:
    """Every digest of `sets` as `alg:hex`, in lower case."""
    return frozenset(f"{name}:{value.lower()}" for digests in sets for name, value in digests)


def _dependencies(statement: Statement) -> Iterator[DigestSet]:
    """What a provenance predicate says went in. Spec: SLSA provenance v0.2 `materials`, v1 `resolvedDependencies`."""
    definition = statement.predicate.get("buildDefinition")
    lists = [statement.predicate.get("materials")]
    lists += [definition.get("resolvedDependencies")] if isinstance(definition, Mapping) else []
    for items in lists:
        for item in items if isinstance(items, list) else ():
            try:
                yield DigestSet.from_json(item.get("digest", {}) if isinstance(item, dict) else {}, "")
            except Malformed:
                continue  # one that nobody can look for


def _members(raw: bytes, limits: Limits) -> Iterator[Hint]:
    """The hints of what a bundle holds, lines that are no document left out; none where `raw` is no bundle."""
    for part in documents(raw, limits):
        if part.raw is None:
            if part.problem == NO_ENVELOPE:
                yield Hint()
            continue
        try:
            yield _of_sealed(open_sealed(part.raw, limits))
        except Malformed:
            continue


def _all(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for part in parts for text in part))
