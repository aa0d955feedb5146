"""The names of link files, for who knows where they lie and makes no links (`in_toto.models.link` has them too)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FILENAME_FORMAT: Final = "{step_name}.{keyid:.8}.link"
FILENAME_FORMAT_SHORT: Final = "{step_name}.link"
UNFINISHED_FILENAME_FORMAT: Final = ".{step_name}.{keyid:.8}.link-unfinished"
UNFINISHED_FILENAME_FORMAT_GLOB: Final = ".{step_name}.{pattern}.link-unfinished"
