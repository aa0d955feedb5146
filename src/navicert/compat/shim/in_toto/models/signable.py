"""What layouts, links and their parts have in common (`in_toto.models.common`).

They are fields that can be set, checked, compared and written.
"""

from __future__ import annotations

from navicert.compat.shim.securesystemslib.formats import encode_canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


def plain(value: Any) -> Any:
    """`value` with every part of it that is a model as a dictionary, all copied."""
    if isinstance(value, Fields):
        return value.to_dict()
    if isinstance(value, dict):
        # Most of a large document is digests: text, which needs no look at what it is.
        return {name: item if type(item) is str else plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


class ValidationMixin:
    """Objects that check themselves by all of their methods that are called `_validate_…`."""

    def validate(self) -> None:
        """Raises `FormatError` where a field has a value that it cannot have."""
        for name in dir(self):
            if name.startswith("_validate_"):
                getattr(self, name)()


class Fields(ValidationMixin):
    """An object that is nothing but its `FIELDS`; equal where these are.

    `_unknown` holds the fields of a document that nobody here knows: a signature covers them, so they stay.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ()
    _unknown: dict[str, Any]

    def __init__(self, **unknown: Any) -> None:
        self._unknown = {name: value for name, value in unknown.items() if name not in self.FIELDS}

    def to_dict(self) -> dict[str, Any]:
        """The dictionary of this object, as it is now."""
        fields = {name: plain(getattr(self, name)) for name in self.FIELDS}
        return {**plain(self._unknown), **fields}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fields) and type(self) is type(other) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]  # what can change has no hash

    def __repr__(self) -> str:
        import json

        return json.dumps(self.to_dict(), indent=1, separators=(",", ": "), sort_keys=True)


class Signable(Fields):
    """What can be signed: a layout or a link."""

    @property
    def signable_bytes(self) -> bytes:
        """The canonical JSON of this object as it is now. Raises `FormatError`."""
        return (encode_canonical(self.to_dict()) or "").encode("utf-8")
