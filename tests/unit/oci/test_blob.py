"""Blobs, from a source that nobody trusts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from navicert.digest import Digest, sha256
from navicert.errors import LimitExceeded, Malformed
from navicert.oci.blob import read_document, verified_chunks
from navicert.oci.manifest import Descriptor


class Source:
    """A source that answers every request with these chunks."""

    origin = "somewhere"

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def locate(self, digest: Digest) -> str:
        return f"somewhere({digest})"

    def chunks(self, descriptor: Descriptor) -> Iterator[bytes]:
        return self._chunks

    def position(self, digest: Digest) -> int:
        return 0


def described(data: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", sha256(data), len(data))


def test_right_bytes_pass_through():
    assert b"".join(verified_chunks(Source(iter([b"he", b"", b"llo"])), described(b"hello"))) == b"hello"


def test_an_endless_blob_is_stopped_where_it_should_have_ended():
    sent = 0

    def endless():
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 100

    with pytest.raises(Malformed, match=r"blob has another size \(expected 1000 bytes, got more\)"):
        list(verified_chunks(Source(endless()), described(b"x" * 1000)))
    assert sent == 11


@pytest.mark.parametrize("data", [b"", b"hell", b"jello", b"hello "])
def test_wrong_bytes_are_refused_with_the_name_of_the_blob(data):
    with pytest.raises(Malformed, match=r"somewhere\(sha256:2cf24dba"):
        list(verified_chunks(Source(iter([data])), described(b"hello")))


def test_a_document_is_not_even_asked_for_beyond_the_limit():
    with pytest.raises(LimitExceeded, match="limit manifest_bytes"):
        read_document(Source(iter(())), Descriptor("x", sha256(b""), 10**9))
