"""Image references: which registry, which repository, and which tag or digest.

One reference has one canonical form, so that policies, credentials and caches compare what is meant and not how it was
typed. Spelled as every runtime reads it: `nginx` is `docker.io/library/nginx:latest`; the part before the first slash
is a host only where it holds a dot or colon or is `localhost`. Where runtimes differ, nothing is guessed.
Spec: OCI distribution-spec "Pulling manifests" (`<name>`, `<reference>`); grammar of distribution/reference.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from navicert.dataclass import dataclass, replace
from navicert.digest import Digest
from navicert.errors import Malformed

DOCKER_HUB: Final = "docker.io"
"""The registry of references that name none."""

_HUB_API: Final = "registry-1.docker.io"
_HUB_NAMES: Final = frozenset({DOCKER_HUB, "index.docker.io"})
_LONGEST: Final = 1024  # host, repository, tag and digest at their longest stay below it
_HOST_LENGTH: Final = 253
_REPOSITORY_LENGTH: Final = 255

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_ID: Final = re.compile(r"[0-9a-f]{64}")
# The last label of a number: resolvers read 127.1, 0x7f.1 and 2130706433 as addresses.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One image or artifact in a registry. `str` gives the canonical form; parsing that gives the same reference.

    `registry` is a host in lower case with its port, where one was given. Where there is a `digest` it decides, and
    `tag` is only shown; without it `tag` is never empty.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: Digest | None = None

    @staticmethod
    def parse(text: str) -> Reference:
        """The reference that `text` spells: `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`. Raises `Malformed` for whatever
        is no reference, with what is wrong about it."""
        if len(text) > _LONGEST:
            raise _refusal(text, "too long", f"at most {_LONGEST} characters")
        if "://" in text:
            raise _refusal(text, "a web address", "HOST/REPOSITORY:TAG without a scheme")
        name, at, digest_text = text.partition("@")
        digest = _digest(digest_text, text) if at else None
        head, slash, rest = name.partition("/")
        if slash and ("." in head or ":" in head or head.lower() == "localhost"):
            registry, path = normal_registry(head), rest
        elif slash and head != head.lower():
            # Some readers take `Team/app` for a host called Team, others for a wrong repository.
            raise _refusal(text, "upper case in the repository", "lower case, or a host with its domain or port")
        else:
            registry, path = DOCKER_HUB, name
        repository, colon, tag = path.partition(":")
        if colon and not _TAG.fullmatch(tag):
            raise _refusal(text, "not a tag", "up to 128 letters, digits and . _ -")
        if registry == DOCKER_HUB and "/" not in repository:
            if _ID.fullmatch(repository):
                raise _refusal(text, "an image id", "the name of a repository")
            repository = f"library/{repository}"
        check_repository(repository)
        return Reference(registry, repository, tag or ("" if digest else "latest"), digest)

    @property
    def name(self) -> str:
        """Registry and repository: the reference without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def host(self) -> str:
        """The host (with port) that answers for this registry; Docker Hub's has another name than the registry."""
        return _HUB_API if self.registry == DOCKER_HUB else self.registry

    @property
    def pinned(self) -> bool:
        """Whether a digest says which bytes are meant."""
        return self.digest is not None

    @property
    def selector(self) -> str:
        """What a registry is asked for: the digest, else the tag."""
        return str(self.digest) if self.digest else self.tag

    def at(self, digest: Digest) -> Reference:
        """This reference with its tag resolved to `digest`."""
        return replace(self, digest=digest)

    def tagged(self, tag: str) -> Reference:
        """The reference to `tag` in the same repository. Raises `Malformed` for what cannot be a tag."""
        if not _TAG.fullmatch(tag):
            raise _refusal(tag, "not a tag", "up to 128 letters, digits and . _ -")
        return replace(self, tag=tag, digest=None)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.name}{tag}{f'@{self.digest}' if self.digest else ''}"


def normal_registry(text: str) -> str:
    """The canonical form of `HOST[:PORT]`: lower case, IPv6 addresses in brackets in their shortest form, Docker Hub as
    `docker.io`. Raises `Malformed` for what is no host, or an address in a disguise that only some readers see through.
    """
    host, port = split_host(text)
    if host in _HUB_NAMES and port is None:
        return DOCKER_HUB
    return host if port is None else f"{host}:{port}"


def split_host(text: str) -> tuple[str, int | None]:
    """Host and port of `HOST[:PORT]`, in the form of `normal_registry`. Raises `Malformed`."""
    host, port = _split_port(text)
    if port is not None and not (_PORT.fullmatch(port) and int(port) < 65536):
        raise _refusal(text, "not a port", "1 to 65535")
    lowered = host.lower()
    if lowered.startswith("["):
        lowered = _ipv6(lowered, text)
    else:
        labels = lowered.split(".")
        if len(lowered) > _HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
            raise _refusal(text, "not a host", "letters, digits, hyphens and dots, or an IPv6 address in brackets")
        if _NUMBER.fullmatch(labels[-1]):
            _ipv4(lowered, text)
    return lowered, None if port is None else int(port)


def check_repository(name: str) -> None:
    """Raises `Malformed` unless `name` can be a repository's: it becomes part of a URL, so nothing else may pass."""
    if len(name) > _REPOSITORY_LENGTH:
        raise _refusal(name, "repository too long", f"at most {_REPOSITORY_LENGTH} characters")
    if not all(_PART.fullmatch(part) for part in name.split("/")):
        what = "upper case in the repository" if _PART.fullmatch(name.replace("/", "0").lower()) else "not a repository"
        raise _refusal(name, what, "lower-case letters and digits, single . _ or - between them, parts divided by /")


def _split_port(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _refusal(text, "not a host", "an IPv6 address in brackets")
        return f"{host}]", rest[1:] if rest else None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _ipv6(host: str, text: str) -> str:
    inner = host[1:-1]
    try:
        if "%" in inner:
            raise ValueError("a zone names an interface of one machine")
        return f"[{ipaddress.IPv6Address(inner).compressed}]"
    except ValueError:
        raise _refusal(text, "not a host", "an IPv6 address in brackets") from None


def _ipv4(host: str, text: str) -> None:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        raise _refusal(text, "not a host: an address in disguise", "four decimal numbers, or a name") from None


def _digest(text: str, whole: str) -> Digest:
    algorithm, _, value = text.partition(":")
    if algorithm not in ("sha256", "sha512") or value != value.lower():
        raise _refusal(whole, "not a content digest", "@sha256:… or @sha512:… in lower case")
    try:
        return Digest.parse(text)
    except Malformed:
        raise _refusal(whole, "not a content digest", "@sha256: and 64, or @sha512: and 128 hex digits") from None


def _refusal(text: str, what: str, expected: str) -> Malformed:
    return Malformed(f"not an image reference: {what}", expected=expected, got=ascii(text[:100]))
