"""The tables of evidence in a database, the same for SQLite and PostgreSQL.

`document` holds every document once, by the SHA-256 of its bytes; `filing` says under which steps it is filed; `mark`
is the index. A mark is made of numbers only: what is looked up is hashed to 64 bits, so two texts may share a mark, and
whoever follows one reads the document again. Marks follow from documents and filings, and can be made anew at any time.

Statements are written with `?` for parameters, and use nothing that one of the two databases lacks.
"""

from __future__ import annotations

import hashlib
from typing import Final

from navicert.errors import Refused
from navicert.store.hint import Hint, filed_traits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = 2
"""The version that is written. Version 0 had no index, version 1 no memory of places."""

NO_STEP: Final = 0

_SHA256_LENGTH: Final = len("sha256:") + 64
_HALF: Final = 2**63

TABLES: Final = """
CREATE TABLE document (
    id {identity},
    digest {bytes} NOT NULL UNIQUE,
    raw {bytes} NOT NULL
);
CREATE TABLE filing (
    document BIGINT NOT NULL REFERENCES document (id),
    step TEXT NOT NULL,
    scope TEXT NOT NULL,
    keyid TEXT NOT NULL,
    filed_at BIGINT NOT NULL,
    PRIMARY KEY (document, step, scope)
){clustered};
"""
"""Version 0. `step` is empty where there is none, `scope` is joined by slashes, `filed_at` counts seconds since 1970.
"""

INDEX: Final = """
CREATE TABLE mark (
    trait BIGINT NOT NULL,
    text BIGINT NOT NULL,
    step BIGINT NOT NULL,
    document BIGINT NOT NULL,
    PRIMARY KEY (trait, text, step, document)
){clustered};
CREATE INDEX filing_by_time ON filing (filed_at);
"""
"""What version 1 adds. `step` is that which the document says it is for, 0 in marks that follow from its filing."""

MEMORY: Final = """
CREATE TABLE sighting (
    digest TEXT NOT NULL,
    place TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (digest, place)
){clustered};
"""
"""What version 2 adds: see `navicert.store.sighting`."""

Mark = tuple[int, int, int, int]
"""A row of `mark`."""


def statements(text: str, words: dict[str, str]) -> list[str]:
    """The single statements of `text`, in the words of one database."""
    return [part.strip() for part in text.format(**words).split(";") if part.strip()]


def number(text: str) -> int:
    """What stands for `text` in a mark: 64 bits of a hash of it, signed, because that is what databases count in. Of a
    SHA-256 digest, its own first 64."""
    if len(text) == _SHA256_LENGTH and text.startswith("sha256:"):
        try:
            return int(text[7:23], 16) - _HALF
        except ValueError:
            pass  # no digest after all
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def step_number(step: str) -> int:
    """The same for a step; the empty name is none."""
    return number(step) if step else NO_STEP


def document_marks(hint: Hint, document: int) -> Iterator[Mark]:
    """The marks that follow from what a document says."""
    # A bundle may say the same thing of one step twice.
    for trait, text, step in dict.fromkeys(hint.traits()):
        yield trait, number(text), step_number(step), document


def filing_marks(hint: Hint, document: int, step: str) -> Iterator[Mark]:
    """The marks that follow from where it is filed, which is nothing that it says."""
    for trait, text in filed_traits(hint, step or None):
        yield trait, number(text), NO_STEP, document


def refuse_newer(version: int, where: str) -> None:
    """Raise `Refused` for a schema that this program does not know."""
    if version > VERSION:
        raise Refused(
            "written by a newer Navicert",
            path=where,
            expected=f"schema version {VERSION} or older",
            got=f"version {version}",
            remedy="update this program; nothing was changed",
        )
