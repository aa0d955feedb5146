"""Links that can be changed (`in_toto.models.link`)."""

from __future__ import annotations

from navicert.compat.shim.in_toto.formats import _check_hash_dict
from navicert.compat.shim.in_toto.models.signable import Signable, plain
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.model.section import CANONICAL, write_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final

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
        self._seen: dict[str, Artifacts] = {}
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
        self._check_artifacts("materials")

    def _validate_products(self) -> None:
        self._check_artifacts("products")

    def _check_artifacts(self, name: str) -> None:
        self._check(name, dict)
        if self._small(name) is not None:
            return  # nearly always, and seen with one look at all of them
        for digests in getattr(self, name).values():
            _check_hash_dict(digests)

    def _small(self, name: str) -> Artifacts | None:
        """The list `name` as the core keeps it, if it can. What was made of it before is taken again, in order already,
        where it still says the same: anybody may have changed it."""
        artifacts = getattr(self, name)
        known = self._seen.get(name)
        if known is not None and _is_still(artifacts, known):
            return known
        made = _small(artifacts)
        if made is not None:
            self._seen[name] = made
        return made

    def _validate_byproducts(self) -> None:
        self._check("byproducts", dict)

    def _validate_command(self) -> None:
        self._check("command", list)

    def _validate_environment(self) -> None:
        self._check("environment", dict)

    def sections(self) -> dict[str, Any]:
        """As `to_dict`, with the lists of artifacts in the form that `write_sections` writes as a whole."""
        document: dict[str, Any] = plain(self._unknown)
        for name in self.FIELDS:
            value = getattr(self, name)
            small = self._small(name) if name in ("materials", "products") else None
            document[name] = plain(value) if small is None else small
        return document

    @property
    def signable_bytes(self) -> bytes:
        """The canonical JSON of this object as it is now. Raises `FormatError`."""
        try:
            return write_sections(self.sections(), CANONICAL)
        except Malformed:
            return super().signable_bytes  # which says what is wrong

    def _check(self, name: str, kind: type) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind):
            raise FormatError(f"Invalid Link: field `{name}` must be of type {kind.__name__}, got: {type(value)}")


def _is_still(artifacts: Any, known: Artifacts) -> bool:
    """Whether `artifacts` are those that `known` was made of, in the same order."""
    if not isinstance(artifacts, dict) or set(map(type, artifacts.values())) != {dict}:
        return False
    digits = [digests.get("sha256") for digests in artifacts.values()]
    return (
        set(map(type, digits)) == {str}
        and sum(map(len, artifacts.values())) == len(digits)
        and digits == list(known.entries.values())
        and set(map(type, artifacts)) == {str}
        and list(artifacts) == list(known.entries)
    )


def _small(artifacts: Any) -> Artifacts | None:
    """`artifacts` as the core keeps them, if each has a name, one SHA-256 digest in lower case and nothing else."""
    if not isinstance(artifacts, dict):
        return None
    if set(map(type, artifacts)) != {str} or set(map(type, artifacts.values())) != {dict}:
        return None
    try:
        made = Artifacts.from_json(artifacts, "")
    except (Malformed, TypeError):
        return None
    return made if made.plain else None
