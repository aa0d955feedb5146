"""Bills of materials as predicates: SPDX and CycloneDX as they are, syft's own form as SPDX 2.3.

A document stays what it is, to the last field: it becomes the predicate. What syft writes unless it is asked for
another format is read by nobody else, so its packages are written down anew.
"""

from __future__ import annotations

import re

from navicert.authoring.predicate.about import about_anchore, about_cyclonedx, about_spdx
from navicert.authoring.predicate.draft import Draft, known_kind
from navicert.digest import sha256
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_list, as_object, as_text, required
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_JSON_ONLY: Final = "SPDX or CycloneDX in JSON, or what syft -o json writes"


def bill_draft(raw: bytes, created: str, limits: Limits = LOCAL, *, path: str = "") -> Draft:
    """The predicate for the bill of materials in `raw`. `created` is the moment at which a converted one is made.

    Raises `Malformed` for what is no bill, or lists nothing.
    """
    try:
        return _draft(raw, created, limits).checked()
    except Malformed as error:
        raise error.at(path) from None


def _draft(raw: bytes, created: str, limits: Limits) -> Draft:
    other = _other_form(raw)
    if other:
        raise Malformed("not a bill of materials that can be attested", expected=_JSON_ONLY, got=other)
    document = as_object(loads(raw, limits), "")
    if "bomFormat" in document:
        return Draft(known_kind("cyclonedx").type, document, about=about_cyclonedx(document))
    if "spdxVersion" in document or "@graph" in document:
        return Draft(known_kind("spdx").type, document, about=about_spdx(document))
    descriptor = document.get("descriptor")
    if isinstance(descriptor, dict) and descriptor.get("name") == "syft":
        made = _from_syft(document, str(sha256(raw)), created)
        return Draft(known_kind("spdx").type, made, about=about_anchore(document))
    fields = ", ".join(sorted(document)[:6]) or "no field"
    raise Malformed("not a bill of materials", expected=_JSON_ONLY, got=f"an object with {fields}")


def _other_form(raw: bytes) -> str:
    """What a bill is called that is not written in JSON; empty for all else."""
    head = raw.lstrip()[:200]
    if head.startswith(b"SPDXVersion:"):
        return "SPDX in its tag-value form"
    if head.startswith(b"<"):
        return "XML"
    return ""


# --- syft ----------------------------------------------------------------------------------------------------------

_ID: Final = re.compile(r"[^A-Za-z0-9.-]")


def _from_syft(document: Mapping[str, object], digest: str, created: str) -> dict[str, object]:
    """SPDX 2.3 of what syft found: packages, what they are contained in, and how they depend on each other.

    Spec: SPDX 2.3 (JSON schema); anchore/syft, schema/json (artifacts, artifactRelationships, source).
    """
    artifacts = [
        as_object(a, f"/artifacts/{i}") for i, a in enumerate(as_list(_field(document, "artifacts"), "/artifacts"))
    ]
    source = as_object(document.get("source") or {}, "/source")
    name = _text(source, "name", "/source") or "unnamed"
    version = _text(as_object(document["descriptor"], "/descriptor"), "version", "/descriptor")
    root = "SPDXRef-DocumentRoot"
    packages: list[dict[str, object]] = [_root(source, name, root)]
    ids: dict[str, str] = {}
    for i, artifact in enumerate(artifacts):
        package = _package(artifact, f"/artifacts/{i}")
        ids[_text(artifact, "id", f"/artifacts/{i}")] = str(package["SPDXID"])
        packages.append(package)
    relationships = [_related("SPDXRef-DOCUMENT", "DESCRIBES", root)]
    relationships += [_related(root, "CONTAINS", id) for id in ids.values()]
    relationships += _dependencies(document, ids)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:navicert:sbom:{digest}",
        "creationInfo": {
            "created": created,
            "creators": [f"Tool: syft-{version or 'unknown'}", "Tool: navicert"],
            "comment": f"Written anew from the JSON of syft with digest {digest}",
        },
        "packages": packages,
        "relationships": relationships,
    }


