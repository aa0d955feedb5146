"""URIs of keys that are kept elsewhere: `SCHEME:NAME?public-key=FILE&scheme=SCHEME`.

What stands behind the question mark is the same for all of them: `public-key` names the file with the public key that
the signer must have, and `scheme` chooses among the signature schemes of an RSA key.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from navicert.crypto.key import Key

EXPECTED: Final = "public-key"
"""The option that names the file with the public key that is expected."""

SCHEME: Final = "scheme"
"""The option that chooses a signature scheme."""


@dataclass(frozen=True, slots=True)
class KeyUri:
    """A URI, taken apart: `name` is what stands between the scheme and the question mark, as it was written."""

    text: str
    kind: str
    name: str
    options: Mapping[str, str]

    @staticmethod
    def of(text: str, *, known: frozenset[str] = frozenset()) -> KeyUri:
        """The parts of `text`, whose options may be those of every URI and the `known` ones. Raises `Malformed`."""
        from urllib.parse import unquote

        kind, _, rest = text.partition(":")
        name, _, query = rest.partition("?")
        options: dict[str, str] = {}
        allowed = known | {EXPECTED, SCHEME}
        for word in filter(None, query.split("&")):
            option, _, value = word.partition("=")
            if option not in allowed or option in options or not value:
                raise Malformed(
                    "cannot be read as the name of a key",
                    path=f"{kind}:{name}",
                    expected=f"options {', '.join(sorted(allowed))}, each once",
                    got=repr(option[:40]),
                )
            options[option] = unquote(value)
        return KeyUri(text, kind, name, options)

    @property
    def scheme(self) -> str | None:
        """The signature scheme that is asked for."""
        return self.options.get(SCHEME)

    def expected(self) -> Key | None:
        """The public key that the signer must have, where the URI names one. Raises what reading it raises."""
        from navicert.trust.keyfile import open_public_key

        file = self.options.get(EXPECTED)
        return None if file is None else open_public_key(file, scheme=self.scheme)
