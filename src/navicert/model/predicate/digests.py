"""Digests in a predicate, of whatever type: whether each is as long as its algorithm makes it.

Nobody has to know a predicate for this: a `digest` is written alike everywhere, and bills have checksums of their own.
What is read from others may hold anything, and decides nothing then; what is signed here must not.
Spec: in-toto attestation framework, digest_set.md; SPDX 2.3 §7.10, SPDX 3.0 (Hash); CycloneDX 1.6 (hash).
"""

from __future__ import annotations

import re

from navicert.digest import HEXADECIMAL, spelling_problem
from navicert.errors import Malformed
from navicert.strictjson import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_WORD: Final = re.compile(r"([A-Za-z0-9_.+-]+):(.*)", re.DOTALL)
_CHECKSUMS: Final = (("algorithm", "checksumValue"), ("algorithm", "hashValue"), ("alg", "content"))
"""How SPDX 2, SPDX 3 and CycloneDX call algorithm and value."""
_NAMES: Final = {name.replace("_", ""): name for name in HEXADECIMAL}
"""Names of algorithms, as those are written without what stands between letters and digits."""


def check_digests(value: object, where: str = "") -> None:
    """Raise `Malformed` for the first digest anywhere in a JSON value that is not whole. Algorithms that nobody knows
    are left alone."""
    waiting = [(value, where)]
    while waiting:
        one, place = waiting.pop()
        if isinstance(one, dict):
            for name, text, spot in _written(one, place):
                problem = spelling_problem(name, text)
                if problem:
                    raise Malformed("not a digest", pointer=spot, expected=problem, got=repr(text)[:60])
            waiting += [(child, pointer(place, key)) for key, child in one.items()]
        elif isinstance(one, list):
            waiting += [(child, f"{place}/{i}") for i, child in enumerate(one)]


def _written(fields: dict[str, object], where: str) -> Iterator[tuple[str, str, str]]:
    """The digests that stand in an object itself: algorithm, value, and where."""
    digest = fields.get("digest")
    if isinstance(digest, dict):
        for name, text in digest.items():
            if isinstance(text, str):
                yield name, text, pointer(f"{where}/digest", name)
    elif isinstance(digest, str):
        match = _WORD.fullmatch(digest)
        if match is not None:
            yield match[1], match[2], f"{where}/digest"
    for algorithm, content in _CHECKSUMS:
        name, text = fields.get(algorithm), fields.get(content)
        if isinstance(name, str) and isinstance(text, str):
            known = _NAMES.get(name.lower().replace("-", "").replace("_", ""))
            if known is not None:
                yield known, text, pointer(where, content)
