"""Recorders are compared by what they recorded: the quickest one is the one that leaves something out."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from bench.contestant import Unmeasurable
from bench.suite.recording import BOTH, ONCE, same

A, B = {"a": {"sha256": "0" * 64}}, {"b": {"sha256": "1" * 64}}


def link(folder: Path, materials: object, products: object, *, dsse: bool = False) -> Path:
    """A folder with one link."""
    folder.mkdir(exist_ok=True)
    signed = {"materials": materials, "products": products}
    payload = base64.b64encode(json.dumps(signed).encode()).decode()
    document = {"payload": payload} if dsse else {"signed": signed}
    (folder / "step.00000000.link").write_text(json.dumps(document))
    return folder


def test_the_same_in_both_envelopes_is_the_same(tmp_path: Path) -> None:
    same([link(tmp_path / "x", A | B, A | B), link(tmp_path / "y", A | B, A | B, dsse=True)], BOTH, 2)


@pytest.mark.parametrize(
    "other",
    [({}, A | B), (A | B, A), (A | B, A | B | {"c": A["a"]}), (A | B, A | {"b": A["a"]})],
    ids=["no materials", "fewer", "more", "another digest"],
)
def test_a_recorder_that_differs_voids_the_workload(tmp_path: Path, other: tuple[object, object]) -> None:
    outputs = [link(tmp_path / "x", A | B, A | B), link(tmp_path / "y", *other)]
    with pytest.raises(Unmeasurable, match="y recorded something else"):
        same(outputs, BOTH, None)


def test_recorders_that_agree_on_leaving_something_out_void_the_workload(tmp_path: Path) -> None:
    outputs = [link(tmp_path / "x", A, A), link(tmp_path / "y", A, A)]
    same(outputs, BOTH, 1)
    with pytest.raises(Unmeasurable, match="recorded 1 materials and 1 products, of 2 files"):
        same(outputs, BOTH, 2)


def test_materials_are_wanted_where_they_were_asked_for_and_only_there(tmp_path: Path) -> None:
    outputs = [link(tmp_path / "x", {}, A)]
    same(outputs, ONCE, 1)
    with pytest.raises(Unmeasurable, match="0 materials"):
        same(outputs, BOTH, 1)


def test_nothing_recorded_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="0 products"):
        same([link(tmp_path / "x", {}, {}), link(tmp_path / "y", {}, {})], BOTH, None)


def test_no_link_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="0 links"):
        same([tmp_path], BOTH, None)
