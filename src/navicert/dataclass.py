"""`dataclass`, `field` and `replace`: for type checkers those of `dataclasses`, at run time those of `valueclass`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    from navicert.valueclass import dataclass, field, replace

__all__ = ["dataclass", "field", "replace"]
