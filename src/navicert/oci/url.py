"""The web addresses that a registry client uses or is sent to, read strictly.

Two readings of one address would be a way around every check of where it leads.

Spec: RFC 3986; OCI distribution-spec (`Location`, `Link`, `realm`).
"""

from __future__ import annotations

import re
from typing import Final, Literal

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.oci.reference import split_host

Scheme = Literal["https", "http"]
"""How a connection is made; `http` only ever to this machine."""

_LONGEST: Final = 8192  # signed addresses of object stores have about 2,000 characters
_VISIBLE: Final = re.compile(r"[!-\[\]-~]*")  # no space, control character, backslash or anything beyond ASCII
_PORTS: Final[dict[Scheme, int]] = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Url:
    """Scheme, host, port, and path with query. `str` spells it."""

    scheme: Scheme
    host: str
    port: int
    target: str = "/"

    @staticmethod
    def parse(text: str) -> Url:
        """The address that `text` spells in full. Raises `Malformed` for other schemes, credentials inside it, and
        characters that readers disagree about. A fragment is left out."""
        scheme, mark, rest = text.partition("://")
        if len(text) > _LONGEST or not _VISIBLE.fullmatch(text) or not mark:
            raise _refusal(text)
        scheme = scheme.lower()
        if scheme not in ("https", "http"):
            raise _refusal(text)
        known: Scheme = "https" if scheme == "https" else "http"
        cut = min((rest.find(sign) for sign in "/?#" if sign in rest), default=len(rest))
        authority, target = rest[:cut], rest[cut:].partition("#")[0]
        if "@" in authority:
            raise Malformed("web address with credentials in it", got=f"{scheme}://…")
        host, port = split_host(authority)
        return Url(known, host, port or _PORTS[known], target if target.startswith("/") else f"/{target}")

    @staticmethod
    def at(scheme: Scheme, place: str, target: str) -> Url:
        """`target` at `place`, a host with its port where it has one of its own."""
        host, port = split_host(place)
        return Url(scheme, host, port or _PORTS[scheme], target)

    def join(self, text: str) -> Url:
        """The address that a server means by `text` in an answer to this one: in full, or a path. Raises `Malformed`
        for relative paths, which no registry sends, and for `//host`, which looks like a path and is none."""
        if text.startswith("/") and not text.startswith("//") and len(text) <= _LONGEST and _VISIBLE.fullmatch(text):
            return Url(self.scheme, self.host, self.port, text.partition("#")[0])
        return Url.parse(text)

    @property
    def origin(self) -> tuple[Scheme, str, int]:
        """What credentials are bound to: scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def place(self) -> str:
        """Host, and port where it is not the scheme's own."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    def with_query(self, query: str) -> Url:
        """This address with `query` (already encoded) added."""
        mark = "&" if "?" in self.target else "?"
        return Url(self.scheme, self.host, self.port, f"{self.target}{mark}{query}")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{self.target}"


def _refusal(text: str) -> Malformed:
    return Malformed("not a web address that can be used", expected="https://HOST/…", got=ascii(text[:100]))
