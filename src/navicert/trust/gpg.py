"""GPG keys in a keyring: exported and signed with by the program gpg, and by nothing else. Checking needs no gpg.

A key is named `gpg:KEYID`, or `gpg:KEYID?homedir=DIR` where the keyring is not the user's own; without a KEYID it is
gpg's default key. gpg asks for passphrases itself. A master with a signing subkey signs with that subkey, and its
fingerprint is the id of the signature: which one gpg takes is known only once it has signed something.
"""

from __future__ import annotations

import os
import re
from typing import Final

from navicert.crypto.gpg import GpgKey
from navicert.crypto.gpg_bundle import read_bundle
from navicert.crypto.gpg_signature import PgpSignature, read_signature
from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed, NavicertError, Unavailable
from navicert.limits import LOCAL

_PROGRAMS: Final = ("gpg2", "gpg")
_PROBE: Final = b"which key does gpg sign with?"

# gpg takes ids of these lengths for ids; whatever else it looks for in names.
_KEYID: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{40}|[0-9a-fA-F]{16}|[0-9a-fA-F]{8})(!?)")
_FORM: Final = "gpg:KEYID or gpg:KEYID?homedir=DIR, with a KEYID of 40, 16 or 8 hex digits"

_STATUS: Final = "[GNUPG:] "


@dataclass(frozen=True, slots=True)
class GpgSigner:
    """A key in a keyring. `key` is the master with its subkeys, `keyid` the fingerprint of the one that signs."""

    key: GpgKey
    keyid: str
    homedir: str = ""

    def sign(self, message: bytes) -> bytes:
        """The signature packet over `message`. Raises `Unavailable` where gpg does not sign."""
        packet = detached_signature(message, f"{self.keyid}!", self.homedir)
        _check(read_signature(packet), self.key, message)
        return packet


def open_gpg_signer(uri: str) -> GpgSigner:
    """The signer that `uri` names, once it has signed something: then its passphrase is known to gpg, too.

    Raises `Malformed` for a key that is not there, cannot sign or is of no kind that in-toto knows, and `Unavailable`
    where gpg is not there or does not do it.
    """
    try:
        return gpg_signer(*_split(uri))
    except NavicertError as error:
        raise error.at(uri) from None


def open_gpg_key(uri: str) -> GpgKey:
    """The public key, with its subkeys, whose full fingerprint `uri` gives. Raises as `open_gpg_signer` does."""
    try:
        keyid, homedir = _split(uri)
        digits = _check_id(keyid) if keyid else ""
        if len(digits) != 40:
            raise Malformed(
                "only a full fingerprint says which key is trusted",
                expected="gpg: and 40 hex digits",
                remedy="gpg --list-keys shows it",
            )
        key = export_key(keyid, homedir)
        if key.keyid != digits:
            raise Malformed(
                "a subkey; trusted is its master, with all subkeys", remedy=f"write gpg:{key.keyid} if that is meant"
            )
        return key
    except NavicertError as error:
        raise error.at(uri) from None


def gpg_signer(keyid: str = "", homedir: str = "") -> GpgSigner:
    """The signer for the key with the hexadecimal id `keyid`, else for gpg's default key. Raises as
    `open_gpg_signer` does."""
    made = read_signature(detached_signature(_PROBE, keyid, homedir))
    key = export_key(made.fingerprint or made.short_id, homedir)
    return GpgSigner(key, _check(made, key, _PROBE).keyid, homedir)


def export_key(keyid: str, homedir: str = "") -> GpgKey:
    """The public key that `keyid` is the id of, or a subkey's: always the master with its subkeys. Raises as
    `open_gpg_signer` does."""
    digits = _check_id(keyid)
    data = _run(["--export", keyid], homedir)
    if not data:
        raise Malformed("no such key in the keyring", got=keyid, remedy="gpg --list-keys shows which there are")
    key = read_bundle(data)
    if not any(member.keyid.endswith(digits) for member in (key, *key.subkeys)):
        raise Malformed("the key is of no kind that can sign for in-toto", got=keyid, expected="RSA, DSA or Ed25519")
    return key


