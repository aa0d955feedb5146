#!/usr/bin/env python3
"""Write a small vulnerability database that the real trivy reads, so that a scan needs no network.

    trivydb.py ADVISORIES.json CACHE_DIR

ADVISORIES.json is a list of objects with these text fields, all required:

    id        name of the advisory, for instance CVE-2099-0001
    bucket    ecosystem in trivy's words, for instance "debian 12" or "pip::Example feed"
    source    {"id": …, "name": …, "url": …}: who published it, as the report will say
    package   name of the affected package (of the *source* package for Debian)
    fixed     first version that is not affected
    severity  LOW, MEDIUM, HIGH or CRITICAL
    title     one line for people

Two files are written, the database first: CACHE_DIR/db/trivy.db and CACHE_DIR/db/metadata.json. Start trivy with
`--cache-dir CACHE_DIR --skip-db-update --offline-scan`.

The file is a bbolt store: https://github.com/etcd-io/bbolt. Only what a reader needs is produced: two meta pages, an
empty list of free pages, and one leaf that holds every bucket inline. Standard library only, for Python 3.11 or newer.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from typing import Union

Tree = dict[str, Union["Tree", bytes]]
"""A bucket: sub-buckets and values by name."""

PAGE_SIZE = 4096
META, LEAF, FREELIST = 0x04, 0x02, 0x10
"""Page flags."""
MAGIC, VERSION = 0xED0CDAED, 2
IS_BUCKET = 0x01
"""Flag of a leaf element whose value is a bucket."""

PAGE_HEADER = struct.Struct("<QHHI")  # id, flags, number of elements, number of extra pages
LEAF_ELEMENT = struct.Struct("<IIII")  # flags, distance to the key, key size, value size
BUCKET_HEADER = struct.Struct("<QQ")  # root page (0: inline), sequence
META_BODY = struct.Struct("<IIIIQQQQQ")  # magic, version, page size, flags, root, sequence, freelist, end, transaction

SEVERITIES = ("UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL")
"""In trivy's order: a source's own severity is stored as the position here."""
FIELDS = ("id", "bucket", "package", "fixed", "severity", "title")
SOURCE_FIELDS = ("id", "name", "url")


def fnv1a(data: bytes) -> int:
    """The 64-bit FNV-1a hash, which guards a meta page."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def leaf(entries: Tree, page: int = 0) -> bytes:
    """A leaf page with these entries, as long as it has to be; `page` is its number, 0 inside a bucket."""
    ordered = sorted((name.encode(), content) for name, content in entries.items())
    heads, body = bytearray(), bytearray()
    for position, (name, content) in enumerate(ordered):
        inline = isinstance(content, dict)
        value = BUCKET_HEADER.pack(0, 0) + leaf(content) if isinstance(content, dict) else content
        # The distance is counted from the start of this element's own head.
        distance = (len(ordered) - position) * LEAF_ELEMENT.size + len(body)
        heads += LEAF_ELEMENT.pack(IS_BUCKET if inline else 0, distance, len(name), len(value))
        body += name + value
    length = PAGE_HEADER.size + len(heads) + len(body)
    extra = (length - 1) // PAGE_SIZE if page else 0
    return PAGE_HEADER.pack(page, LEAF, len(ordered), extra) + bytes(heads) + bytes(body)


def padded(page: bytes) -> bytes:
    """The page, filled with zeros to whole pages."""
    return page + bytes(-len(page) % PAGE_SIZE)


def store(entries: Tree) -> bytes:
    """A whole bbolt file whose top level holds these buckets."""
    root = padded(leaf(entries, page=3))
    end = 3 + len(root) // PAGE_SIZE
    pages = []
    for number in (0, 1):
        meta = META_BODY.pack(MAGIC, VERSION, PAGE_SIZE, 0, 3, 0, 2, end, number)
        pages.append(padded(PAGE_HEADER.pack(number, META, 0, 0) + meta + struct.pack("<Q", fnv1a(meta))))
    pages.append(padded(PAGE_HEADER.pack(2, FREELIST, 0, 0)))
    return b"".join(pages) + root


def bucket(parent: Tree, name: str) -> Tree:
    """The bucket of that name in `parent`, made when it is missing."""
    found = parent.setdefault(name, {})
    assert isinstance(found, dict), name
    return found


def encoded(value: object) -> bytes:
    """JSON as trivy stores it."""
    return json.dumps(value, separators=(",", ":")).encode()


def database(advisories: list[dict[str, object]]) -> Tree:
    """The buckets trivy looks in: one an ecosystem, `data-source`, and `vulnerability` for the details."""
    tree: Tree = {"data-source": {}, "vulnerability": {}}
    for entry in advisories:
        name, ecosystem, package, fixed, severity, title = (text(entry, field) for field in FIELDS)
        if severity not in SEVERITIES:
            raise SystemExit(f"{name}: severity {severity!r} is not one of {', '.join(SEVERITIES)}")
        if ecosystem in ("data-source", "vulnerability"):
            raise SystemExit(f"{name}: bucket {ecosystem!r} is trivy's own")
        publisher = entry.get("source")
        if not isinstance(publisher, dict):
            raise SystemExit(f"{name}: no source; give its id, name and url")
        identity, label, url = (text(publisher, field) for field in SOURCE_FIELDS)
        # Distributions state the fixed version alone; language ecosystems state ranges.
        advisory: dict[str, object] = {"FixedVersion": fixed}
        if "::" in ecosystem:
            advisory = {"PatchedVersions": [fixed], "VulnerableVersions": [f"<{fixed}"]}
        bucket(bucket(tree, ecosystem), package)[name] = encoded(advisory)
        bucket(tree, "data-source")[ecosystem] = encoded({"ID": identity, "Name": label, "URL": url})
        bucket(tree, "vulnerability")[name] = encoded(
            {
                "Title": title,
                "Description": title,
                "Severity": severity,
                "VendorSeverity": {identity: SEVERITIES.index(severity)},
                "References": [url],
            }
        )
    return tree


def text(entry: dict[str, object], field: str) -> str:
    """A required text field of an advisory; ends the program when it is missing."""
    value = entry.get(field)
    if not isinstance(value, str) or not value:
        raise SystemExit(f"advisory {entry.get('id', '?')}: {field!r} must be a text")
    return value


def write(advisories: list[dict[str, object]], cache: Path) -> None:
    """Write the database and its metadata below `cache`, each through a rename; nothing where an advisory is wrong."""
    content = store(database(advisories))
    metadata = {
        "Version": 2,
        # Far away: this database is the whole world of the scans that use it, so it never gets old.
        "NextUpdate": "2999-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-01T00:00:00Z",
        "DownloadedAt": "2026-01-01T00:00:00Z",
    }
    folder = cache / "db"
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("trivy.db", content), ("metadata.json", encoded(metadata))):
        draft = folder / f"{name}.part"
        draft.write_bytes(data)
        os.replace(draft, folder / name)


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise SystemExit("usage: trivydb.py ADVISORIES.json CACHE_DIR")
    source, cache = map(Path, arguments)
    advisories = json.loads(source.read_text(encoding="utf-8"))
    if not isinstance(advisories, list) or not all(isinstance(entry, dict) for entry in advisories):
        raise SystemExit(f"{source}: expected a list of advisories")
    write(advisories, cache)


if __name__ == "__main__":
    main(sys.argv[1:])
