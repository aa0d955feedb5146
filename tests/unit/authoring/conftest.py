"""Keys for layouts that are written in tests."""

from datetime import UTC, datetime

import pytest

from navicert.crypto.signer import generate

AT = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def signers():
    """One signer for each of a few names."""
    return {name: generate() for name in ("owner", "alice", "bob", "carol")}


@pytest.fixture(scope="session")
def read_key(signers):
    """Gives the public key of a file called after one of the names."""
    return lambda file: signers[file.removesuffix(".pub")].key


@pytest.fixture(scope="session")
def at():
    """The moment at which layouts are made and looked at."""
    return AT
