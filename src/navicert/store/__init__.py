"""Where evidence is kept: documents go in under their step's name, and come out as bytes that nobody vouches for."""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.interface import Protocol, runtime_checkable
from navicert.model.field import as_keyid, as_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from navicert.digest import Digest
    from navicert.store.trait import Trait


@dataclass(frozen=True, slots=True)
class Pin:
    """The image index that holds a document, by its digest, and the manifest that it files it under. Whoever knows that
    index by its digest knows the document with it: nobody can exchange it."""

    index: Digest
    manifest: Digest


@dataclass(frozen=True, slots=True)
class Piece:
    """One document as found in a store. Nothing about it is verified; where it lay is a hint, not evidence.

    Either `raw` is there, or `problem` says why it could not be read: what cannot be read is reported, never skipped.
    """

    origin: str
    """Where it was found, for people."""
    raw: bytes | None = field(repr=False)
    problem: str | None = None
    step_hint: str | None = None
    """The step that it is filed under."""
    scope: tuple[str, ...] = ()
    """The sublayout folders that it lay in, outermost first; empty for the chain itself."""
    filed_at: datetime | None = None
    """When it was put there by the clock of whoever did, UTC; None where the store does not know."""
    pin: Pin | None = None
    """Where in an image index it stands, if it does."""
    annotations: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What stands beside it in the manifest that holds it: there cosign keeps the certificate of the signer."""


@dataclass(frozen=True, slots=True)
class Filing:
    """One document to be kept, and where it is to be filed: under a step, by a key, in sublayout folders.

    `step` is None for what belongs to no step; then `keyid` may be empty. Raises `Malformed` for what could not be part
    of a file name, so that whatever one store holds can be moved to any other.
    """

    step: str | None
    keyid: str
    raw: bytes = field(repr=False)
    scope: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.step is not None:
            _as_file_name(as_name(self.step, ""))
        if self.step is not None or self.keyid:
            as_keyid(self.keyid, "")
        for folder in self.scope:
            _as_file_name(as_name(folder, ""))


def _as_file_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Malformed("not a usable name: it is not text", expected="UTF-8", got=ascii(name[:80])) from error


class Source(Protocol):
    """A place that evidence is read from."""

    def pieces(self) -> Iterable[Piece]:
        """Every document that is there, in a stable order."""


class PieceSource:
    """Pieces that somebody holds already, to be read like a store."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = tuple(pieces)

    def pieces(self) -> Iterator[Piece]:
        """These."""
        return iter(self._pieces)


class OpenSource(Source, Protocol):
    """A source that may hold files and connections open. It is closed by whoever opened it."""

    def close(self) -> None:
        """Let go of them."""


class Store(OpenSource, Protocol):
    """A place where evidence is kept."""

    def prepare(self) -> None:
        """Raise unless something can be put here: better now than after the build. Makes the store if need be."""

    def put(self, step: str, keyid: str, raw: bytes) -> str:
        """Keep `raw`, the link or sublayout of `step` by the key `keyid`, and return where it is. Whole or not at all,
        and once this returns no crash of the program loses it. A store of files keeps one document for each step and
        key, in place of an earlier one; all others keep every one, and the same bytes once."""

    def put_many(self, filings: Sequence[Filing]) -> list[str]:
        """Keep every document and return where each is. Databases keep all or none of them."""

    def remove(self, pieces: Iterable[Piece]) -> int:
        """Remove exactly these pieces of this store, and return how many were there."""


@runtime_checkable
class Indexed(Source, Protocol):
    """A source that can be asked instead of being read as a whole. What it answers is a hint: nothing has been verified
    when a document was indexed, and whoever reads one looks again."""

    def lookup(
        self, trait: Trait, texts: Sequence[str], *, step: str | None = None, most: int
    ) -> Mapping[str, Sequence[int]]:
        """For each of `texts` the numbers of up to `most` documents with this trait, the newest first; of `step` only,
        where it is given (`""`: of those that say no step)."""

    def ranked(self, trait: Trait, texts: Sequence[str], *, step: str, most: int) -> Sequence[int]:
        """The numbers of up to `most` documents of `step` that have the most of `texts`, the newest first among
        equals."""

    def fetch(self, numbers: Iterable[int]) -> Iterable[Piece]:
        """The documents with these numbers, each wherever it is filed."""
