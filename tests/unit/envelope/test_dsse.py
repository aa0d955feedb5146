"""The message of DSSE and its base64; their laws are in tests/property/test_pae_laws.py."""

from __future__ import annotations

import json

import pytest

from navicert.envelope.body import Body
from navicert.envelope.document import Verified, open_document, seal
from navicert.envelope.dsse import PAYLOAD_TYPE, decode_base64, encode_base64, pae
from navicert.errors import Malformed
from navicert.model.link import Link
from navicert.model.section import LEAST
from navicert.testing import artifacts, key, signer


def test_the_message_of_a_link_begins_with_its_type() -> None:
    assert pae(PAYLOAD_TYPE, b"{}") == b"DSSEv1 28 application/vnd.in-toto+json 2 {}"


def test_base64_that_is_none_is_refused_where_it_stands() -> None:
    assert decode_base64(encode_base64(b"\xfb\xff"), "/payload") == b"\xfb\xff"
    assert decode_base64("-_8=", "/payload") == decode_base64("+/8=", "/payload")
    with pytest.raises(Malformed, match="not base64") as caught:
        decode_base64("-/8=", "/payload")
    assert caught.value.pointer == "/payload"


class TestLargeEnvelopes:
    """Their payload is cut out before the rest is read as JSON: with the same outcome, or not at all."""

    link = Link("build", products=artifacts({f"src/{number:05}": b"x" for number in range(200)}))
    whole = seal(link, signer("bob"))

    def opened(self, raw: bytes) -> Verified[Body] | None:
        assert len(raw) > LEAST
        return open_document(raw).verified_by([key("bob")])

    def test_are_read_as_small_ones_are(self) -> None:
        assert len(self.whole) > LEAST
        found = self.opened(self.whole)
        assert found is not None
        assert found.body == self.link

    def test_whose_base64_was_escaped_are_read_the_long_way(self) -> None:
        at = self.whole.index(b'"payload": "') + len(b'"payload": "')
        escaped = self.whole[:at] + b"\\u%04x" % self.whole[at] + self.whole[at + 1 :]
        found = self.opened(escaped)
        assert found is not None
        assert found.body == self.link

    @pytest.mark.parametrize("payload", ["7396452018839206743", "null", "[]"])
    def test_attack_a_payload_that_stands_elsewhere(self, payload: str) -> None:
        document = json.loads(self.whole)
        raw = json.dumps({"a": {"payload": document["payload"]}, **document, "payload": "?"}).encode()
        with pytest.raises(Malformed, match="wrong type"):
            self.opened(raw.replace(b'"?"', payload.encode()))

    def test_that_end_within_the_payload_are_no_documents(self) -> None:
        with pytest.raises(Malformed, match="not JSON"):
            self.opened(self.whole[: len(self.whole) // 2])
