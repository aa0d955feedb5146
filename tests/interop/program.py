"""Running the in-toto programs, ours and upstream's, side by side; and chains for them to judge.

PYTHONHASHSEED is fixed, because upstream shows sets as they lie in memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from navicert.crypto.signer import generate
from navicert.envelope.document import seal
from navicert.model.layout import Layout
from navicert.model.link import Link

PROGRAMS = ["run", "record", "verify", "sign", "mock", "match-products", "keygen"]

OWNER, BOB, CARL = generate(), generate(), generate()
LATER, BEFORE = "2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


@dataclass(frozen=True)
class Ran:
    """How one program ended, and what lies in its folder afterwards."""

    code: int
    out: str
    err: str
    files: dict[str, bytes]


def run(folder: Path, work: Path, program: str, *arguments: str) -> Ran:
    environment = {**os.environ, "PYTHONHASHSEED": "0", "COLUMNS": "200"}
    command = [str(folder / f"in-toto-{program}"), *arguments]
    # A session of its own has no terminal: a program that asks for a password finds nobody.
    finished = subprocess.run(
        command,
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    files = {
        str(path.relative_to(work)): path.read_bytes()
        for path in sorted(work.rglob("*"))
        if path.is_file() and ".gnupg" not in path.parts
    }
    return Ran(finished.returncode, finished.stdout, finished.stderr, files)


def both(ours: Path, theirs: Path, source: Path, *commands: list[str]) -> list[tuple[Ran, Ran]]:
    """Our and their outcome of each of `commands`, run one after the other in copies of `source`."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        works = [Path(folder) / "ours" / "work", Path(folder) / "theirs" / "work"]
        for work in works:
            shutil.copytree(source, work, symlinks=True)
        for program, *arguments in commands:
            results.append(tuple(run(b, w, program, *arguments) for b, w in zip((ours, theirs), works, strict=True)))
    return results  # type: ignore[return-value]  # two of each


# --- chains ----------------------------------------------------------------------------------------------------------


def digest(letter: str) -> dict[str, str]:
    return {"sha256": letter * 64}


def layout(steps, inspect=(), expires=LATER) -> dict[str, object]:
    keys = {signer.keyid: signer.key.to_json() for signer in (BOB, CARL)}
    return {
        "_type": "layout", "expires": expires, "readme": "", "keys": keys, "steps": steps, "inspect": list(inspect)
    }  # fmt: skip


def step(name, materials=(), products=(), by=(BOB,), threshold=1, command=()) -> dict[str, object]:
    return {
        "_type": "step",
        "name": name,
        "threshold": threshold,
        "pubkeys": [signer.keyid for signer in by],
        "expected_command": list(command),
        "expected_materials": [rule.split() for rule in materials],
        "expected_products": [rule.split() for rule in products],
    }


def inspection(*command, materials=(), products=()) -> dict[str, object]:
    rules = ([rule.split() for rule in side] for side in (materials, products))
    return dict(zip(("expected_materials", "expected_products"), rules, strict=True)) | {
        "_type": "inspection",
        "name": "look",
        "run": list(command),
    }


def link(name, materials=None, products=None, command=()) -> dict[str, object]:
    return {
        "_type": "link",
        "name": name,
        "command": list(command),
        "materials": {path: digest(letter) for path, letter in (materials or {}).items()},
        "products": {path: digest(letter) for path, letter in (products or {}).items()},
        "byproducts": {"return-value": 0, "stdout": "", "stderr": ""},
        "environment": {},
    }


def write(folder: Path, described, links, form: str, owner=OWNER) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "owner.pub").write_bytes(OWNER.key.public_pem())
    (folder / "root.layout").write_bytes(seal(Layout.from_json(described), owner, form=form))
    for body, signer, *names in links:
        name = names[0] if names else f"{body['name']}.{signer.keyid[:8]}.link"
        (folder / name).write_bytes(seal(Link.from_json(body), signer, form=form))
    return folder


VERIFY = ["verify", "-l", "root.layout", "--verification-keys", "owner.pub"]


def expect_same_verdict(mine: Ran, theirs: Ran) -> None:
    """The same code and files; the same words, but that ours may go on where theirs end."""
    assert (mine.code, mine.out, mine.files) == (theirs.code, theirs.out, theirs.files)
    assert "Traceback" not in mine.err
    if "RuleVerificationError" in theirs.err or not theirs.err:
        assert mine.err == theirs.err
    else:
        assert mine.err.startswith(theirs.err.rstrip("\n").rstrip(" "))
