"""The image config: what runs, as whom, and on top of which layers.

Spec: OCI image-spec config.md; Docker image specification v1.2 (the same fields).
"""

from __future__ import annotations

from typing import Final

from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required
from navicert.oci.manifest import Document, Platform, naming, optional_text, read_digest, read_json, view
from navicert.strictjson import pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_CONFIG: Final = frozenset({"os", "architecture", "variant", "os.version", "config", "rootfs"})
_ROOTFS: Final = frozenset({"type", "diff_ids"})

_TEXTS: Final = ("User", "WorkingDir", "StopSignal")
_LISTS: Final = ("Env", "Entrypoint", "Cmd")
_SETS: Final = ("ExposedPorts", "Volumes")
_RUN: Final = frozenset({*_TEXTS, *_LISTS, *_SETS, "Labels"})


@dataclass(frozen=True, slots=True)
class Config:
    """What a config says. `run` holds the fields that decide what a container does, empty ones left out:
    `Env`, `Entrypoint`, `Cmd` as lists in order; `ExposedPorts`, `Volumes` as sorted lists of their names; `Labels` as
    an object; `User`, `WorkingDir`, `StopSignal` as strings. `architecture` and `variant` are as written."""

    document: Document
    platform: Platform
    architecture: str
    variant: str
    run: Mapping[str, object]
    diff_ids: tuple[Digest, ...]

    @staticmethod
    def parse(document: Document, limits: Limits = LOCAL, *, path: str = "") -> Config:
        """The config that `document` holds. Raises `Malformed`, naming `path` and the JSON pointer."""
        value = read_json(document.raw, limits, path)
        with naming(path):
            body = view(value, "", _CONFIG)
            os, architecture = (optional_text(body, name, "") for name in ("os", "architecture"))
            variant, version = (optional_text(body, name, "") for name in ("variant", "os.version"))
            return Config(
                document,
                Platform.of(os, architecture, variant, version, where="/os"),
                architecture,
                variant,
                _run(body.get("config"), "/config"),
                _diff_ids(required(body, "rootfs", ""), "/rootfs", limits),
            )


def _run(value: object, where: str) -> dict[str, object]:
    section = {} if value is None else view(value, where, _RUN)
    run: dict[str, object] = {name: optional_text(section, name, where) for name in _TEXTS}
    for name in _LISTS:
        items = as_list(_given(section, name, []), pointer(where, name))
        run[name] = [as_text(item, f"{where}/{name}/{i}") for i, item in enumerate(items)]
    for name in _SETS:
        run[name] = sorted(as_object(_given(section, name, {}), pointer(where, name)))
    labels = as_object(_given(section, "Labels", {}), f"{where}/Labels")
    run["Labels"] = {name: as_text(text, pointer(f"{where}/Labels", name)) for name, text in labels.items()}
    # Absent, null and empty mean the same to a runtime, and converters turn one into the other.
    return {name: content for name, content in run.items() if content}


def _given(section: Mapping[str, object], name: str, default: object) -> object:
    # Only null stands for absent: false, 0 and "" are wrong types here, and readers differ on them.
    value = section.get(name)
    return default if value is None else value


def _diff_ids(value: object, where: str, limits: Limits) -> tuple[Digest, ...]:
    rootfs = view(value, where, _ROOTFS)
    if rootfs.get("type") != "layers":
        raise Malformed("not made of layers", pointer=f"{where}/type", expected='"layers"')
    items = as_list(_given(rootfs, "diff_ids", []), f"{where}/diff_ids", most=limits.layers)
    return tuple(read_digest(item, f"{where}/diff_ids/{i}") for i, item in enumerate(items))
