"""Digests: what identifies an artifact.

Spec: in-toto v1.0 §4.4 (hash objects); in-toto attestation DigestSet.
"""

from __future__ import annotations

import sys

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.interface import Iterable, Mapping
from navicert.strictjson import pointer, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_HEX: Final = b"0123456789abcdefABCDEF"
_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+/-")
_LONGEST_NAME: Final = 64

STRONG: Final[Mapping[str, int]] = {
    "sha256": 64,
    "sha384": 96,
    "sha512": 128,
    "sha512_256": 64,
    "sha3_256": 64,
    "sha3_384": 96,
    "sha3_512": 128,
    "blake2b": 128,
    "blake2s": 64,
}
"""Algorithms that may decide that two artifacts are the same, with the length of their hex form."""

SELF_ONLY: Final = frozenset({"gitCommit", "gitTree", "gitBlob", "gitTag"})
"""Object names of git: compared with themselves only, never with a file's digest."""

_GIT_LENGTHS: Final = (40, 64)

_LENGTHS: Final[Mapping[str, tuple[int, ...]]] = {
    **{name: (length,) for name, length in STRONG.items()},
    **dict.fromkeys(SELF_ONLY, _GIT_LENGTHS),
    **dict.fromkeys(("sha1", "ripemd160"), (40,)),
    **dict.fromkeys(("sha224", "sha512_224", "sha3_224"), (56,)),
    **dict.fromkeys(("sm3", "gost", "dirHash", "dirHash1"), (64,)),
    "md5": (32,),
}
"""How many hexadecimal digits a whole digest has; those that are not here (`shake128`) have any even number."""
_LONGEST_OPAQUE: Final = 4096

HEXADECIMAL: Final = SELF_ONLY | {
    *STRONG,
    *"sha1 md5 sha224 sha512_224 sha3_224 shake128 shake256 ripemd160 sm3 gost dirHash dirHash1".split(),
}
"""Algorithms whose values are always written in hexadecimal. Spec: attestation framework, digest_set.md."""

RECORDABLE: Final = tuple(STRONG)
"""Algorithms that `record` offers; all of them are in `hashlib`."""


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """One algorithm and its value in lower-case hex."""

    algorithm: str
    hex: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"

    @staticmethod
    def parse(text: str) -> Digest:
        """The digest that `alg:hex` names. Raises `Malformed` unless it is a strong one of the right length."""
        algorithm, _, value = text.partition(":")
        if STRONG.get(algorithm) != len(value) or not is_hex(value):
            raise Malformed("not a digest", expected="ALG:HEX, such as sha256 and 64 hex digits", got=repr(text[:80]))
        return Digest(algorithm, value.lower())


def is_hex(text: str) -> bool:
    """Whether `text` is one or more hexadecimal digits and nothing else."""
    return text != "" and text.isascii() and not text.encode().translate(None, _HEX)


def _is_name(text: str) -> bool:
    """Whether `text` may be the name of an algorithm."""
    return 1 <= len(text) <= _LONGEST_NAME and _NAME.issuperset(text)


def sha256(data: bytes) -> Digest:
    """The SHA-256 digest of `data`."""
    return Digest("sha256", sha256_hex(data))


_SMALL: Final = 16 * 1024
_BUILT_IN: Final = "_sha256" if sys.version_info < (3, 12) else "_sha2"
"""The module in which Python keeps its own SHA-256; it may have been built without."""


def sha256_hex(data: bytes) -> str:
    """The SHA-256 digest of `data`, in hex.

    To load OpenSSL takes as long as some hundred kilobytes do with what is built into Python; so for a small document,
    where nothing else has loaded it, that is asked.
    """
    if len(data) <= _SMALL and "_hashlib" not in sys.modules:
        module = _built_in()
        if module is not None:
            digits: str = module.sha256(data).hexdigest()
            return digits
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _built_in() -> Any | None:
    try:
        return __import__(_BUILT_IN)
    except ImportError:
        return None


def digest_of(text: str) -> DigestSet | None:
    """The digest that `ALG:HEX` names, one that decides: a strong one, or the name of an object of git. None where
    `text` does not begin with an algorithm. Raises `Malformed` for another length, and for weak algorithms."""
    name, colon, value = text.partition(":")
    if not colon or name not in HEXADECIMAL:
        return None
    if not is_hex(value) or not _decides(name, value):
        raise Malformed(
            "not a digest that decides anything",
            expected=f"{', '.join((*STRONG, *sorted(SELF_ONLY)))} and all its hex digits",
            got=repr(text[:80]),
        )
    return DigestSet.of({name: value.lower()})


