"""Looks for known flaws: compares the packages of an SBOM with a list of advisories, and reports as trivy does.

scan.py SBOM ADVISORIES OUT
"""

import json
import sys
from pathlib import Path
from typing import Any


def number(version: str) -> tuple[int, ...]:
    """A version that can be compared."""
    return tuple(int(part) for part in version.split("."))


def findings(packages: list[dict[str, Any]], advisories: list[dict[str, str]]) -> list[dict[str, str]]:
    """The advisories that are about a package in this or an older version."""
    return [
        {
            "VulnerabilityID": advisory["id"],
            "PkgName": package["name"],
            "InstalledVersion": package["version"],
            "FixedVersion": advisory["fixed"],
            "Status": "fixed",
            "Severity": advisory["severity"],
            "Title": advisory["title"],
        }
        for package in packages
        for advisory in advisories
        if advisory["package"] == package["name"] and number(package["version"]) < number(advisory["fixed"])
    ]


def main(sbom: str, advisories: str, out: str) -> None:
    """Write the report on `sbom` to `out`."""
    components = json.loads(Path(sbom).read_text())["components"]
    packages = [component for component in components if component["type"] == "library"]
    if not packages:
        sys.exit("nothing to scan: the SBOM lists no package")
    found = findings(packages, json.loads(Path(advisories).read_text()))
    report = {
        "SchemaVersion": 2,
        "ArtifactName": sbom,
        "ArtifactType": "cyclonedx",
        "Results": [{"Target": "harbour", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found}],
    }
    Path(out).write_text(json.dumps(report, indent=2) + "\n")
    said = ", ".join(f"{flaw['Severity']} in {flaw['PkgName']} {flaw['InstalledVersion']}" for flaw in found)
    print(f"{len(found)} known flaw{'' if len(found) == 1 else 's'}{': ' if said else ''}{said}")


if __name__ == "__main__":
    main(*sys.argv[1:])
