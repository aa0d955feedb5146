"""Makes image layouts and archives for tests, byte by byte, so that each part can be made wrong on purpose."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from navicert.oci.blob import BlobSource
from navicert.oci.destination import LayoutDestination
from navicert.oci.manifest import Descriptor
from navicert.oci.staging import staged
from navicert.oci.transfer import Copied, copy_image

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Json = dict[str, Any]


def sha256(data: bytes) -> str:
    """The digest of `data` as image documents write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer_tar(files: Mapping[str, bytes]) -> bytes:
    """A tar with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def config_json(diff_ids: Iterable[str], run: Json | None = None, **fields: Any) -> Json:
    """An image config for linux/amd64; `run` is its `config` section."""
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/app"]} if run is None else run,
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
    } | fields


class LayoutBuilder:
    """An OCI layout directory in the making."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "blobs" / "sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob_path(self, digest: str) -> Path:
        """Where the blob of this digest lies."""
        return self.path / "blobs" / digest.replace(":", "/")

    def blob(self, data: bytes, media_type: str, **fields: Any) -> Json:
        """Stores `data`; its descriptor."""
        digest = sha256(data)
        self.blob_path(digest).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)} | fields

    def json(self, value: object, media_type: str, **fields: Any) -> Json:
        """Stores `value` as JSON; its descriptor."""
        return self.blob(json.dumps(value).encode(), media_type, **fields)

    def layer(self, files: Mapping[str, bytes], *, packed: bool = True) -> tuple[Json, str]:
        """Stores a layer; its descriptor and diff-id."""
        tar = layer_tar(files)
        if not packed:
            return self.blob(tar, LAYER), sha256(tar)
        return self.blob(gzip.compress(tar, mtime=0), f"{LAYER}+gzip"), sha256(tar)

    def manifest(self, config: Json, layers: Iterable[Json], *, fields: Json | None = None, **outer: Any) -> Json:
        """Stores a manifest (with more `fields`); its descriptor (with more `outer` fields)."""
        described = self.json(config, CONFIG)
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": list(layers)}
        return self.json(body | (fields or {}), MANIFEST, **outer)

    def image(
        self,
        files: Mapping[str, bytes] | None = None,
        run: Json | None = None,
        config: Json | None = None,
        **outer: Any,
    ) -> Json:
        """Stores an image of one layer; the descriptor of its manifest. `config` has more fields of the config."""
        layer, diff_id = self.layer({"app": b"hello"} if files is None else files)
        return self.manifest(config_json([diff_id], run, **(config or {})), [layer], **outer)

    def index(self, children: Iterable[Json], *, fields: Json | None = None, **outer: Any) -> Json:
        """Stores an index; its descriptor."""
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(children)} | (fields or {})
        return self.json(body, INDEX, **outer)

    def contents(self, *entries: Json) -> Path:
        """Writes `index.json`; the folder."""
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(entries)}))
        return self.path


def tagged(descriptor: Json, tag: str) -> Json:
    """The descriptor as `index.json` lists it under a tag."""
    return descriptor | {"annotations": {"org.opencontainers.image.ref.name": tag}}


def tar_of(entries: Iterable[tuple[Any, bytes]], path: Path, *, packed: bool = False) -> Path:
    """Writes a tar of these entries (name or TarInfo, content) to `path`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in entries:
            entry = tarfile.TarInfo(name) if isinstance(name, str) else name
            entry.size = len(data) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(data))
    path.write_bytes(gzip.compress(buffer.getvalue(), 1) if packed else buffer.getvalue())
    return path


def link(name: str, target: str, *, hard: bool = False) -> tarfile.TarInfo:
    """A link as a tar entry."""
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
    entry.linkname = target
    return entry


def entries_of(folder: Path) -> list[tuple[str, bytes]]:
    """The files of a folder as tar entries."""
    return [(str(file.relative_to(folder)), file.read_bytes()) for file in sorted(folder.rglob("*")) if file.is_file()]


def docker_entries(
    layers: Iterable[Mapping[str, bytes]] = ({"app": b"hello"},),
    *,
    tags: Iterable[str] = ("app:latest",),
    run: Json | None = None,
    fields: Json | None = None,
) -> list[tuple[str, bytes]]:
    """What `docker save` writes for one image, as tar entries."""
    tars = [layer_tar(files) for files in layers]
    config = json.dumps(config_json([sha256(tar) for tar in tars], run, **(fields or {}))).encode()
    names = [f"{i}/layer.tar" for i in range(len(tars))]
    name = sha256(config).removeprefix("sha256:") + ".json"
    contents = json.dumps([{"Config": name, "RepoTags": list(tags), "Layers": names}]).encode()
    return [*zip(names, tars, strict=True), (name, config), ("manifest.json", contents)]


def copy_to_layout(source: BlobSource, root: Descriptor, path: Path, tag: str = "", **more: Any) -> Copied:
    """Copies an image to the layout at `path`, which is made where there is none."""
    if path.exists():
        return copy_image(source, root, LayoutDestination(path), tag, **more)
    with staged(path) as staging:
        copied = copy_image(source, root, staging.destination, tag, **more)
        staging.deliver_layout()
    return copied
