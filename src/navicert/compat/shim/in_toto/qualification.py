"""Whether one document counts for a step, for the stages of verification that a script calls one by one."""

from __future__ import annotations

from navicert.compat.shim.in_toto.exceptions import SignatureVerificationError
from navicert.compat.shim.securesystemslib._gpg.exceptions import KeyExpirationError
from navicert.compat.shim.securesystemslib.exceptions import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def threshold_of(step: Any) -> int:
    """How many must have performed `step`. Raises `FormatError` for fewer than one, and for what is no number."""
    if type(step.threshold) is not int or step.threshold < 1:
        raise FormatError(
            f"Invalid threshold '{step.threshold}', value must be an int of at least 1. (step '{step.name}')"
        )
    return step.threshold


def objection(step: Any, keyid: str, key: Any, metadata: Any) -> tuple[Any, ...]:
    """Why the document that was found for `keyid` does not count for `step`: a format and what goes into it; nothing
    where it does."""
    if key is None:
        return ("Skipping link. Keyid '%s' is not authorized to sign links for step '%s'", keyid, step.name)
    try:
        metadata.verify_signature(key)
    except SignatureVerificationError:
        return ("Skipping link. Broken link signature with keyid '%s' for step '%s'", keyid, step.name)
    except KeyExpirationError as error:
        return ("Skipping link. %s", error)
    payload = metadata.get_payload()
    if payload.type_ != "link":
        return ()
    if payload.name != step.name:
        return ("Skipping link. The link of keyid '%s' is signed for another step, '%s'", keyid, str(payload.name))
    from navicert.compat.shim.in_toto.ruling import record_of
    from navicert.verify.evidence import odd_path

    path = odd_path(record_of(payload))
    if path is not None:
        return ("Skipping link. The link of keyid '%s' has a path that is not in normal form, '%s'", keyid, path)
    return ()


def authorised(step: Any, keyid: str, keys: Any, masters: Any) -> Any:
    """The key to check a link by `keyid` with: itself, the master of an authorised subkey, or an authorised master."""
    for allowed in step.pubkeys:
        if keyid == allowed and (allowed in keys or allowed in masters):
            return keys.get(allowed) or masters[allowed]
        if allowed in keys and keyid in (keys[allowed].get("subkeys") or {}):
            return keys[allowed]
    return None
