"""Patterns of images: which references a policy speaks about.

A pattern is a reference without tag and digest in which `*` stands for anything inside one part between slashes (or for
one whole label of a host), and `**` at the end for one or more whole parts. It is brought to the canonical form of
references before it is compared, and compared part by part, so that `nginx` is `docker.io/library/nginx` and
`registry.example/**` says nothing about `registry.example.evil.com/app`. `**` alone is every image.
"""

from __future__ import annotations

import re
from typing import Final

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.oci.reference import DOCKER_HUB, Reference, normal_registry

_PART: Final = re.compile(r"[a-z0-9._*-]+")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST: Final = 512
_STARS: Final = 3  # in one part: matching stays linear in practice


@dataclass(frozen=True, slots=True)
class ImagePattern:
    """A parsed pattern; `str` gives its canonical form."""

    registry: str
    parts: tuple[str, ...]
    deep: bool = False
    """Whether further parts must follow."""

    @staticmethod
    def parse(text: str) -> ImagePattern:
        """The pattern that `text` spells. Raises `Malformed` for what could match something else than it seems to."""
        if text == "**":
            return ImagePattern("**", (), True)
        if text == "*":
            raise _wrong(text, "** for every image")
        if not text or len(text) > _LONGEST or "://" in text or "@" in text:
            raise _wrong(text, "HOST/REPOSITORY without scheme, tag and digest")
        head, slash, rest = text.partition("/")
        if slash and ("." in head or ":" in head or head.lower() == "localhost"):
            registry, path = _registry(head, text), rest
        else:
            registry, path = DOCKER_HUB, text
        parts = path.split("/")
        deep = parts[-1] == "**"
        if deep:
            parts.pop()
        if registry == DOCKER_HUB and len(parts) == 1 and not deep:
            parts.insert(0, "library")
        if registry == DOCKER_HUB and not slash and deep:
            raise _wrong(text, "** for every image, docker.io/** for those of Docker Hub")
        if not parts and not deep:
            raise _wrong(text, "a repository behind the host")
        for part in parts:
            if not _PART.fullmatch(part) or "**" in part or part.count("*") > _STARS:
                raise _wrong(text, "lower-case parts, with * inside a part or ** at the end", part)
        return ImagePattern(registry, tuple(parts), deep)

    def matches(self, reference: Reference) -> bool:
        """Whether this pattern speaks about `reference`."""
        if self.registry == "**":
            return True
        if not _host_matches(self.registry, reference.registry):
            return False
        parts = reference.repository.split("/")
        if len(parts) <= len(self.parts) if self.deep else len(parts) != len(self.parts):
            return False
        return all(_part_matches(pattern, part) for pattern, part in zip(self.parts, parts, strict=False))

    def __str__(self) -> str:
        if self.registry == "**":
            return "**"
        return "/".join((self.registry, *self.parts, *(("**",) if self.deep else ())))


def _registry(head: str, text: str) -> str:
    if "*" not in head:
        try:
            return normal_registry(head)
        except Malformed:
            raise _wrong(text, "a host with its port, in front of the first slash", head) from None
    host, colon, port = head.lower().partition(":")
    labels = host.split(".")
    # A star for the domain itself would hand the pattern to whoever registers a name.
    fixed = labels[-2:]
    if any("*" in label and label != "*" for label in labels) or "*" in fixed or len(labels) < 3:
        raise _wrong(text, "* for one whole label of a host, not for its domain (*.registry.example)", head)
    if not all(label == "*" or _LABEL.fullmatch(label) for label in labels) or (colon and not port.isdigit()):
        raise _wrong(text, "a host", head)
    return f"{host}{colon}{port}"


def _host_matches(pattern: str, registry: str) -> bool:
    if "*" not in pattern:
        return pattern == registry
    ours, theirs = pattern.split("."), registry.split(".")
    return len(ours) == len(theirs) and all(one in ("*", other) for one, other in zip(ours, theirs, strict=True))


def _part_matches(pattern: str, part: str) -> bool:
    if "*" not in pattern:
        return pattern == part
    pieces = [re.escape(piece) for piece in pattern.split("*")]
    return re.fullmatch("[^/]*".join(pieces), part) is not None


def _wrong(text: str, expected: str, part: str = "") -> Malformed:
    if text.count(":") and "/" not in text.rpartition(":")[2] and not part:
        expected = "a pattern without a tag: tags move"
    return Malformed("not an image pattern", expected=expected, got=ascii((part or text)[:80]))
