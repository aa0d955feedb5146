"""How many verifications a second one process of ours makes: `python ours.py cold|warm SECONDS FOLDER...`.

Each folder holds a chain: `root.layout`, `owner.pub`, `links`. `cold`: whatever is remembered is forgotten before
every verification, and the next one is of another chain. `warm`: the first chain again and again, as in a process that
lives long. Everything is read from the disk each time, the owner's key aside.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from navicert import Case, DirectoryStore, Key, Policy, Recall, gather, load_public_key, verify

Judge = Callable[[Path, Key], None]


def forgetful() -> Judge:
    """Judges each chain as if it were the first."""
    return judge


def remembering() -> Judge:
    """Judges with what a process that lives long may keep between verifications."""
    recall = Recall()
    return lambda folder, owner: judge(folder, owner, recall)


def judge(folder: Path, owner: Key, recall: Recall | None = None) -> None:
    """Verify the chain in `folder`; raises unless it passes."""
    path = folder / "root.layout"
    policy = Policy.open(path.read_bytes(), (owner,), path=str(path))
    gathered = gather(policy, [DirectoryStore(str(folder / "links"))], recall=recall)
    verify(Case(policy, datetime.now(UTC), gathered.exhibits, gathered.refused)).require()


def main(mode: str, seconds: str, *names: str) -> None:
    folders = [Path(name) for name in names]
    owner = load_public_key((folders[0] / "owner.pub").read_bytes())
    one = remembering() if mode == "warm" else forgetful()
    turns = cycle(folders[:1] if mode == "warm" else folders)
    one(next(turns), owner)  # what is imported late is imported now
    count = 0
    start, busy = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < float(seconds):
        one(next(turns), owner)
        count += 1
    busy = time.process_time() - busy
    print(json.dumps({"rate": count / busy}))


if __name__ == "__main__":
    main(*sys.argv[1:])
