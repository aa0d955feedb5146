"""Who may have signed: the keys and identities of every layout that was met."""

from __future__ import annotations

from datetime import UTC, datetime

from navicert.model.layout import Layout
from navicert.store.keyring import Keyring
from navicert.testing import key
from navicert.verify.authority import Authority


def enter(ring: Keyring, *names: str) -> None:
    keys = {key(name).id: key(name).to_json() for name in names}
    layout = Layout(expires=datetime(2030, 1, 1, tzinfo=UTC), keys=keys)
    ring.enter(layout, Authority.of(layout))


def test_it_grows_with_what_a_layout_brings_and_with_nothing_else() -> None:
    """Whoever gathers looks again at documents that had nobody's signature as long as this grows, and stops then."""
    ring = Keyring()
    assert len(ring) == 0
    enter(ring, "alice", "bob")
    assert len(ring) == 2
    enter(ring, "bob")
    assert len(ring) == 2
    enter(ring, "carl")
    assert set(ring.keys) == {key("alice"), key("bob"), key("carl")}


def test_a_layout_that_names_no_identity_means_nobody() -> None:
    """A certificate that anybody can get leads nowhere."""
    ring = Keyring()
    enter(ring, "alice")
    assert not ring.means([])
