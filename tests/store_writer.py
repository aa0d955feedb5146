"""A process that puts links into a store, one after the other, and says on its standard output which ones are kept.

python -m tests.store_writer URI NUMBER COUNT     # COUNT 0: until it is killed
"""

from __future__ import annotations

import sys

from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.store import Filing
from navicert.store.uri import open_store
from navicert.testing import artifacts, signer


def link(writer: int, number: int) -> bytes:
    """The link with this number of this writer."""
    return seal(Link("build", products=artifacts({"app": b"%d %d" % (writer, number)})), signer("bob"))


def main() -> None:
    uri, writer, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    store = open_store(uri)
    keyid = signer("bob").keyid
    number = 0
    while not count or number < count:
        if uri.startswith(("sqlite:", "postgresql:")):
            store.put("build", keyid, link(writer, number))
        else:
            # A folder keeps one file for each step and key.
            store.put_many([Filing(f"build-{writer}-{number}", keyid, link(writer, number))])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1
    store.close()


if __name__ == "__main__":
    main()
