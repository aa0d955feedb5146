"""What this verifier has seen: the highest version of each layout, so that an older one is not accepted again.

The file belongs to the verifier. It must not lie with the evidence, where whoever replays an old layout could also
replay an old state.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager

from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.field import as_integer, as_object, as_text, required
from navicert.strictjson import loads, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

TYPE: Final = "navicert-trust-state/v1"


class TrustState:
    """The state in the file `path`, which is made when a version is first noted."""

    def __init__(self, path: str) -> None:
        self.path = path

    def versions(self) -> Mapping[str, int]:
        """The highest version seen of each layout, by name; none where there is no file yet.

        Raises `Malformed` for a file that is no state, `OSError` where it cannot be read: a guard that cannot be read
        guards nothing.
        """
        try:
            with open(self.path, "rb") as stream:
                raw = stream.read(LOCAL.document_bytes + 1)
        except FileNotFoundError:
            return {}
        try:
            document = as_object(loads(raw), "")
            kind = as_text(required(document, "type", ""), "/type")
            if kind != TYPE:
                raise Malformed("not a trust state", pointer="/type", expected=TYPE, got=repr(kind)[:60])
            layouts = as_object(required(document, "layouts", ""), "/layouts")
            return {name: as_integer(value, pointer("/layouts", name)) for name, value in layouts.items()}
        except Malformed as error:
            raise error.at(self.path) from None

    def note(self, name: str, version: int) -> None:
        """Remember that `version` of the layout `name` was seen; a lower one than before changes nothing.

        Call it only for a layout whose owners' signatures verified. Raises as `versions` does.
        """
        with self._locked():
            versions = dict(self.versions())
            if versions.get(name, 0) >= version:
                return
            versions[name] = version
            self._write(versions)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Two verifications at once must not undo each other. The lock is a file of its own, because the state is
        # replaced as a whole.
        import fcntl

        descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, versions: Mapping[str, int]) -> None:
        text = json.dumps({"type": TYPE, "layouts": dict(versions)}, indent=2, sort_keys=True) + "\n"
        temporary = os.path.join(os.path.dirname(self.path) or ".", f".navicert-{os.urandom(8).hex()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, self.path)
        finally:
            if os.path.lexists(temporary):
                os.unlink(temporary)