def _root(source: Mapping[str, object], name: str, id: str) -> dict[str, object]:
    """The package that stands for what was looked through."""
    package: dict[str, object] = {"name": name, "SPDXID": id, "downloadLocation": "NOASSERTION"}
    package["filesAnalyzed"] = False
    metadata = source.get("metadata")
    digest = metadata.get("manifestDigest") if isinstance(metadata, dict) else None
    if isinstance(digest, str) and re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        package["versionInfo"] = digest
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest.partition(":")[2]}]
    if source.get("type") == "image":
        package["primaryPackagePurpose"] = "CONTAINER"
    return package


def _package(artifact: Mapping[str, object], where: str) -> dict[str, object]:
    name, version = _text(artifact, "name", where), _text(artifact, "version", where)
    if not name:
        raise Malformed("a package without name", pointer=where)
    id = _ID.sub("-", f"{_text(artifact, 'type', where) or 'package'}-{name}-{_text(artifact, 'id', where)}")
    package: dict[str, object] = {"name": name, "SPDXID": f"SPDXRef-Package-{id}", "downloadLocation": "NOASSERTION"}
    package["filesAnalyzed"] = False
    if version:
        package["versionInfo"] = version
    package["licenseConcluded"] = "NOASSERTION"
    package["licenseDeclared"] = _licenses(artifact, where) or "NOASSERTION"
    references = [_reference("PACKAGE-MANAGER", "purl", purl) for purl in [_text(artifact, "purl", where)] if purl]
    references += [_reference("SECURITY", "cpe23Type", cpe) for cpe in _cpes(artifact, where)]
    if references:
        package["externalRefs"] = references
    return package


def _licenses(artifact: Mapping[str, object], where: str) -> str:
    """The licences that syft knows an SPDX expression of, all of which apply; empty where it knows none."""
    found = []
    for i, item in enumerate(as_list(artifact.get("licenses") or [], f"{where}/licenses")):
        expression = item.get("spdxExpression") if isinstance(item, dict) else None
        if expression:
            found.append(as_text(expression, f"{where}/licenses/{i}/spdxExpression"))
    distinct = list(dict.fromkeys(found))
    return distinct[0] if len(distinct) == 1 else " AND ".join(f"({one})" for one in distinct)


def _cpes(artifact: Mapping[str, object], where: str) -> list[str]:
    """The names for vulnerability databases. Old versions of syft write plain strings."""
    found = []
    for i, item in enumerate(as_list(artifact.get("cpes") or [], f"{where}/cpes")):
        found.append(as_text(item.get("cpe", "") if isinstance(item, dict) else item, f"{where}/cpes/{i}"))
    return [cpe for cpe in found if cpe]


def _dependencies(document: Mapping[str, object], ids: Mapping[str, str]) -> list[dict[str, object]]:
    found = []
    for i, item in enumerate(as_list(document.get("artifactRelationships") or [], "/artifactRelationships")):
        relation = as_object(item, f"/artifactRelationships/{i}")
        parent, child = str(relation.get("parent")), str(relation.get("child"))
        if relation.get("type") == "dependency-of" and parent in ids and child in ids:
            found.append(_related(ids[parent], "DEPENDENCY_OF", ids[child]))
    return found


def _reference(category: str, kind: str, locator: str) -> dict[str, object]:
    return {"referenceCategory": category, "referenceType": kind, "referenceLocator": locator}


def _related(one: str, how: str, other: str) -> dict[str, object]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def _field(document: Mapping[str, object], name: str) -> object:
    value = required(document, name, "")
    return [] if value is None else value


def _text(document: Mapping[str, object], name: str, where: str) -> str:
    value = document.get(name)
    return "" if value is None else as_text(value, f"{where}/{name}")