def _check(signature: PgpSignature, key: GpgKey, message: bytes) -> GpgKey:
    """The member of `key` that made `signature`. Raises `Malformed` where none did: nobody could verify it."""
    for member in (key, *key.subkeys):
        if signature.names(member.keyid) and member.verify(signature.value, message, signature.headers):
            return member
    raise Malformed(
        "gpg signs with a key that is not a good part of the exported one",
        got=signature.fingerprint or signature.short_id,
        remedy="choose another with gpg:FINGERPRINT!, or make a new subkey",
    )


def _check_id(keyid: str) -> str:
    """The digits of `keyid`, in lower case. Raises `Malformed` for anything else, above all for options."""
    match = _KEYID.fullmatch(keyid)
    if match is None:
        raise Malformed("not the id of a GPG key", expected="40, 16 or 8 hex digits", got=repr(keyid[:80]))
    return match[1].lower()


def _split(uri: str) -> tuple[str, str]:
    """Key id and folder of the keyring in `uri`, either may be empty."""
    keyid, query, rest = uri.removeprefix("gpg:").partition("?")
    name, _, folder = rest.partition("=")
    if (keyid and not _KEYID.fullmatch(keyid)) or (query and (name != "homedir" or not folder)):
        raise Malformed("not the name of a GPG key", expected=_FORM)
    from urllib.parse import unquote

    return keyid, unquote(folder)


# --- the program ---------------------------------------------------------------------------------------------------


def detached_signature(message: bytes, keyid: str = "", homedir: str = "") -> bytes:
    """The packet of gpg's signature over `message`, by the key `keyid` or gpg's default key. Raises as
    `open_gpg_signer` does."""
    if keyid:
        _check_id(keyid)
    who = ["--local-user", keyid] if keyid else []
    # What stands in the user's gpg.conf must not change what is signed, or how it is written down.
    form = ["--no-armor", "--no-textmode", "--digest-algo", "SHA256", "--output", "-"]
    return _run([*who, *form, "--detach-sign"], homedir, message)


def _run(arguments: list[str], homedir: str, message: bytes = b"") -> bytes:
    import subprocess

    from navicert.oci.program import find_program

    if homedir and not os.path.isdir(homedir):
        raise Malformed("no such folder for a keyring", got=homedir)
    home = ["--homedir", homedir] if homedir else []
    words = ["--batch", "--no-armor", "--status-fd", "2", *home, *arguments]
    search_path = os.environ.get("PATH", os.defpath)
    for program in filter(None, (find_program(name, search_path) for name in _PROGRAMS)):
        try:
            done = subprocess.run(
                [program, *words], input=message, capture_output=True, check=False, timeout=LOCAL.gpg_seconds
            )
        except FileNotFoundError:
            continue
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"gpg did not answer within {LOCAL.gpg_seconds} seconds (limit gpg_seconds)",
                remedy="unlock the key first, such as with: gpg --sign --output /dev/null /dev/null",
            ) from error
        except OSError as error:
            raise Unavailable(f"gpg cannot be run: {(error.strerror or str(error)).lower()}") from error
        if done.returncode:
            raise _failure(done.stderr.decode("utf-8", "replace"))
        if len(done.stdout) > LOCAL.gpg_bytes:
            raise LimitExceeded("key too large (limit gpg_bytes)", expected=f"at most {LOCAL.gpg_bytes} bytes")
        return done.stdout
    raise Unavailable("gpg is not installed", remedy="install GnuPG, or use a key made with: navicert keygen KEY")


def _failure(said: str) -> NavicertError:
    """What gpg said when it failed, as an error."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith(_STATUS)]
    why = lines[-1].removeprefix("gpg: ") if lines else "it did not say why"
    if f"\n{_STATUS}INV_SGNR" in f"\n{said}":
        return Malformed(
            "gpg does not sign with this key", got=why, remedy="gpg --list-secret-keys shows which can, and until when"
        )
    return Unavailable(f"gpg failed: {why}")
