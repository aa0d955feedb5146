"""A store by its URI: `dir:PATH`, a bare path, `sqlite:PATH`, `postgresql://…`, and `pack:FILE` for reading."""

from __future__ import annotations

from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL, Limits
from navicert.store import OpenSource, Store

KINDS = "DIR, sqlite:FILE or postgresql://HOST/DATABASE"
"""What can be written to, for people."""

BESIDE = ("oci", "oci-archive", "registry")
"""Schemes of images. What lies beside an image is read, pushed and copied with it, and is no store of its own."""

_SCHEME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-")


def open_store(uri: str, limits: Limits = LOCAL) -> Store:
    """The store at `uri`. Nothing is made or connected to before it is used.

    Raises `Malformed` for a URI of no known kind, `Refused` for a kind that cannot be written to, and `Unavailable`
    where the driver of a database is not installed.
    """
    scheme = scheme_of(uri)
    rest = uri[len(scheme) + 1 :] if scheme else uri
    if scheme in ("", "dir"):
        from navicert.store.directory import DirectoryStore

        return DirectoryStore(_path(rest, uri) if scheme else rest, limits)
    if scheme == "sqlite":
        from navicert.store.sqlite import SqliteStore

        return SqliteStore(_path(rest, uri), limits)
    if scheme in ("postgresql", "postgres"):
        from navicert.store.postgres import PostgresStore

        return PostgresStore(uri, limits)
    if scheme in BESIDE:
        raise Refused(
            "evidence cannot be put beside an image that is not there yet",
            path=uri,
            remedy="stage it in a local store, then: navicert evidence push IMAGE",
        )
    if scheme == "pack":
        raise Refused("a pack is read only", path=uri, remedy="unpack it into a store")
    raise Malformed("no such kind of store", path=uri, expected=KINDS, remedy=f"for a folder of that name: ./{uri}")


def open_source(uri: str, limits: Limits = LOCAL) -> OpenSource:
    """The store at `uri` for reading: a pack too. Raises as `open_store` does."""
    if scheme_of(uri) == "pack":
        from navicert.store.pack import PackSource

        return PackSource(_path(uri.partition(":")[2], uri), limits)
    if scheme_of(uri) in BESIDE:
        raise Refused(
            "evidence beside an image is no store",
            path=uri,
            remedy="verify --evidence-from reads it, evidence pull fetches it",
        )
    return open_store(uri, limits)


def scheme_of(uri: str) -> str:
    """The scheme of `uri` in lower case; empty for a bare path. One letter is none: it may be a drive."""
    scheme, colon, _ = uri.partition(":")
    is_one = colon and len(scheme) > 1 and _SCHEME.issuperset(scheme) and scheme[0].isalpha()
    return scheme.lower() if is_one else ""


def _path(path: str, uri: str) -> str:
    if not path or "\0" in path:
        raise Malformed("no path", path=uri, expected="a path after the colon")
    return path
