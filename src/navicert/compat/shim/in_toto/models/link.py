"""Links that can be changed (`in_toto.models.link`)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from navicert.compat.shim.in_toto.formats import _check_hash_dict
from navicert.compat.shim.in_toto.models.signable import Signable
from navicert.compat.shim.securesystemslib.exceptions import FormatError

FILENAME_FORMAT: Final = "{step_name}.{keyid:.8}.link"
FILENAME_FORMAT_SHORT: Final = "{step_name}.link"
UNFINISHED_FILENAME_FORMAT: Final = ".{step_name}.{keyid:.8}.link-unfinished"
UNFINISHED_FILENAME_FORMAT_GLOB: Final = ".{step_name}.{pattern}.link-unfinished"


class Link(Signable):
    """The record of one step."""

    FIELDS: ClassVar = ("_type", "name", "materials", "products", "byproducts", "command", "environment")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._type = "link"
        self.name = kwargs.get("name")
        self.materials: Any = kwargs.get("materials", {})
        self.products: Any = kwargs.get("products", {})
        self.byproducts: Any = kwargs.get("byproducts", {})
        self.command: Any = kwargs.get("command", [])
        self.environment: Any = kwargs.get("environment", {})
        self.validate()

    @property
    def type_(self) -> str:
        """The type of the document, "link"."""
        return self._type

    @staticmethod
    def read(data: dict[str, Any]) -> Link:
        """The link of a dictionary. Raises `FormatError`."""
        return Link(**data)

    def _validate_type(self) -> None:
        if self._type != "link":
            raise FormatError(f"Invalid Link: field `_type` must be set to 'link', got: {self._type}")

    def _validate_materials(self) -> None:
        self._check("materials", dict)
        for digests in self.materials.values():
            _check_hash_dict(digests)

    def _validate_products(self) -> None:
        self._check("products", dict)
        for digests in self.products.values():
            _check_hash_dict(digests)

    def _validate_byproducts(self) -> None:
        self._check("byproducts", dict)

    def _validate_command(self) -> None:
        self._check("command", list)

    def _validate_environment(self) -> None:
        self._check("environment", dict)

    def _check(self, name: str, kind: type) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind):
            raise FormatError(f"Invalid Link: field `{name}` must be of type {kind.__name__}, got: {type(value)}")
