"""Builds a container image out of the source: a real OCI image layout, the same bytes for the same source.

    build.py SOURCE IMAGE TAG

The image holds one program for Linux on x86-64, which prints `harbour.txt`, and the packages with their metadata where
minimal images keep them, so that scanners find them. It starts from nothing: no base image has to be downloaded.
"""

import gzip
import hashlib
import io
import json
import shutil
import struct
import sys
import tarfile
from pathlib import Path

CREATED = "1970-01-01T00:00:00Z"
LOADED_AT = 0x400000
HEADERS = 64 + 56


def program(text: bytes) -> bytes:
    """An executable that writes `text` to its standard output and ends."""
    code = (
        bytes.fromhex("b801000000 bf01000000 488d3510000000 ba")  # write(1, behind this code,
        + struct.pack("<I", len(text))  # length
        + bytes.fromhex("0f05 b83c000000 31ff 0f05")  # ); exit(0)
    )
    size = HEADERS + len(code) + len(text)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, LOADED_AT + HEADERS, 64, 0, 0, 64, 56, 1, 64, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, LOADED_AT, LOADED_AT, size, size, 0x1000)
    return header + segment + code + text


def contents(source: Path) -> dict[str, bytes]:
    """The files of the image by path."""
    files = {
        "harbour": program((source / "harbour.txt").read_bytes()),
        "etc/os-release": (source / "os-release").read_bytes(),
    }
    for package in sorted((source / "packages").iterdir()):
        files[f"var/lib/dpkg/status.d/{package.name}"] = (package / "control").read_bytes()
        for path in package.iterdir():
            if path.name != "control":
                files[f"usr/share/{package.name}/{path.name}"] = path.read_bytes()
    return files


def layer(files: dict[str, bytes]) -> bytes:
    """A tar of `files` without anything that differs from run to run."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o755 if name == "harbour" else 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    """The digest of `data`, as image documents write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """An OCI image layout in the making."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes, kind: str) -> dict[str, object]:
        """Store `data`; the descriptor that points to it."""
        digest = sha256(data)
        (self.folder / "blobs" / digest.replace(":", "/")).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(data)}

    def document(self, value: object, kind: str) -> dict[str, object]:
        """Store `value` as JSON; the descriptor that points to it."""
        return self.blob(json.dumps(value, sort_keys=True).encode(), kind)


def main(source: str, image: str, tag: str) -> None:
    """Build the folder `image` out of the folder `source`."""
    files = contents(Path(source))
    tar = layer(files)
    layout = Layout(Path(image))
    config = {
        "created": CREATED,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": ["/harbour"],
            "User": "65532:65532",
            "Labels": {"org.opencontainers.image.title": "harbour"},
        },
        "rootfs": {"type": "layers", "diff_ids": [sha256(tar)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": layout.document(config, "config.v1+json"),
        "layers": [layout.blob(gzip.compress(tar, mtime=0), "layer.v1.tar+gzip")],
    }
    described = layout.document(manifest, "manifest.v1+json")
    described["annotations"] = {"org.opencontainers.image.ref.name": tag}
    index = {"schemaVersion": 2, "manifests": [described]}
    (layout.folder / "index.json").write_text(json.dumps(index))
    print(f"an OCI image, {len(files)} files in 1 layer")


if __name__ == "__main__":
    main(*sys.argv[1:])
