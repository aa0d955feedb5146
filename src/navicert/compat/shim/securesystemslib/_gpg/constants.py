"""Whether there is a gpg (`securesystemslib._gpg.constants`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


GPG_TIMEOUT: Final = 10
FULLY_SUPPORTED_MIN_VERSION: Final = "2.1.0"
NO_GPG_MSG: Final = f"GPG support requires a GPG client: gpg, version {FULLY_SUPPORTED_MIN_VERSION} or newer."


def gpg_command() -> str:
    """The program to run, or an empty string."""
    import shutil

    return next((name for name in ("gpg2", "gpg") if shutil.which(name)), "")


def have_gpg() -> bool:
    """Whether there is one."""
    return bool(gpg_command())
