"""Chains to verify: what is written is what in-toto would write, it passes, and only when nothing is wrong with it."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench.chain import OWNER, Chain, digest, functionaries
from bench.document import Artifacts, Form, LinkText
from bench.rulebook import SMUGGLED, Rulebook

from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.link import Link
from navicert.store.directory import DirectoryStore
from navicert.store.gather import gather
from navicert.testing import key
from navicert.verdict import Verdict
from navicert.verify.case import Case, Policy
from navicert.verify.evaluate import verify

AT = datetime(2026, 1, 1, tzinfo=UTC)
FORMS: tuple[Form, ...] = ("dsse", "metablock")


def verdict(folder: Path) -> Verdict:
    policy = Policy.open((folder / "root.layout").read_bytes(), (key(OWNER),))
    gathered = gather(policy, [DirectoryStore(str(folder / "links"))])
    assert gathered.refused == ()
    return verify(Case(policy, AT, gathered.exhibits, gathered.refused))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def links(folder: Path) -> list[Path]:
    return sorted((folder / "links").rglob("*.link"))


class TestDocument:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_it_is_byte_for_byte_what_sealing_the_same_link_gives(self, form: Form, count: int) -> None:
        (who,) = functionaries(1)
        after = {f"src/{number} file!.c": digest(number) for number in range(count)}
        before = after | {"z": digest("z")}
        materials, products = (
            {path: DigestSet.of({"sha256": one}) for path, one in files.items()} for files in (before, after)
        )
        link = Link("build", ("make",), materials, products, {"return-value": 0})
        text = LinkText("build", Artifacts(before), Artifacts(after))
        assert text.seal(who, form) == seal(link, who, form=form)

    @pytest.mark.parametrize("path", ['a"b', "a\\b", "a\nb", "ü", "a\x7fb"])
    def test_a_path_that_it_could_not_write_is_refused(self, path: str) -> None:
        with pytest.raises(ValueError, match="escape"):
            Artifacts({path: "00" * 32})


class TestChain:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize(
        "chain",
        [
            Chain(1, 3),
            Chain(4, 50),
            Chain(3, 250, threshold=3),
            Chain(2, 20, depth=1),
            Chain(2, 20, threshold=2, depth=3),
            Chain(3, 40, from_nothing=True),
            Chain(1, 5, depth=2),
        ],
        ids=str,
    )
    def test_it_passes(self, chain: Chain, form: Form, tmp_path: Path) -> None:
        replace(chain, form=form).write(tmp_path)
        assert verdict(tmp_path).passed

    @pytest.mark.parametrize("form", FORMS)
    def test_a_file_changed_between_two_steps_is_noticed(self, form: Form, tmp_path: Path) -> None:
        Chain(3, 20, form=form, tampered=True).write(tmp_path)
        assert not verdict(tmp_path).passed

    def test_a_step_without_its_link_does_not_pass(self, tmp_path: Path) -> None:
        Chain(3, 20, threshold=2).write(tmp_path)
        links(tmp_path)[2].unlink()
        assert not verdict(tmp_path).passed

    def test_what_is_wrong_deep_in_a_sublayout_is_noticed(self, tmp_path: Path) -> None:
        Chain(2, 20, depth=3).write(tmp_path)
        deepest = max(links(tmp_path), key=lambda path: len(path.parts))
        deepest.unlink()
        assert not verdict(tmp_path).passed

    def test_the_same_chain_is_the_same_bytes_and_another_seed_is_not(self, tmp_path: Path) -> None:
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            Chain(2, 10, depth=1, seed=seed).write(tmp_path / name)
        assert files(tmp_path / "a") == files(tmp_path / "b")
        assert files(tmp_path / "a") != files(tmp_path / "c")

    def test_it_is_as_large_as_was_asked_for(self, tmp_path: Path) -> None:
        Chain(3, 200, threshold=2, form="metablock").write(tmp_path)
        found = [json.loads(path.read_bytes())["signed"] for path in links(tmp_path)]
        assert len(found) == 3 * 2
        assert {(len(link["materials"]), len(link["products"])) for link in found} == {(200, 200)}

    def test_sublayouts_are_as_deep_as_was_asked_for(self, tmp_path: Path) -> None:
        Chain(2, 10, depth=4).write(tmp_path)
        depths = [len(path.relative_to(tmp_path / "links").parts) for path in links(tmp_path)]
        assert max(depths) == 5
        assert len(depths) == 2 * 5

    def test_from_nothing_the_first_step_creates_all(self, tmp_path: Path) -> None:
        Chain(3, 50, form="metablock", from_nothing=True).write(tmp_path)
        found = [json.loads(path.read_bytes())["signed"] for path in links(tmp_path)]
        assert sum(len(link["materials"]) + len(link["products"]) for link in found) == 5 * 50


@pytest.mark.parametrize("idle", [False, True])
class TestRulebook:
    def test_what_is_allowed_passes(self, idle: bool, tmp_path: Path) -> None:
        Rulebook(41, 160, idle=idle).write(tmp_path)
        assert verdict(tmp_path).passed

    def test_one_file_that_is_not_allowed_fails_it(self, idle: bool, tmp_path: Path) -> None:
        Rulebook(41, 160, idle=idle, failing=True).write(tmp_path)
        cause = verdict(tmp_path).first_cause
        assert cause is not None
        assert SMUGGLED in cause.reason

    def test_it_has_as_many_rules_and_artifacts_as_was_asked_for(self, idle: bool, tmp_path: Path) -> None:
        Rulebook(100, 400, idle=idle, form="metablock").write(tmp_path)
        layout = json.loads((tmp_path / "root.layout").read_bytes())["signed"]
        (path,) = links(tmp_path)
        assert len(layout["steps"][0]["expected_materials"]) == 100
        assert len(json.loads(path.read_bytes())["signed"]["materials"]) == 400

    def test_every_rule_does_what_it_says(self, idle: bool, tmp_path: Path) -> None:
        Rulebook(41, 160, idle=idle, form="metablock").write(tmp_path)
        (path,) = links(tmp_path)
        materials = json.loads(path.read_bytes())["signed"]["materials"]
        layout = json.loads((tmp_path / "root.layout").read_bytes())["signed"]
        patterns = [rule[1] for rule in layout["steps"][0]["expected_materials"] if rule[1] not in ("*", SMUGGLED)]
        finding = [pattern for pattern in patterns if fnmatch.filter(materials, pattern)]
        assert finding == ([] if idle else patterns)
