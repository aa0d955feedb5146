"""The inspection `image-base`: whether the lowest layers of an image are exactly those of a base that was declared.

`navicert inspect image-base target --base materials:build/base` looks at the image that is being judged, and at what
the step `build` recorded of its base as `-m base=…`: `base/<os>/<arch>[/<variant>]/layers`, the digest of all its
layers in order. That the base still lies below, unchanged and whole, is then no matter of trust in whoever wrote the
Dockerfile. It needs neither process nor file nor the base itself. Each platform of the image must have a base of that
platform; a base without layers is one of every image, and proves nothing.
"""

from __future__ import annotations

import hashlib

from navicert.dataclass import dataclass
from navicert.digest import Digest, DigestSet
from navicert.errors import Malformed
from navicert.interface import Callable, Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

NAME: Final = "image-base"
TARGET: Final = "target"
"""What is written for the image that is being judged."""
MATERIALS: Final = "materials:"
IMAGES: Final = ("oci:", "oci-archive:", "docker-archive:")
"""How images in files are written."""

Layers = Mapping[str, Sequence[str]]
"""The diff-ids (`alg:hex`, lowest first) of an image, by platform (`os/arch[/variant]`)."""

ReadLayers = Callable[[str], Layers]
"""Gives the layers of the image at a location such as `oci-archive:app.tar`. Raises `NavicertError`."""

Declared = Callable[[str, str], str | None]
"""Gives the SHA-256 (hex) that stands for all layers of a base on one platform; None where nobody declared it."""


@dataclass(frozen=True, slots=True)
class ImageBase:
    """One such inspection: the image, and the bases any of which may lie below it."""

    image: str
    bases: tuple[str, ...]

    @staticmethod
    def parse(words: Sequence[str], bases: Sequence[str]) -> ImageBase:
        """The inspection of the image in `words`, which is one. Raises `Malformed`."""
        if len(words) != 1:
            raise Malformed(f"{NAME} looks at one image", expected=_expected(TARGET), got=f"{len(words)} images")
        (image,) = words
        if not bases:
            raise Malformed(f"{NAME} needs --base", expected=_expected(f"{MATERIALS}STEP/NAME", "sha256:HEX"))
        if image != TARGET and not image.startswith(IMAGES):
            raise Malformed("no image", expected=_expected(TARGET), got=ascii(image[:100]))
        for base in bases:
            _check_base(base, image)
        return ImageBase(image, tuple(dict.fromkeys(bases)))

    @property
    def files(self) -> tuple[str, ...]:
        """The images in files that it looks at."""
        return tuple(dict.fromkeys(place for place in (self.image, *self.bases) if place.startswith(IMAGES)))

    @property
    def is_about_target(self) -> bool:
        """Whether it looks at the image that is being judged, and at nothing else."""
        return self.image == TARGET

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps whose materials it looks at."""
        return tuple(dict.fromkeys(step for step, _ in filter(None, map(material_of, self.bases))))

    def judge(self, layers: Layers, declared: Declared) -> tuple[int, str]:
        """The return value (0 passed, 1 did not) and the reason, for the image with these `layers`."""
        if not layers:
            return 1, "the image has no platform"
        found = []
        for platform in sorted(layers):
            lowest, reason = self._lowest(platform, layers[platform], declared)
            if not lowest:
                return 1, f"{platform}: {reason}"
            found.append(f"{platform}: {reason}")
        return 0, "; ".join(found[:5]) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")

    def _lowest(self, platform: str, diff_ids: Sequence[str], declared: Declared) -> tuple[int, str]:
        """How many layers a declared base has that lies below these; and what that is, or why there is none."""
        known = {digest: count for count, digest in enumerate(prefixes(diff_ids), 1)}
        misses = []
        for base in self.bases:
            digest = declared(base, platform)
            if digest is None:
                misses.append(f"{base} has none for it")
            elif digest == _NO_LAYERS:
                misses.append(f"{base} has no layers, so it would be the base of every image")
            elif digest in known:
                return known[digest], f"the lowest {known[digest]} of {len(diff_ids)} layers are {base}"
            else:
                misses.append(f"its lowest layers are not {base}")
        return 0, "; ".join(misses)


def prefixes(diff_ids: Sequence[str]) -> list[str]:
    """The SHA-256 (hex) of the canonical JSON arrays of the first one, the first two, … of `diff_ids`: what
    `NAME/<platform>/layers` is of an image with just these layers."""
    running = hashlib.sha256(b"[")
    digests = []
    for index, diff_id in enumerate(diff_ids):
        # A digest holds nothing that JSON would have to escape.
        running.update(f'{"," if index else ""}"{Digest.parse(diff_id)}"'.encode())
        whole = running.copy()
        whole.update(b"]")
        digests.append(whole.hexdigest())
    return digests


_NO_LAYERS: Final = hashlib.sha256(b"[]").hexdigest()


def digest_of_layers(diff_ids: Sequence[str]) -> str:
    """The SHA-256 (hex) that stands for all of these layers."""
    return prefixes(diff_ids)[-1] if diff_ids else _NO_LAYERS


def pinned(base: str) -> str | None:
    """The digest that `base` states itself, as `sha256:HEX`; None where it states none."""
    return Digest.parse(base).hex if base.startswith("sha256:") else None


def material_of(base: str) -> tuple[str, str] | None:
    """The step and the name of the image in its materials that `base` names, as `materials:STEP/NAME`."""
    if not base.startswith(MATERIALS):
        return None
    step, _, name = base.removeprefix(MATERIALS).partition("/")
    return step, name


def recorded_layers(materials: Mapping[str, DigestSet], name: str, platform: str) -> str | None:
    """The SHA-256 (hex) that a step recorded for the layers of its base `name` on `platform`."""
    digests = materials.get(f"{name}/{platform}/layers")
    return None if digests is None else next((d.hex for d in digests.strong if d.algorithm == "sha256"), None)


def _check_base(base: str, image: str) -> None:
    material = material_of(base)
    if material is not None:
        if not all(material):
            raise Malformed("no material", expected=f"{MATERIALS}STEP/NAME", got=ascii(base[:100]))
        if image != TARGET:
            raise Malformed(
                "the materials of a step are known for the target only",
                expected=TARGET,
                got=ascii(image[:100]),
                remedy="write target for the image, or name the base as oci:DIR or sha256:HEX",
            )
        return
    if base.startswith(IMAGES):
        if image == TARGET:
            raise Malformed(
                "the target is judged without files",
                expected=f"{MATERIALS}STEP/NAME or sha256:HEX",
                got=ascii(base[:100]),
            )
        return
    if not base.startswith("sha256:"):
        raise Malformed("no base", expected=_expected(f"{MATERIALS}STEP/NAME", "sha256:HEX"), got=ascii(base[:100]))
    if Digest.parse(base).hex == _NO_LAYERS:
        raise Malformed("the digest of no layers at all: every image has that base", got=base)


def _expected(*more: str) -> str:
    return ", ".join((*more, "oci:DIR[:TAG]", "oci-archive:FILE", "docker-archive:FILE"))
