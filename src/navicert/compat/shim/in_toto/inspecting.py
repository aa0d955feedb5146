"""Running inspections as upstream does: in the current folder, everything in it recorded before and after."""

from __future__ import annotations

from navicert.compat.shim.in_toto import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from navicert.model.layout import Inspection
    from navicert.verify.case import InspectionResult


def inspect(name: str, command: list[str], timeout: float | None) -> Any:
    """The unsigned link of one inspection. The base path of the settings is not for inspections."""
    from navicert.compat.shim.in_toto.runlib import in_toto_run

    before, settings.ARTIFACT_BASE_PATH = settings.ARTIFACT_BASE_PATH, None
    try:
        return in_toto_run(name, ["."], ["."], list(command), timeout=timeout)
    finally:
        settings.ARTIFACT_BASE_PATH = before


class Inspector:
    """Runs the inspections of a judgement; `persist` leaves the link of each that returned 0. What running one raised
    is in `problems`, by its name."""

    def __init__(self, persist: bool, timeout: float | None) -> None:
        self._persist = persist
        self._timeout = timeout
        self.problems: dict[str, Exception] = {}

    def inspect(self, inspection: Inspection) -> InspectionResult:
        """What running `inspection` gave."""
        from navicert.compat.shim.in_toto.file_name import FILENAME_FORMAT_SHORT
        from navicert.compat.shim.in_toto.ruling import artifacts_of
        from navicert.verify.case import InspectionResult

        try:
            metadata = inspect(inspection.name, list(inspection.run), self._timeout)
            value = metadata.signed.byproducts.get("return-value")
            if self._persist and isinstance(value, int) and value == 0:
                metadata.dump(FILENAME_FORMAT_SHORT.format(step_name=inspection.name))
        except Exception as error:  # noqa: BLE001  # raised again as it is, when the judgement is told
            self.problems[inspection.name] = error
            return InspectionResult(None, problem=f"could not be run: {error}")
        link = metadata.signed
        return InspectionResult(value, artifacts_of(link.materials), artifacts_of(link.products))
