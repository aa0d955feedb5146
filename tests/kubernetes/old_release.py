"""An installation for an API server that is older than those that the chart is for.

What was tested against a current server stays what it is; only what an old one does not know is said in its words.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

SETTINGS = {"companion": {"digests": "off", "guard": False}}
"""Values for servers before 1.30, which know no ValidatingAdmissionPolicy."""
_BEFORE_1_21 = {"CronJob": "batch/v1beta1", "PodDisruptionBudget": "policy/v1beta1"}


def in_words_of(version: tuple[int, int], objects: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The objects, in the API versions that a server of `version` serves."""
    found = []
    for one in objects:
        copied = copy.deepcopy(dict(one))
        if version < (1, 21) and one["kind"] in _BEFORE_1_21:
            copied["apiVersion"] = _BEFORE_1_21[one["kind"]]
        found.append(copied)
    return found
