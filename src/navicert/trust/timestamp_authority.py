"""Timestamp authorities: asked over HTTP for the moment at which a signature existed. Spec: RFC 3161 §3.4."""

from __future__ import annotations

from navicert.crypto.timestamp_request import CONTENT_TYPE, check_answer, request_for
from navicert.crypto.timestamp_token import MOST_BYTES
from navicert.dataclass import dataclass
from navicert.errors import Malformed, NavicertError, Unavailable
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from navicert.crypto.key import Key
    from navicert.crypto.signer import Signer


def timestamp(stamped: bytes, url: str) -> bytes:
    """The answer of the authority at `url` about `stamped`, in DER. Raises `Malformed` for what is no URL of one,
    `Unavailable`, and `Refused` for an answer that would prove nothing."""
    import urllib.error
    import urllib.request

    if not url.startswith(("https://", "http://")):
        raise Malformed("not the address of a timestamp authority", path=url, expected="http://… or https://…")
    headers = {"Content-Type": CONTENT_TYPE, "Accept": "application/timestamp-reply", "User-Agent": "navicert"}
    try:
        request = urllib.request.Request(url, request_for(stamped), headers)  # noqa: S310  # the scheme is one of two
        with urllib.request.urlopen(request, timeout=LOCAL.timestamp_seconds) as answer:  # noqa: S310
            raw: bytes = answer.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise Unavailable(f"the timestamp authority answered with status {error.code}", path=url) from error
    except (OSError, ValueError) as error:
        why = str(getattr(error, "reason", None) or error)
        raise Unavailable(f"the timestamp authority cannot be reached: {why}", path=url) from error
    try:
        check_answer(raw, stamped)
    except NavicertError as error:
        raise error.at(url) from None
    return raw


@dataclass(frozen=True, slots=True)
class TimestampedSigner:
    """A signer whose signatures are timestamped by the authority at `url`."""

    signer: Signer
    url: str

    @property
    def key(self) -> Key:
        """The public key that verifies what this signs."""
        return self.signer.key

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""
        return self.signer.keyid

    def sign(self, message: bytes) -> bytes:
        """The raw signature over `message`."""
        return self.signer.sign(message)

    def attach(self, signature: bytes) -> Mapping[str, object]:
        """What stands in an envelope beside the signature: its timestamp."""
        from navicert.envelope.timestamp import timestamp_fields

        return timestamp_fields(timestamp(signature, self.url))
