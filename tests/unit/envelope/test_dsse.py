"""The message of DSSE and its base64; their laws are in tests/property/test_pae_laws.py."""

from __future__ import annotations

import pytest

from navicert.envelope.dsse import PAYLOAD_TYPE, decode_base64, encode_base64, pae
from navicert.errors import Malformed


def test_the_message_of_a_link_begins_with_its_type() -> None:
    assert pae(PAYLOAD_TYPE, b"{}") == b"DSSEv1 28 application/vnd.in-toto+json 2 {}"


def test_base64_that_is_none_is_refused_where_it_stands() -> None:
    assert decode_base64(encode_base64(b"\xfb\xff"), "/payload") == b"\xfb\xff"
    assert decode_base64("-_8=", "/payload") == decode_base64("+/8=", "/payload")
    with pytest.raises(Malformed, match="not base64") as caught:
        decode_base64("-/8=", "/payload")
    assert caught.value.pointer == "/payload"
