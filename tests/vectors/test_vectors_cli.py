"""Every case of `vectors/` on the command line: `navicert verify` says the same as the functions behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from vectors.unpack import unpack

from navicert.cli.main import main

PATHS = sorted((Path(__file__).resolve().parents[2] / "vectors" / "cases").glob("*.json"))

COULD_NOT_BE_JUDGED = {"inspection-without-command"}


def words(case: dict[str, Any]) -> Iterator[str]:
    """The command line of a case that was unpacked into the current folder."""
    yield from ("verify", "--layout", "root.layout", "--store", "evidence", "--at", case["at"])
    for number in range(1, len(case["owners"]) + 1):
        yield f"--owner=owner-{number}.pub"
    for name, value in case.get("parameters", {}).items():
        option = "--parameter-pattern" if name in case.get("patterns", ()) else "--parameter"
        yield f"{option}={name}={value}"
    for what in case.get("revoked", ()):
        yield f"--revoke={what}"
    for option in ("owner_threshold", "run_id", "target_step"):
        if option in case:
            yield f"--{option.replace('_', '-')}={case[option]}"
    if "min_version" in case:
        yield f"--min-layout-version={case['min_version']}"
    if "files" in case:
        yield "--inspect-from=inspect"
    if "target" in case:
        yield case["target"]["name"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_command_line_says_what_the_case_says(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = json.loads(path.read_bytes())
    unpack(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    code = main([*words(case)])
    out, err = capsys.readouterr()
    expected = case["profiles"]["strict"]
    if expected["expect"] == "pass":
        assert (code, err) == (0, ""), out
        assert out.startswith("PASS")
    elif expected["id"] in ("Malformed", "LimitExceeded"):
        assert (code, out) == (2, "")
        assert err.startswith("navicert: root.layout: ")
        assert err.count("\n") == 1
        assert expected["says"] in err
    elif case["name"] in COULD_NOT_BE_JUDGED:
        assert (code, err) == (3, "")
        assert out.split()[:2] == ["ERROR", expected["id"]]
    else:
        assert (code, err) == (1, ""), out
        # A step is named after what its threshold lacks, so the id need not be followed by a space.
        assert out.split()[:2] in (["FAIL", expected["id"]], ["FAIL", f"{expected['id']}:"])
