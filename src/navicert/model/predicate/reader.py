"""Reading the fields of a predicate, each with the refusal that names its JSON pointer.

A field that is unset, null or empty is the same to the attestation framework: required ones must be there and hold
something, all others may be missing. Fields that nobody asks for are ignored.

Spec: in-toto attestation framework, spec/v1/README.md (parsing rules) and field_types.md.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.limits import LOCAL
from navicert.model.field import as_list, as_object, as_text
from navicert.model.statement import ResourceDescriptor
from navicert.strictjson import pointer
from navicert.timestamp import parse_rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


class Reader:
    """The fields of one JSON object, which stands at the JSON pointer `where`."""

    __slots__ = ("fields", "where")

    def __init__(self, fields: Mapping[str, object], where: str) -> None:
        self.fields = fields
        self.where = where

    @staticmethod
    def of(value: object, where: str) -> Reader:
        """The reader of a JSON value, which must be an object."""
        return Reader(as_object(value, where), where)

    def at(self, name: str) -> str:
        """The JSON pointer of a field."""
        return pointer(self.where, name)

    def has(self, name: str) -> bool:
        """Whether a field is set, be it to something empty."""
        return self.fields.get(name) is not None

    def text(self, name: str) -> str:
        """A required string that is not empty."""
        text = self.maybe_text(name)
        if not text:
            raise self._missing(name)
        return text

    def maybe_text(self, name: str) -> str:
        """An optional string; empty where it is unset."""
        value = self.fields.get(name)
        return "" if value is None else as_text(value, self.at(name))

    def one_of(self, name: str, allowed: Sequence[str]) -> str:
        """A required string out of a few, which are compared as they are written."""
        text = self.text(name)
        if text not in allowed:
            raise Malformed("no such value", pointer=self.at(name), expected=" or ".join(allowed), got=repr(text)[:60])
        return text

    def texts(self, name: str) -> tuple[str, ...]:
        """An optional array of strings."""
        items = self.maybe_array(name)
        return tuple(as_text(item, f"{self.at(name)}/{i}") for i, item in enumerate(items))

    def array(self, name: str) -> list[object]:
        """A required array, which may be empty: unset is not the same as empty where emptiness is good news."""
        if not self.has(name):
            raise self._missing(name)
        return self.maybe_array(name)

    def maybe_array(self, name: str) -> list[object]:
        """An optional array."""
        value = self.fields.get(name)
        return [] if value is None else as_list(value, self.at(name), most=LOCAL.artifacts)

    def child(self, name: str) -> Reader:
        """A required object, which may be empty."""
        if not self.has(name):
            raise self._missing(name)
        return self.maybe_child(name)

    def maybe_child(self, name: str) -> Reader:
        """An optional object; one without fields where it is unset."""
        value = self.fields.get(name)
        return Reader({} if value is None else as_object(value, self.at(name)), self.at(name))

    def mapping(self, name: str) -> Mapping[str, object]:
        """An optional object of anything, as received."""
        return self.maybe_child(name).fields

    def children(self, name: str) -> tuple[Reader, ...]:
        """An optional array of objects."""
        return tuple(Reader.of(item, f"{self.at(name)}/{i}") for i, item in enumerate(self.maybe_array(name)))

    def moment(self, name: str) -> datetime:
        """A required point in time."""
        moment = self.maybe_moment(name)
        if moment is None:
            raise self._missing(name)
        return moment

    def maybe_moment(self, name: str) -> datetime | None:
        """An optional point in time; None where it is unset."""
        text = self.maybe_text(name)
        if not text:
            return None
        try:
            return parse_rfc3339(text)
        except Malformed as error:
            error.pointer = self.at(name)
            raise

    def descriptor(self, name: str) -> ResourceDescriptor | None:
        """An optional resource descriptor; None where it is unset or has no field."""
        value = self.fields.get(name)
        return None if value is None or value == {} else ResourceDescriptor.from_json(value, self.at(name))

    def descriptors(self, name: str) -> tuple[ResourceDescriptor, ...]:
        """An optional array of resource descriptors."""
        items = self.maybe_array(name)
        return tuple(ResourceDescriptor.from_json(item, f"{self.at(name)}/{i}") for i, item in enumerate(items))

    def check_version(self, predicate_type: str, version: str) -> None:
        """Raise `Malformed` where a type that ends with a version, or the beginning of one (`/v2`, `/v2.3`), is not for
        `version`, which the document says."""
        wanted = predicate_type.rpartition("/v")[2].rstrip(".") if "/v" in predicate_type else ""
        if wanted and not f"{version}.".startswith(f"{wanted}."):
            raise Malformed("not the version that its type says", pointer=self.where, expected=wanted, got=version)

    def _missing(self, name: str) -> Malformed:
        return Malformed(f'required field "{name}" is missing', pointer=self.where or "/")
