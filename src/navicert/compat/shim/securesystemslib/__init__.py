"""What scripts import as `securesystemslib`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__version__: Final = "1.6.0"
"""The release whose behaviour is promised."""
