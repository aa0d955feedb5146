"""`image:NAME`: an image in a container engine of this machine, saved by docker or podman and read like any archive.

The name is looked up once; what is saved is the image with the id that it had then. Programs are looked for in absolute
folders of the search path only, and started without a shell. The archive lies in a folder that only this user can read,
and is removed afterwards. Both write what they hold: the manifest of a push is made by the push.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from typing import IO, Final

from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed, Refused, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.oci.docker import open_docker_archive
from navicert.oci.image import Image
from navicert.oci.layout import open_oci_archive
from navicert.oci.program import bounded, find_program, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS: Final = ("docker", "podman")
"""The engines that are asked, in this order."""

_NAME: Final = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:/@\[\]-]{0,1023}")
_ID: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_MESSAGE: Final = 4096  # bytes of a program's complaint that are read
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Held:
    """An engine that has the image: the program, and the image's id there."""

    program: str
    path: str
    id: str


def open_engine_image(
    name: str, limits: Limits = LOCAL, environment: Mapping[str, str] = os.environ
) -> tuple[Image, str]:
    """The image that docker or podman knows as `name`, layers checked, and the program that it came from.

    Raises `Malformed` for what is no name, `Refused` where the two hold different images under it, `Unavailable` where
    none has it or gives it, and `LimitExceeded` beyond `Limits.archive_bytes` and `Limits.engine_seconds`.
    """
    if not _NAME.fullmatch(name):
        raise Malformed("not the name of an image", path=f"image:{name}", expected="NAME[:TAG], or an id")
    held = _find(name, limits, environment)
    with tempfile.TemporaryDirectory(prefix="navicert-") as folder:
        path = os.path.join(folder, "image.tar")
        # podman's own form keeps the config as it is; docker has one form, which readers of archives know.
        form = ("--format", "oci-archive") if held.program == "podman" else ()
        with open(path, "wb") as file:
            _run(held, ("save", *form, held.id), file, limits)
        return (open_oci_archive if form else open_docker_archive)(path, "", limits), held.program


def _find(name: str, limits: Limits, environment: Mapping[str, str]) -> _Held:
    found: list[_Held] = []
    complaints = []
    for program in PROGRAMS:
        path = find_program(program, environment.get("PATH", ""))
        if path is None:
            continue
        try:
            with tempfile.TemporaryFile() as file:
                asked = _Held(program, path, name)
                _run(asked, ("image", "inspect", "--format", "{{.Id}}", name), file, limits)
                file.seek(0)
                answer = file.read(_MESSAGE).decode(errors="replace").strip()
        except Unavailable as error:
            complaints.append(str(error))
            continue
        match = _ID.fullmatch(answer)
        if match is None:
            raise Unavailable(f"{program} gives no image id", path=f"image:{name}", got=ascii(answer[:100]))
        found.append(_Held(program, path, match[1]))
    if not found:
        raise Unavailable(
            "no container engine has the image",
            path=f"image:{name}",
            got="; ".join(complaints) or "neither docker nor podman is there",
            remedy="build or pull it first, or save it and name docker-archive:FILE",
        )
    if len({one.id for one in found}) > 1:
        raise Refused(
            "docker and podman hold different images under this name",
            path=f"image:{name}",
            got=", ".join(f"{one.program} {one.id[:12]}" for one in found),
            remedy="name the image by its id",
        )
    return found[0]


def _run(engine: _Held, words: tuple[str, ...], file: IO[bytes], limits: Limits) -> None:
    """Runs the engine's program, its output into `file`. Raises `Unavailable` where it fails or takes too long."""
    path = f"{engine.program} {words[0]}"
    with tempfile.TemporaryFile() as complaint:
        process = start([engine.path, *words], subprocess.DEVNULL, complaint, path=path)
        with bounded(process, limits.engine_seconds, "engine_seconds", path=path):
            _copy(process, file, limits, path)
            code = process.wait()
        if code:
            complaint.seek(0)
            said = complaint.read(_MESSAGE).decode(errors="replace").strip().splitlines()
            raise Unavailable(f"failed with exit code {code}", path=path, got=ascii(said[-1][:300]) if said else "")


def _copy(process: subprocess.Popen[bytes], file: IO[bytes], limits: Limits, path: str) -> None:
    if process.stdout is None:
        raise TypeError("a pipe was asked for")
    size = 0
    while chunk := process.stdout.read(_CHUNK):
        size += len(chunk)
        if size > limits.archive_bytes:
            raise LimitExceeded(
                "image too large (limit archive_bytes)", path=path, expected=f"at most {limits.archive_bytes} bytes"
            )
        file.write(chunk)
