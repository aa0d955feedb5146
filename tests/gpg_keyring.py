"""A keyring of the real gpg, for tests."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Keyring:
    """The keyring in the folder `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def gpg(self, *words: str, data: bytes = b"") -> bytes:
        """What gpg prints. Keys are made without a passphrase."""
        quiet = ("--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
        done = subprocess.run(
            ["gpg", "--homedir", self.home, *quiet, *words], input=data, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(self, name: str, kind: str, expires: str = "never", *, at: str = "") -> str:
        """The fingerprint of a new master that signs, such as of kind "rsa3072", "dsa2048" or "ed25519"; made `at`
        another moment than now, such as "20250101T000000"."""
        self.gpg(*_then(at), "--quick-generate-key", name, kind, "sign,cert", expires)
        return self.fingerprints(name)[0]

    def make_subkey(self, master: str, kind: str, usage: str = "sign", expires: str = "never", *, at: str = "") -> str:
        """The fingerprint of a new subkey."""
        before = self.fingerprints(master)
        self.gpg(*_then(at), "--quick-add-key", master, kind, usage, expires)
        (made,) = set(self.fingerprints(master)) - set(before)
        return made

    def fingerprints(self, name: str) -> list[str]:
        """The fingerprints of the master called `name` and its subkeys, in lower case as in-toto writes them."""
        lines = self.gpg("--with-colons", "--list-keys", name).decode().splitlines()
        return [line.split(":")[9].lower() for line in lines if line.startswith("fpr:")]

    def export(self, fingerprint: str, *words: str) -> bytes:
        """A public key as it would be put into a file."""
        return self.gpg(*words, "--export", fingerprint)


def _then(at: str) -> list[str]:
    # "!": the clock stands still, else what was made at its last second is in the future for whoever comes next.
    return ["--faked-system-time", f"{at}!"] if at else []


@contextmanager
def new_keyring() -> Iterator[Keyring]:
    """An empty keyring. Its path is short, because gpg's agent listens in it."""
    with tempfile.TemporaryDirectory(prefix="kr") as folder:
        try:
            yield Keyring(Path(folder))
        finally:
            environment = {**os.environ, "GNUPGHOME": folder}
            subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)
