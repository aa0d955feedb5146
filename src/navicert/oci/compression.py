"""Unpacking of layers and archives, in bounded memory and with a bound on what may come out.

Spec: OCI image-spec layer.md (+gzip, +zstd); RFC 1952 (several members in a row are one stream); RFC 8878.
"""

from __future__ import annotations

from typing import Final, Protocol, cast

from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.oci.media import Compression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK: Final = 1024 * 1024
"""Bytes handled at a time."""

_ZSTD: Final = ("compression.zstd", "backports.zstd")
# The standard library's module (Python 3.14), or its backport of the same interface where someone installed it.


class Budget:
    """What may still be unpacked while one image is read. Raises `LimitExceeded` when that is spent.

    Counts the whole image, so that many small bombs are stopped as early as a large one.
    """

    __slots__ = ("_limits", "_packed", "_path", "_unpacked")

    def __init__(self, limits: Limits = LOCAL, path: str = "") -> None:
        self._limits = limits
        self._path = path
        self._packed = 0
        self._unpacked = 0

    def spend(self, packed: int, unpacked: int) -> None:
        """Counts `packed` bytes read and `unpacked` bytes that came out of them."""
        self._packed += packed
        self._unpacked += unpacked
        limits = self._limits
        if self._unpacked > limits.archive_bytes:
            raise self._exceeded("image too large (limit archive_bytes)", f"at most {limits.archive_bytes} bytes")
        if self._unpacked > limits.expansion_floor + limits.expansion * self._packed:
            raise self._exceeded(
                "decompression bomb: too much comes out of too little (limit expansion)",
                f"at most {limits.expansion} bytes for each one",
            )

    def _exceeded(self, what: str, expected: str) -> LimitExceeded:
        got = f"{self._unpacked} bytes out of {self._packed} so far"
        return LimitExceeded(what, path=self._path, expected=expected, got=got)


def detect(start: bytes) -> Compression:
    """How data that begins with `start` is packed, by its magic number."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if start.startswith(b"\x28\xb5\x2f\xfd") else ""


def unpack(chunks: Iterable[bytes], compression: Compression, budget: Budget, *, path: str = "") -> Iterator[bytes]:
    """The content of `chunks`, in blocks of at most `BLOCK` bytes. All of it is consumed, unless something raises.

    Raises `Malformed` for damaged, cut off or trailing data, `LimitExceeded` where the budget is spent and
    `Unavailable` for zstd where this Python cannot read it.
    """
    if not compression:
        for chunk in chunks:
            budget.spend(len(chunk), len(chunk))
            yield chunk
        return
    stream = _decompressor(compression, path)
    for chunk in chunks:
        budget.spend(len(chunk), 0)
        pending = chunk
        while pending:
            if stream.eof:
                stream = _decompressor(compression, path)
            for block in _blocks(stream, pending, compression, path):
                budget.spend(0, len(block))
                yield block
            pending = stream.unused_data if stream.eof else b""
    if not stream.eof:
        raise Malformed(f"{compression} data is cut off", path=path)


class _Stream(Protocol):
    """The part of `zlib.decompressobj` and `ZstdDecompressor` that both have."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _blocks(stream: _Stream, pending: bytes, compression: Compression, path: str) -> Iterator[bytes]:
    """What `stream` makes of `pending`, up to the end of the data or of the member."""
    while True:
        try:
            block = stream.decompress(pending, BLOCK)
        except Exception as error:  # zlib.error, ZstdError: neither has a base that says "damaged data"
            raise Malformed(f"damaged {compression} data: {error}", path=path) from error
        if block:
            yield block
        # zlib hands back what it did not take; zstd keeps it. Both may hold output back for lack of room.
        pending = getattr(stream, "unconsumed_tail", b"")
        if stream.eof or (not pending and len(block) < BLOCK):
            return


def _decompressor(compression: Compression, path: str) -> _Stream:
    if compression == "gzip":
        import zlib

        return cast(_Stream, zlib.decompressobj(wbits=16 + zlib.MAX_WBITS))
    import importlib

    for name in _ZSTD:
        try:
            return cast(_Stream, importlib.import_module(name).ZstdDecompressor())
        except ImportError:
            continue
    raise Unavailable(
        "layer is packed with zstd, which this Python cannot read",
        path=path,
        remedy="use Python 3.14, or recompress: skopeo copy --dest-compress-format gzip",
    )
