"""What each case says of in-toto 3.1.0 is what in-toto 3.1.0 says: an opinion on the vectors that is not ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from vectors.unpack import unpack

HERE = Path(__file__).resolve().parent
CASES = {
    path.stem: json.loads(path.read_bytes()) for path in sorted((HERE.parents[1] / "vectors/cases").glob("*.json"))
}


@pytest.fixture(scope="module")
def upstream(component, tmp_path_factory) -> dict[str, str]:
    """What in-toto 3.1.0 makes of every case, in one process."""
    python = component("in-toto-3.1.0") / "python"
    work = tmp_path_factory.mktemp("vectors")
    orders: list[dict[str, Any]] = []
    for name, case in CASES.items():
        unpack(case, work / name)
        orders.append(
            {"name": name, "folder": str(work / name), "at": case["at"], "parameters": case.get("parameters")}
        )
    # Built-in inspections are a program to in-toto.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        [python, HERE / "oracle.py"],
        input=json.dumps(orders).encode(),
        env={"PATH": path, "HOME": str(work)},
        capture_output=True,
        check=True,
    )
    answers: dict[str, str] = json.loads(ran.stdout)
    return answers


@pytest.mark.parametrize("name", CASES)
def test_the_reference_implementation_says_what_the_case_says_of_it(name: str, upstream: dict[str, str]) -> None:
    said = CASES[name]["upstream"]
    assert upstream[name] == ("pass" if said["result"] == "pass" else said["error"])
