"""What judging a chain takes at least, with nothing around it: `python floor.py cold|warm|once SECONDS FOLDER...`.

Each folder holds a chain as for `ours.py`. `cold`: every file is read and hashed, the Ed25519 signature over what it
says is checked, and what was signed is read as JSON. `warm`: every file is read and hashed, nothing else. `once` is
`cold` for the first folder, once and without a rate: a process that does this and ends. Nothing is judged: no name, no
rule, no date is looked at. Nothing is remembered either: lists that come again are read again, so that chains of large
lists may be judged in less.
"""

from __future__ import annotations

import os
import sys
import time
from binascii import a2b_base64
from hashlib import sha256
from itertools import cycle

from cryptography.hazmat.bindings._rust import openssl

from navicert.jsontext import reader, writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

load, dump = reader(), writer(",", ":", ascii=False)


def take(path: str) -> bytes:
    """The bytes of a file, of which the digest was taken."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    size = os.fstat(file).st_size
    data = os.read(file, size)
    os.close(file)
    sha256(data).hexdigest()
    return data


def files(folder: str) -> list[str]:
    """The layout in `folder`, and all links."""
    links = [os.path.join(where, name) for where, _, names in os.walk(os.path.join(folder, "links")) for name in names]
    return [os.path.join(folder, "root.layout"), *sorted(links)]


def owner(folder: str) -> bytes:
    """The public key of who signed the layout in `folder`: the end of an SPKI document."""
    with open(os.path.join(folder, "owner.pub")) as file:
        return a2b_base64("".join(file.read().splitlines()[1:-1]))[-32:]


def check(data: bytes, keys: dict[str, bytes]) -> None:
    """Check the signature of one document; raises unless it is good. `keys` are those of layouts that were read before,
    and "" is the owner's, who signs the first."""
    document: Any = load(data.decode())
    signature = document["signatures"][0]
    if "signed" in document:
        signed: Any = document["signed"]
        message, proof = dump(signed).encode(), bytes.fromhex(signature["sig"])
    else:
        payload, kind = a2b_base64(document["payload"]), document["payloadType"].encode()
        message, proof = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload), a2b_base64(signature["sig"])
        signed = load(payload.decode())
    sha256(message).hexdigest()
    key = keys.get(signature["keyid"]) or keys[""]
    openssl.ed25519.from_public_bytes(key).verify(proof, message)
    if signed["_type"] == "layout":
        keys |= {keyid: bytes.fromhex(value["keyval"]["public"]) for keyid, value in signed["keys"].items()}


def cold(folder: str) -> None:
    """Do all that cannot be left out for one chain."""
    keys = {"": owner(folder)}
    for path in files(folder):
        check(take(path), keys)


def warm(folder: str) -> None:
    """Read and hash what belongs to one chain."""
    for path in files(folder):
        take(path)


def main(mode: str, seconds: str, *folders: str) -> None:
    if mode == "once":
        cold(folders[0])
        return
    does, turns = (warm, cycle(folders[:1])) if mode == "warm" else (cold, cycle(folders))
    count = 0
    start, busy = time.perf_counter(), time.process_time()
    while time.perf_counter() - start < float(seconds):
        does(next(turns))
        count += 1
    busy = time.process_time() - busy
    print(f'{{"rate": {count / busy}}}')


if __name__ == "__main__":
    main(*sys.argv[1:])
