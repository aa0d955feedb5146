"""What a report says that it is about: the digests by which the tool that wrote it knew the thing, and its name.

Only digests can tell two things apart: a report names `app:latest` today and tomorrow. Where a tool wrote none, as of
a folder, there is nothing to compare with. Spec: aquasecurity/trivy, anchore/grype and anchore/syft (their JSON);
SPDX 2.3 §7 (package), SPDX 3.0 (rootElement, verifiedUsing); CycloneDX 1.6 (metadata.component).
"""

from __future__ import annotations

import re

from navicert.dataclass import dataclass
from navicert.digest import STRONG
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Final

_DIGEST: Final = re.compile(r"(sha256|sha384|sha512):([0-9A-Fa-f]+)")
_ALGORITHM: Final = re.compile(r"sha-?(256|384|512)", re.IGNORECASE)
_DESCRIBED: Final = re.compile(r"(?:ImageID|RepoDigest): *(\S+)")
"""How trivy says in SPDX which image it is about."""
_IMAGES: Final = ("oci", "docker")


@dataclass(frozen=True, slots=True)
class About:
    """What a report is about: every digest (`alg:hex`, lower case) that it calls it by, and a name for people.

    `own`: they may be digests that the tool gave the image itself, since that had none.
    """

    digests: frozenset[str] = frozenset()
    name: str = ""
    own: bool = False

    def __str__(self) -> str:
        named = sorted(self.digests)[:2]
        return " ".join([*([self.name] if self.name else []), *named]) or "nothing that it names"


def about_trivy(report: Mapping[str, object]) -> About:
    """What a report of trivy is about."""
    metadata = _object(report.get("Metadata"))
    return _about(_text(report.get("ArtifactName")), [metadata.get("ImageID"), *_list(metadata.get("RepoDigests"))])


def about_anchore(report: Mapping[str, object]) -> About:
    """What a report of grype, or a bill in syft's own form, is about: both have the `source` of syft."""
    source = _object(report.get("source"))
    target = source.get("target")
    places = [_object(target), _object(source.get("metadata"))]
    found: list[object] = []
    for place in places:
        found += [place.get("manifestDigest"), place.get("imageID"), *_list(place.get("repoDigests"))]
        found += [_joined(_object(one)) for one in _list(place.get("digests"))]
    name = _text(source.get("name")) or _text(places[0].get("userInput")) or _text(target)
    return _about(name, found)


def about_cyclonedx(document: Mapping[str, object]) -> About:
    """What a bill in CycloneDX is about."""
    component = _object(_object(document.get("metadata")).get("component"))
    found: list[object] = [component.get("version"), _purl(component.get("purl"))]
    found += [_joined(_object(one)) for one in _list(component.get("hashes"))]
    for one in map(_object, _list(component.get("properties"))):
        if _text(one.get("name")).endswith((":ImageID", ":RepoDigest")):
            found.append(one.get("value"))
    tools = _object(document.get("metadata")).get("tools")
    used = _list(_object(tools).get("components")) if isinstance(tools, dict) else _list(tools)
    own = component.get("type") == "container" and any(_object(one).get("name") == "syft" for one in used)
    return _about(_text(component.get("name")), found, own=own)


def about_spdx(document: Mapping[str, object]) -> About:
    """What a bill in SPDX is about: the packages that the document describes; in version 3 its root elements."""
    if "@graph" in document:
        return _about_graph([_object(one) for one in _list(document["@graph"])])
    named = set(map(_text, _list(document.get("documentDescribes"))))
    for one in map(_object, _list(document.get("relationships"))):
        if one.get("spdxElementId") == "SPDXRef-DOCUMENT" and one.get("relationshipType") == "DESCRIBES":
            named.add(_text(one.get("relatedSpdxElement")))
    packages = [one for one in map(_object, _list(document.get("packages"))) if _text(one.get("SPDXID")) in named]
    found = [digest for package in packages for digest in _of_package(package)]
    creators = _list(_object(document.get("creationInfo")).get("creators"))
    own = any(_text(one).startswith("Tool: syft-") for one in creators) and any(
        one.get("primaryPackagePurpose") == "CONTAINER" for one in packages
    )
    return _about(next((_text(one.get("name")) for one in packages), _text(document.get("name"))), found, own=own)


def _of_package(package: Mapping[str, object]) -> Iterator[object]:
    yield package.get("versionInfo")
    for one in map(_object, _list(package.get("checksums"))):
        yield _joined(one)
    for one in map(_object, _list(package.get("externalRefs"))):
        yield _purl(one.get("referenceLocator"))
    texts = [*_list(package.get("attributionTexts"))]
    texts += [_object(one).get("comment") for one in _list(package.get("annotations"))]
    for text in map(_text, texts):
        said = _DESCRIBED.fullmatch(text)
        if said is not None:
            yield said[1]


def _about_graph(elements: list[Mapping[str, object]]) -> About:
    named = {
        _text(root)
        for one in elements
        if _text(one.get("type")).endswith("SpdxDocument")
        for root in _list(one.get("rootElement"))
    }
    # The root of a document may be the bill in it, whose root is the thing.
    for one in elements:
        if _text(one.get("spdxId")) in named:
            named |= set(map(_text, _list(one.get("rootElement"))))
    roots = [one for one in elements if _text(one.get("spdxId")) in named]
    found: list[object] = []
    for root in roots:
        found += [_joined(_object(one)) for one in _list(root.get("verifiedUsing"))]
        found += [root.get("software_packageVersion"), _purl(root.get("software_packageUrl"))]
    return _about(next((_text(one.get("name")) for one in roots if one.get("name")), ""), found)


# --- words of digests ----------------------------------------------------------------------------------------------


def _about(name: str, found: Iterable[object], *, own: bool = False) -> About:
    """`found` are texts in which a digest may stand, as `sha256:…` or behind `NAME@`; all else is passed over."""
    digests = (_digest(text.rpartition("@")[2]) for text in found if isinstance(text, str))
    return About(frozenset(digest for digest in digests if digest), name, own)


def _digest(text: str) -> str:
    match = _DIGEST.fullmatch(text)
    return text.lower() if match is not None and len(match[2]) == STRONG[match[1]] else ""


def _joined(fields: Mapping[str, object]) -> str:
    """A checksum in an object, under whatever names the formats have for algorithm and value."""
    algorithm = _text(fields.get("algorithm")) or _text(fields.get("alg"))
    values = (_text(fields.get(name)) for name in ("checksumValue", "content", "hashValue", "value"))
    value = next((text for text in values if text), "")
    match = _ALGORITHM.fullmatch(algorithm)
    return f"sha{match[1]}:{value}" if match is not None else ""


def _purl(value: object) -> str:
    """The digest in the package URL of an image; empty where it is another, or none."""
    from navicert.model.predicate.purl import PackageUrl

    text = _text(value)
    if not text.startswith("pkg:"):
        return ""
    try:
        found = PackageUrl.parse(text)
    except Malformed:
        return ""
    return found.version or found.qualifiers.get("digest", "") if found.type in _IMAGES else ""


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
