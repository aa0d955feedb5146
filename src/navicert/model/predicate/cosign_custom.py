"""Cosign's custom predicate: data of which only its producer knows the form.

Spec: sigstore/cosign, specs/COSIGN_PREDICATE_SPEC.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader
from navicert.strictjson import Json, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CosignCustomPredicate:
    """`data` as text (an object that stands there is kept as JSON of its own) and when it was attested."""

    data: str
    timestamp: datetime | None = None
    json: Json = None
    """What `data` holds where it is JSON; None otherwise."""

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> CosignCustomPredicate:
        """The data of a predicate. Raises `Malformed`."""
        reader = Reader(predicate, where)
        # The names are written with capitals, unlike all others.
        if not reader.has("Data"):
            raise Malformed('required field "Data" is missing', pointer=where)
        value = predicate["Data"]
        timestamp = reader.maybe_moment("Timestamp")
        if not isinstance(value, str):
            return CosignCustomPredicate("", timestamp, value)
        try:
            return CosignCustomPredicate(value, timestamp, loads(value.encode()))
        except Malformed:
            return CosignCustomPredicate(value, timestamp)
