"""Names of keys in hardware: the token and the object that a PKCS#11 URI means. Spec: RFC 7512."""

from __future__ import annotations

import os
import re
from typing import Any, Final

from navicert.dataclass import dataclass
from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL
from navicert.trust.uri import KeyUri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from navicert.crypto.pem import Password

MODULE_VARIABLE: Final = "PYKCS11LIB"
"""The environment variable that names the library where the URI does not, as for securesystemslib."""

_FORM: Final = "pkcs11:token=LABEL;object=LABEL or id=%01, and ?module-path=/path/to/library.so"
_TOKEN: Final = ("token", "serial", "manufacturer", "model")
_OBJECT: Final = ("id", "object")
_OPTIONS: Final = frozenset({"module-path", "pin-source", "pin-value", "label"})


@dataclass(frozen=True, slots=True)
class Address:
    """What a URI says: attributes of the token and of the key in it, by their names in RFC 7512."""

    uri: KeyUri
    attributes: Mapping[str, bytes]

    @property
    def shown(self) -> str:
        """The URI for messages, without its options."""
        return f"pkcs11:{self.uri.name}"

    @staticmethod
    def of(text: str) -> Address:
        """What `text` says. Raises `Malformed`, and `Refused` for a PIN in it."""
        from urllib.parse import unquote_to_bytes

        uri = KeyUri.of(text, known=_OPTIONS)
        shown = f"pkcs11:{uri.name}"
        if "pin-value" in uri.options:
            raise Refused(
                "a PIN in the name of a key ends up in logs and in the list of processes",
                path=shown,
                remedy="give it with --password-env NAME, --password-file FILE or ?pin-source=file:PATH",
            )
        found: dict[str, bytes] = {}
        # As securesystemslib names them: the number of the key, and the label of the token as an option.
        numbered = re.fullmatch("[0-9]{1,18}", uri.name)
        if numbered:
            number = int(uri.name)
            found["id"] = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
        for part in () if numbered else filter(None, uri.name.split(";")):
            name, equals, value = part.partition("=")
            if name == "type" and value == "private":
                continue
            if name not in (*_TOKEN, *_OBJECT) or not equals or not value or name in found:
                raise Malformed("not the name of a key in a token", path=shown, expected=_FORM, got=repr(part[:40]))
            found[name] = unquote_to_bytes(value)
        if "label" in uri.options and found.setdefault("token", uri.options["label"].encode()) != (
            uri.options["label"].encode()
        ):
            raise Malformed("two labels of the token", path=shown, expected=_FORM)
        if not found.keys() & set(_OBJECT):
            raise Malformed("says of no key which one it is", path=shown, expected=_FORM)
        return Address(uri, found)

    def library(self) -> str:
        """The path of the PKCS#11 library."""
        path = self.uri.options.get("module-path") or os.environ.get(MODULE_VARIABLE, "")
        if not path:
            raise Malformed(
                "no PKCS#11 library is named",
                path=self.shown,
                expected=f"?module-path=/path/to/library.so, or {MODULE_VARIABLE} in the environment",
            )
        if not os.path.isabs(path):
            # Whatever lies in the working directory would be loaded into this process.
            raise Refused("the path of a PKCS#11 library has to be absolute", path=self.shown, got=path)
        return path

    def token(self, pkcs11: Any) -> Any:
        """The one token that fits."""
        library = self.library()
        if not os.path.isfile(library):
            raise Malformed("no such PKCS#11 library", path=self.shown, got=library)
        tokens = [slot.get_token() for slot in pkcs11.lib(library).get_slots(token_present=True)]
        tokens = [one for one in tokens if one.flags & pkcs11.TokenFlag.TOKEN_INITIALIZED]
        return one([one for one in tokens if self._fits(one)], "token", self.shown, [_label(one) for one in tokens])

    def _fits(self, token: Any) -> bool:
        """Whether `token` has every attribute of it that is asked for. Blanks fill up all of them."""
        about = {
            "token": token.label,
            "serial": token.serial,
            "manufacturer": token.manufacturer_id,
            "model": token.model,
        }
        wanted = {name: self.attributes[name] for name in _TOKEN if name in self.attributes}
        return all(_plain(about[name]) == value.rstrip(b" \0") for name, value in wanted.items())

    def pin(self, token: Any, pkcs11: Any, password: Password | None) -> Any:
        """What the token wants to hear before it signs; None for one that wants nothing."""
        source = self.uri.options.get("pin-source")
        if source is not None:
            return _text(_first_line(source.removeprefix("file://").removeprefix("file:")))
        if not token.flags & pkcs11.TokenFlag.LOGIN_REQUIRED:
            return None
        if token.flags & pkcs11.TokenFlag.PROTECTED_AUTHENTICATION_PATH:
            return pkcs11.PROTECTED_AUTH  # typed on the device
        if password is None:
            raise Malformed("the token wants a PIN", path=self.shown, remedy="give one")
        return _text(password())

    def only(self, session: Any, pkcs11: Any, kind: Any, what: str) -> Any:
        """The one object of a `kind` that fits."""
        return one(list(self.objects(session, pkcs11, kind)), what, self.shown, [])

    def objects(self, session: Any, pkcs11: Any, kind: Any) -> Iterable[Any]:
        """All objects of a `kind` that fit, as far as they are looked at."""
        wanted = {pkcs11.Attribute.CLASS: kind}
        if "id" in self.attributes:
            wanted[pkcs11.Attribute.ID] = self.attributes["id"]
        if "object" in self.attributes:
            wanted[pkcs11.Attribute.LABEL] = _text(self.attributes["object"])
        return list(session.get_objects(wanted))[: LOCAL.token_objects]


def one(found: list[Any], what: str, shown: str, others: list[str]) -> Any:
    """The only one of those that were found. Raises `Malformed` for none, naming the `others`, and for several."""
    if not found:
        there = f"there are: {', '.join(others[: LOCAL.report_items])}" if others else ""
        raise Malformed(
            f"no such {what}", path=shown, got=there, remedy="pkcs11-tool --list-objects shows what there is"
        )
    if len(found) > 1:
        raise Malformed(f"fits {len(found)} {what}s", path=shown, remedy="say more, such as token=LABEL;id=%01")
    return found[0]


def _label(token: Any) -> str:
    return repr(_plain(token.label).decode("utf-8", "replace"))


def _plain(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else str(value or "").encode()
    return raw.rstrip(b" \0")


def _first_line(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.readline(LOCAL.password_bytes + 2).rstrip(b"\r\n")
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "not a file name").lower()
        raise Malformed(f"the PIN cannot be read: {why}", path=path) from error


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("not UTF-8", expected="a PIN or label in UTF-8") from error
