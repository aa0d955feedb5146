"""The pre-authentication encoding: no two documents share a message, and lengths count bytes.

Spec: DSSE protocol v1.0.2, PAE.
"""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.envelope import dsse
from navicert.envelope.dsse import decode_base64, encode_base64, pae, write_envelope
from navicert.errors import Malformed


def unpack(message: bytes) -> tuple[str, bytes]:
    """Type and payload, read back from a PAE by the lengths in it."""
    assert message.startswith(b"DSSEv1 ")
    length, _, rest = message[len(b"DSSEv1 ") :].partition(b" ")
    kind, rest = rest[: int(length)], rest[int(length) :]
    assert rest.startswith(b" ")
    length, _, payload = rest[1:].partition(b" ")
    assert int(length) == len(payload)
    return kind.decode(), payload


class TestMessage:
    def test_of_the_protocol_document(self) -> None:
        message = pae("http://example.com/HelloWorld", b"hello world")
        assert message == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"

    def test_counts_bytes_of_a_type_beyond_ascii(self) -> None:
        # Fourteen characters, fifteen bytes: a library that counts characters signs another message.
        assert len("application/té") == 14
        assert pae("application/té", b"x") == "DSSEv1 15 application/té 1 x".encode()

    def test_counts_bytes_of_a_payload_beyond_ascii(self) -> None:
        assert pae("a", "é".encode()) == "DSSEv1 1 a 2 é".encode()

    def test_of_nothing(self) -> None:
        assert pae("", b"") == b"DSSEv1 0  0 "

    @given(st.text(max_size=20), st.binary(max_size=40))
    def test_says_type_and_payload_exactly(self, kind: str, payload: bytes) -> None:
        assert unpack(pae(kind, payload)) == (kind, payload)

    @given(st.text(max_size=6), st.binary(max_size=6), st.text(max_size=6), st.binary(max_size=6))
    def test_is_shared_by_no_two_documents(self, one: str, first: bytes, other: str, second: bytes) -> None:
        assert (pae(one, first) == pae(other, second)) == ((one, first) == (other, second))

    def test_moves_nothing_between_type_and_payload(self) -> None:
        assert pae("a 1 b", b"c") != pae("a", b"b 1 c")


class TestEnvelope:
    @given(
        st.text(max_size=20),
        st.binary(max_size=60),
        st.lists(st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3), max_size=3),
        st.sampled_from([3, 6, 60, 96 * 1024]),
        st.sampled_from([0, 30, 256 * 1024]),
    )
    def test_is_written_as_json_writes_it(
        self, kind: str, payload: bytes, signatures: list[dict[str, object]], part: int, large: int
    ) -> None:
        """However many parts the payload is encoded in, and by whom."""
        document = {"payload": encode_base64(payload), "payloadType": kind, "signatures": signatures}
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(dsse, "_PART", part)
            monkeypatch.setattr(dsse, "_LARGE", large)
            assert write_envelope(kind, payload, signatures) == json.dumps(document, sort_keys=True).encode()

    def test_a_large_one_is_written_as_json_writes_it(self) -> None:
        payload = bytes(range(256)) * 2048 + b"x"
        document = {"payload": encode_base64(payload), "payloadType": "kind", "signatures": []}
        assert write_envelope("kind", payload, []) == json.dumps(document, sort_keys=True).encode()


class TestBase64:
    @given(st.binary(max_size=60))
    def test_reads_both_alphabets(self, raw: bytes) -> None:
        assert decode_base64(encode_base64(raw), "") == raw
        assert decode_base64(base64.b64encode(raw).decode(), "") == raw
        assert decode_base64(base64.urlsafe_b64encode(raw).decode(), "") == raw

    @pytest.mark.parametrize(
        "text", ["a", "ab", "abc", "ab=", "abc==", "ab==cd==", "a b=", "ab==\n", "é===", "+_8=", "-/8=", "====", "=abc"]
    )
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(Malformed, match="base64"):
            decode_base64(text, "/payload")
