"""Lists what is in an image: a CycloneDX document with the packages and files that its layers hold.

    sbom.py IMAGE OUT

Packages are found where minimal images keep their metadata (`/var/lib/dpkg/status.d`).
"""

import hashlib
import json
import sys
import tarfile
from pathlib import Path

PACKAGES = "var/lib/dpkg/status.d/"


def blob(image: Path, descriptor: dict[str, str]) -> Path:
    """The file that `descriptor` points to."""
    return image / "blobs" / descriptor["digest"].replace(":", "/")


def files_of(image: Path, manifest: dict[str, list[dict[str, str]]]) -> dict[str, bytes]:
    """The files of an image by path: those of a layer cover those of the layers below it."""
    files = {}
    for layer in manifest["layers"]:
        with tarfile.open(blob(image, layer)) as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                if content is not None:
                    files[entry.name] = content.read()
    return files


def fields_of(control: str) -> dict[str, str]:
    """The fields of a package's metadata."""
    pairs = (line.partition(":") for line in control.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def library(control: bytes) -> dict[str, object]:
    """The component that stands for a package."""
    fields = fields_of(control.decode())
    name, version = fields["Package"], fields["Version"]
    purl = f"pkg:deb/harbour/{name}@{version}?arch={fields['Architecture']}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def file(name: str, data: bytes) -> dict[str, object]:
    """The component that stands for a file."""
    digest = hashlib.sha256(data).hexdigest()
    return {
        "type": "file",
        "bom-ref": f"file:/{name}",
        "name": f"/{name}",
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def main(folder: str, out: str) -> None:
    """Write the list of what is in the image `folder` to `out`."""
    image = Path(folder)
    (described,) = json.loads((image / "index.json").read_text())["manifests"]
    files = files_of(image, json.loads(blob(image, described).read_text()))
    packages = [library(data) for name, data in sorted(files.items()) if name.startswith(PACKAGES)]
    listed = [file(name, data) for name, data in sorted(files.items())]
    subject = {"type": "container", "bom-ref": "image", "name": "harbour", "version": described["digest"]}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": subject},
        "components": [*packages, *listed],
    }
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(json.dumps(document, indent=2) + "\n")
    print(f"a CycloneDX SBOM: {len(packages)} packages, {len(listed)} files")


if __name__ == "__main__":
    main(*sys.argv[1:])
