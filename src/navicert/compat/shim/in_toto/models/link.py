"""Links that can be changed (`in_toto.models.link`)."""

from __future__ import annotations

from navicert.compat.shim.in_toto.file_name import (  # noqa: F401  # scripts know them here
    FILENAME_FORMAT,
    FILENAME_FORMAT_SHORT,
    UNFINISHED_FILENAME_FORMAT,
    UNFINISHED_FILENAME_FORMAT_GLOB,
)
from navicert.compat.shim.in_toto.formats import _check_hash_dict
from navicert.compat.shim.in_toto.models.signable import Signable, plain
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.model.section import CANONICAL, write_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final

_LISTS: Final = ("materials", "products")


class Link(Signable):
    """The record of one step."""

    FIELDS: ClassVar = ("_type", "name", "materials", "products", "byproducts", "command", "environment")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._type = "link"
        self.name = kwargs.get("name")
        self._lists: dict[str, Any] = {name: kwargs.get(name, {}) for name in _LISTS}
        self.byproducts: Any = kwargs.get("byproducts", {})
        self.command: Any = kwargs.get("command", [])
        self.environment: Any = kwargs.get("environment", {})
        self._seen: dict[str, Artifacts] = {}
        self.validate()

    @property
    def type_(self) -> str:
        """The type of the document, "link"."""
        return self._type

    @property
    def materials(self) -> Any:
        """What the step consumed: a dictionary, which may be changed."""
        return self._list("materials")

    @materials.setter
    def materials(self, artifacts: Any) -> None:
        self._lists["materials"] = artifacts

    @property
    def products(self) -> Any:
        """What the step produced: a dictionary, which may be changed."""
        return self._list("products")

    @products.setter
    def products(self, artifacts: Any) -> None:
        self._lists["products"] = artifacts

    def _list(self, name: str) -> Any:
        """The list `name` as scripts know it. Of what the core has recorded, dictionaries are made only for who asks:
        of a hundred thousand files they take a tenth as long as hashing does."""
        artifacts = self._lists[name]
        if isinstance(artifacts, Artifacts):
            self._seen[name] = artifacts
            artifacts = self._lists[name] = artifacts.to_json()
        return artifacts

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
        if isinstance(self._lists[name], Artifacts):
            return  # the core made it
        self._check(name, dict)
        if self._small(name) is not None:
            return  # nearly always, and seen with one look at all of them
        for digests in getattr(self, name).values():
            _check_hash_dict(digests)

    def _small(self, name: str) -> Artifacts | None:
        """The list `name` as the core keeps it, if it can. What was made of it before is taken again, in order already,
        where it still says the same: anybody may have changed it."""
        artifacts = self._lists[name]
        if isinstance(artifacts, Artifacts) and artifacts.plain:
            return artifacts
        artifacts = self._list(name)
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
            small = self._small(name) if name in _LISTS else None
            document[name] = plain(getattr(self, name)) if small is None else small
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
