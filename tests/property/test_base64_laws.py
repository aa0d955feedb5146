"""Base64 of large and of small documents: both readers take the same texts for the same bytes, and refuse the same."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.envelope import dsse
from navicert.errors import Malformed

LETTERS = (string.ascii_letters + string.digits + "+/").encode()
ANYTHING = st.sampled_from([*LETTERS[:4], *b"+/-_=\n\r\t \0.,\x80\xff"])
"""A few letters, and everything that somebody may try."""


def read(text: bytes, monkeypatch: pytest.MonkeyPatch, *, large: bool) -> bytes | None:
    """What `text` is read as, as if it were a large document, or a small one; None where it is refused."""
    monkeypatch.setattr(dsse, "_is_for_quick", lambda size: large)
    try:
        return dsse.decode_base64(text, "/payload")
    except Malformed:
        return None


def both_agree(text: bytes) -> bytes | None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quick, plain = (read(text, monkeypatch, large=large) for large in (True, False))
    assert quick == plain
    return plain


class TestBothReadersAgree:
    @given(st.binary(max_size=200))
    def test_what_was_written_is_read(self, content: bytes) -> None:
        assert both_agree(base64.b64encode(content)) == content
        assert both_agree(base64.urlsafe_b64encode(content)) == content

    @given(st.lists(ANYTHING, max_size=16).map(bytes))
    def test_hostile_text(self, text: bytes) -> None:
        both_agree(text)

    @given(st.binary(min_size=1, max_size=100), st.data())
    def test_one_character_changed_inserted_or_removed(self, content: bytes, data: st.DataObject) -> None:
        text = base64.b64encode(content)
        at = data.draw(st.integers(0, len(text) - 1))
        put = bytes([data.draw(st.integers(0, 255))])
        for changed in (text[:at] + put + text[at + 1 :], text[:at] + put + text[at:], text[:at] + text[at + 1 :]):
            both_agree(changed)

    @given(st.binary(min_size=1, max_size=100), st.integers(1, 4))
    def test_pads_too_many_or_in_the_middle(self, content: bytes, pads: int) -> None:
        text = base64.b64encode(content)
        assert both_agree(text + b"=" * pads) is None
        both_agree(text.rstrip(b"=") + b"=" * pads + text)

    def test_every_end_of_two_characters(self) -> None:
        for first in range(256):
            for second in b"AQ=/-\n":
                both_agree(b"QUFB" + b"Q" + bytes([first, second]) + b"=")
                both_agree(b"QUFB" + bytes([first, second]) + b"==")


class TestBothWritersAgree:
    @given(st.binary(max_size=200))
    def test_the_same_text(self, content: bytes) -> None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            written = []
            for large in (True, False):
                monkeypatch.setattr(dsse, "_is_for_quick", lambda size, large=large: large)
                written.append(dsse.encode_base64(content))
        assert written == [base64.b64encode(content).decode()] * 2

    def test_a_large_document(self) -> None:
        content = bytes(range(256)) * 8192
        text = dsse.encode_base64(content)
        assert text == base64.b64encode(content).decode()
        assert dsse.decode_base64(text, "/payload") == content
        with pytest.raises(Malformed, match="not base64"):
            dsse.decode_base64(text[:-1] + "\n", "/payload")
