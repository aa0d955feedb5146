"""What a registry asks for when it answers 401: the header `WWW-Authenticate`, read without guessing.

Spec: RFC 9110 §11.6.1; OCI distribution-spec "Authentication"; the token specification of distribution.
"""

from __future__ import annotations

import re
from typing import Final

from navicert.dataclass import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 16 * 1024
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME: Final = re.compile(rf"\s*({_TOKEN})(?:\s+|$|(?=,))")
_PARAMETER: Final = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\\x00-\x1f\x7f]|\\[ -~])*)"|({_TOKEN}))\s*(?:,|$)')
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One scheme (in lower case) with its parameters; the first of two with one name counts."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(header: str) -> list[Challenge]:
    """The challenges of `header`, in order. What cannot be read ends the list: it grants nothing."""
    text = header[:_LONGEST]
    found = []
    while text.strip(" \t,"):
        text = text.lstrip(" \t,")
        scheme = _SCHEME.match(text)
        if scheme is None:
            break
        text = text[scheme.end() :]
        parameters: dict[str, str] = {}
        while (parameter := _PARAMETER.match(text)) is not None:
            name, quoted, plain = parameter.groups()
            parameters.setdefault(name.lower(), plain if quoted is None else _ESCAPE.sub(r"\1", quoted))
            text = text[parameter.end() :]
        found.append(Challenge(scheme[1].lower(), parameters))
    return found
