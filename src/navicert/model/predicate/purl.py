"""Package URLs: a package and its version in one line, such as `pkg:oci/app@sha256%3A…?repository_url=…`.

Spec: package-url/purl-spec, "How to parse a purl string".
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_TYPE: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.+-")
_HEX: Final = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class PackageUrl:
    """The parts of a package URL, decoded. `namespace`, `version` and `subpath` may be empty."""

    type: str
    namespace: str
    name: str
    version: str
    qualifiers: Mapping[str, str] = field(default_factory=dict)
    subpath: str = ""

    @staticmethod
    def parse(text: str, where: str = "") -> PackageUrl:
        """The parts of `text`. Raises `Malformed` where it is no package URL."""
        rest, _, subpath = text.partition("#")
        rest, _, query = rest.partition("?")
        scheme, colon, rest = rest.partition(":")
        if scheme.lower() != "pkg" or not colon:
            raise _not_one(text, where)
        type, slash, rest = rest.strip("/").partition("/")
        path, at, version = rest.rpartition("@")
        if not at:
            path, version = rest, ""
        *namespace, name = path.strip("/").split("/")
        type = type.lower()
        if not type or not slash or not name or not _TYPE.issuperset(type) or type[0].isdigit():
            raise _not_one(text, where)
        return PackageUrl(
            type,
            "/".join(_decode(part, text, where) for part in namespace if part),
            _decode(name, text, where),
            _decode(version, text, where),
            dict(_qualifiers(query, text, where)),
            "/".join(_decode(part, text, where) for part in subpath.split("/") if part not in ("", ".", "..")),
        )


def _qualifiers(query: str, text: str, where: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        if not key or key.lower() in dict(found):
            raise _not_one(text, where)
        if value:
            found.append((key.lower(), _decode(value, text, where)))
    return found


def _decode(part: str, text: str, where: str) -> str:
    raw = bytearray()
    data = part.encode()
    i = 0
    while i < len(data):
        if data[i] == 0x25:
            digits = data[i + 1 : i + 3].decode("ascii", "replace")
            if len(digits) != 2 or not _HEX.issuperset(digits):
                raise _not_one(text, where)
            raw.append(int(digits, 16))
            i += 3
        else:
            raw.append(data[i])
            i += 1
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _not_one(text, where) from None


def _not_one(text: str, where: str) -> Malformed:
    return Malformed("not a package URL", pointer=where, expected="pkg:TYPE/NAME@VERSION", got=repr(text[:80]))
