"""The test-result predicate: what came out of one run of tests.

Spec: in-toto attestation framework, spec/predicates/test-result.md (v0.1).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

PASSED: Final = "PASSED"
WARNED: Final = "WARNED"
FAILED: Final = "FAILED"


@dataclass(frozen=True, slots=True)
class ResultPredicate:
    """The result (`PASSED`, `WARNED` or `FAILED`), what the run was configured by, and the names of tests."""

    result: str
    configuration: tuple[ResourceDescriptor, ...]
    url: str = ""
    passed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> ResultPredicate:
        """The result of a predicate. Raises `Malformed`."""
        reader = Reader(predicate, where)
        reader.array("configuration")
        return ResultPredicate(
            reader.one_of("result", (PASSED, WARNED, FAILED)),
            reader.descriptors("configuration"),
            reader.maybe_text("url"),
            reader.texts("passedTests"),
            reader.texts("warnedTests"),
            reader.texts("failedTests"),
        )