class DigestSet(tuple[tuple[str, str], ...]):
    """All digests recorded for one artifact: (algorithm, hex) pairs sorted by algorithm, hex as received.

    Equality is the classic rule (exact equality of the sets); `agrees` is the careful comparison. A tuple, so that a
    link with a million artifacts stays small and comparing two sets is one call.
    """

    __slots__ = ()

    @staticmethod
    def of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> DigestSet:
        """The set of `pairs`, unchecked but for their order; for values that we computed or checked."""
        return DigestSet(sorted(pairs.items() if isinstance(pairs, Mapping) else pairs))

    @staticmethod
    def from_json(value: object, where: str, *, opaque: bool = False) -> DigestSet:
        """The digest set of a JSON object at the JSON pointer `where`. Raises `Malformed` for other types, odd
        algorithm names and values that are not hexadecimal. An empty object is kept: it agrees with nothing.

        With `opaque`, as attestations have it, the value of an algorithm that is not known may be any text: an id that
        somebody keeps for something that cannot change (`arn`, `gce_image_id`). It never decides anything.
        """
        if type(value) is not dict:
            raise Malformed("not a digest set", pointer=where, expected="object", got=type_name(value))
        for name, text in value.items():
            if name != "sha256" and not _is_name(name):
                raise Malformed(
                    "not a digest algorithm",
                    pointer=where,
                    expected="1 to 64 letters, digits and . _ + / -",
                    got=repr(name[:40]),
                )
            if opaque and name not in HEXADECIMAL and type(text) is str and 0 < len(text) <= _LONGEST_OPAQUE:
                continue
            if type(text) is not str or not is_hex(text):
                raise Malformed(
                    "digest is not hexadecimal",
                    pointer=pointer(where, name),
                    expected="a string of hexadecimal digits",
                    got=repr(text)[:60] if type(text) is str else type_name(text),
                )
        return DigestSet.of(value)

    def to_json(self) -> dict[str, str]:
        """The JSON object of this set."""
        return dict(self)

    def check(self, where: str) -> None:
        """Raise `Malformed` where the value of a known algorithm is not a whole digest. Such a set is read, since
        somebody may have signed it, and decides nothing; nobody should sign one."""
        for name, value in self:
            problem = spelling_problem(name, value)
            if problem:
                raise Malformed("not a digest", pointer=pointer(where, name), expected=problem, got=repr(value)[:60])

    @property
    def strong(self) -> tuple[Digest, ...]:
        """The digests that may decide alone, in lower case."""
        return tuple(Digest(name, value.lower()) for name, value in self if STRONG.get(name) == len(value))

    @property
    def decides(self) -> bool:
        """Whether some digest here may decide alone that two artifacts are the same, so that the set agrees with
        itself."""
        return any(_decides(name, value) for name, value in self)

    def agrees(self, other: DigestSet) -> bool:
        """Whether both certainly name the same content: at least one common algorithm that may decide, and every
        common algorithm equal. Empty sets, and sets without a common algorithm, agree with nothing."""
        theirs = dict(other)
        decided = False
        for name, value in self:
            counterpart = theirs.get(name)
            if counterpart is None:
                continue
            if counterpart != value and counterpart.lower() != value.lower():
                return False
            decided = decided or _decides(name, value)
        return decided

    def differs(self, other: DigestSet) -> bool:
        """Whether both certainly name different content: they share an algorithm that may decide, and do not agree."""
        theirs = dict(other)
        return not self.agrees(other) and any(name in theirs and _decides(name, value) for name, value in self)

    def __str__(self) -> str:
        return " ".join(f"{name}:{value}" for name, value in self) or "(no digest)"


def spelling_problem(name: str, value: str) -> str:
    """What the value of the algorithm `name` has to look like, where it does not; empty where it does, or nobody knows
    the algorithm. Spec: attestation framework, digest_set.md."""
    if name not in HEXADECIMAL:
        return ""
    lengths = _LENGTHS.get(name, ())
    if is_hex(value) and (len(value) in lengths if lengths else len(value) % 2 == 0):
        return ""
    return f"{' or '.join(map(str, lengths)) or 'an even number of'} hexadecimal digits"


def _decides(name: str, value: str) -> bool:
    """Whether an equal digest of this kind means the same content. A shortened one never does."""
    return STRONG.get(name) == len(value) or (name in SELF_ONLY and len(value) in _GIT_LENGTHS)
