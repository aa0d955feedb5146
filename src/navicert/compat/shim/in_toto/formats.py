"""Checks of what scripts pass in (`in_toto.formats`). Each raises `FormatError`."""

from __future__ import annotations

from navicert.compat.shim.in_toto.models._signer import GPGKey, GPGSignature
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.compat.shim.securesystemslib.signer import Key, Signature
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def _err(arg: object, expected: str) -> FormatError:
    return FormatError(f"expected {expected}, got '{arg} ({type(arg)})'")


def _check(arg: object, kind: type, name: str) -> None:
    if not isinstance(arg, kind):
        raise _err(arg, name)


def _check_int(arg: object) -> None:
    _check(arg, int, "int")


def _check_str(arg: object) -> None:
    _check(arg, str, "str")


def _check_list(arg: object) -> None:
    _check(arg, list, "list")


def _check_dict(arg: object) -> None:
    _check(arg, dict, "dict")


def _check_hex(arg: Any) -> None:
    _check_str(arg)
    if not arg or not _HEX.issuperset(arg):
        raise _err(arg, "hex string")


def _check_str_list(arg: Any) -> None:
    _check_list(arg)
    for item in arg:
        _check_str(item)


def _check_hex_list(arg: Any) -> None:
    _check_list(arg)
    for item in arg:
        _check_hex(item)


def _check_iso8601(arg: Any) -> None:
    from navicert.timestamp import parse_timestamp

    _check_str(arg)
    try:
        parse_timestamp(arg)
    except Malformed as error:
        raise _err(arg, "'YYYY-MM-DDTHH:MM:SSZ'") from error


def _check_hash_dict(arg: Any) -> None:
    _check_dict(arg)
    for name, value in arg.items():
        _check_str(name)
        _check_hex(value)


def _check_parameter_dict(arg: Any) -> None:
    _check_dict(arg)
    for name, value in arg.items():
        _check_str(name)
        if not name or not _NAME.issuperset(name):
            raise _err(arg, "'a-zA-Z0-9_-'")
        _check_str(value)


def _check_signature(arg: Any) -> None:
    _check_dict(arg)
    try:
        GPGSignature.from_dict(arg)
    except KeyError:
        try:
            Signature.from_dict(dict(arg))
        except KeyError as error:
            raise _err(arg, "signature dict") from error


def _check_public_key(arg: Any) -> None:
    _check_dict(arg)
    try:
        GPGKey.from_dict(arg["keyid"], arg)
    except (KeyError, TypeError):
        try:
            Key.from_dict(arg["keyid"], dict(arg))
        except KeyError as error:
            raise _err(arg, "public key dict") from error


def _check_public_keys(arg: Any) -> None:
    _check_dict(arg)
    for keyid, key in arg.items():
        _check_hex(keyid)
        _check_public_key(key)
