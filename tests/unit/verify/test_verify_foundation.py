"""The inspection `image-base`: the lowest layers of the target are all those of a base that was declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.checks import causes, only, outcome
from tests.image_builder import LayoutBuilder, config_json

from navicert.digest import DigestSet, sha256
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.link import Link
from navicert.resolve.image import ImageLocation, image_layers, layers_bytes, open_image
from navicert.testing import Chain, chain, file_target, signer
from navicert.verdict import Outcome, Verdict
from navicert.verify.case import InspectionResult, Part, Target
from navicert.verify.foundation import ImageBase, digest_of_layers, prefixes
from navicert.verify.profile import Profile

A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")
PLATFORM = "linux/amd64"
FROM_BUILD = "navicert inspect image-base target --base materials:build/base"


def layers_of(*diff_ids: str, name: str = "base", platform: str = PLATFORM) -> dict[str, DigestSet]:
    return {f"{name}/{platform}/layers": DigestSet.of({"sha256": digest_of_layers(diff_ids)})}


def target(*diff_ids: str, platform: str = PLATFORM, **more: tuple[str, ...]) -> Target:
    """An image with these layers, whose content is the product `app`."""
    part = Part(PLATFORM, frozenset({sha256(b"app").hex}))
    return Target(
        "app", "image", (part,), layers={platform: diff_ids, **{k.replace("_", "/"): v for k, v in more.items()}}
    )


def built(materials: dict[str, DigestSet], run: str = FROM_BUILD) -> Chain:
    bob = signer("bob")
    link = Link("build", (), materials, {"app": DigestSet.of({"sha256": sha256(b"app").hex})}, {}, {})
    made = chain().step("build", by="bob", materials=["ALLOW *"], products=["ALLOW *"])
    return made.file(seal(link, bob), "build", bob.keyid).inspection("base", run=run)


def judged(made: Chain, image: Target, **more: Any) -> Verdict:
    return made.verdict(target=image, **more)


@pytest.mark.parametrize("image", [(A, B, C), (A, B)])
def test_an_image_on_its_declared_base_passes_and_nobody_has_to_run_anything(image: tuple[str, ...]) -> None:
    made = built(layers_of(A, B))
    verdict = judged(made, target(*image))
    assert verdict.passed
    reason = f"{PLATFORM}: the lowest 2 of {len(image)} layers are materials:build/base"
    assert only(verdict, "inspection.run").reason == reason
    assert made.inspector().ran == []


@pytest.mark.parametrize(
    ("base", "image", "why"),
    [
        ((A, B), (B, A, C), "its lowest layers are not"),  # in another order
        ((A, B), (A, C), "its lowest layers are not"),  # one is missing
        ((A, B), (C, A, B), "its lowest layers are not"),  # something below
        ((A, B), (D,), "its lowest layers are not"),  # squashed
        ((A, B), (), "its lowest layers are not"),  # an image without layers
        ((), (A, B), "would be the base of every image"),
        ((), (), "would be the base of every image"),
    ],
)
def test_an_image_on_anything_else_fails(base: tuple[str, ...], image: tuple[str, ...], why: str) -> None:
    verdict = judged(built(layers_of(*base)), target(*image))
    assert causes(verdict) == ["inspection.run"]
    assert why in only(verdict, "inspection.run").reason


@pytest.mark.parametrize(
    "materials",
    [
        {},
        layers_of(A, name="other"),
        layers_of(A, platform="linux/arm64"),
        {f"base/{PLATFORM}/content": DigestSet.of({"sha256": digest_of_layers([A])})},
        {f"base/{PLATFORM}/layers": DigestSet.of({})},
        {f"base/{PLATFORM}/layers": DigestSet.of({"sha1": "ab" * 20})},
        {f"base/{PLATFORM}/layers": DigestSet.of({"sha256": digest_of_layers([A])[:32]})},
    ],
)
def test_a_base_that_was_not_recorded_for_the_platform_is_none(materials: dict[str, DigestSet]) -> None:
    verdict = judged(built(materials), target(A, B))
    assert causes(verdict) == ["inspection.run"]
    assert only(verdict, "inspection.run").reason == f"returned 1: {PLATFORM}: materials:build/base has none for it"


def test_a_digest_is_read_in_any_letter_case() -> None:
    materials = {f"base/{PLATFORM}/layers": DigestSet.of({"sha256": digest_of_layers([A]).upper()})}
    assert judged(built(materials), target(A, B)).passed


def test_every_platform_needs_a_base_of_its_own() -> None:
    """A base for one platform says nothing about another, also where the two share layers."""
    made = built(layers_of(A))
    verdict = judged(made, target(A, B, linux_arm64=(A, C)))
    assert only(verdict, "inspection.run").reason == "returned 1: linux/arm64: materials:build/base has none for it"
    both = built({**layers_of(A), **layers_of(C, platform="linux/arm64")})
    verdict = judged(both, target(A, B, linux_arm64=(C, D)))
    assert verdict.passed
    assert "linux/arm64: the lowest 1 of 2 layers" in only(verdict, "inspection.run").reason


def test_another_step_is_not_the_one_that_was_named() -> None:
    verdict = judged(built(layers_of(A), f"{FROM_BUILD[:-10]}test/base"), target(A, B))
    assert only(verdict, "inspection.run").reason.endswith("test/base has none for it")


def test_a_base_may_be_pinned_by_the_layout_and_one_of_several_is_enough() -> None:
    pin = f"sha256:{digest_of_layers([A, B])}"
    run = f"navicert inspect image-base target --base {pin}"
    assert judged(built({}, run), target(A, B, C)).passed
    assert not judged(built({}, run), target(A, C)).passed
    either = f"{run} --base=materials:build/base"
    assert judged(built({}, either), target(A, B, C)).passed
    assert judged(built(layers_of(D), either), target(D, C)).passed
    verdict = judged(built(layers_of(D), either), target(C))
    assert "; its lowest layers are not materials:build/base" in only(verdict, "inspection.run").reason


def test_the_layout_may_leave_the_pin_to_a_parameter() -> None:
    made = built({}, "navicert inspect image-base target --base sha256:{base}")
    assert judged(made, target(A, B), parameters={"base": digest_of_layers([A])}).passed
    assert not judged(made, target(A, B), parameters={"base": digest_of_layers([B])}).passed


@pytest.mark.parametrize("image", [None, file_target(b"app")])
def test_without_an_image_it_could_not_be_found_out(image: Target | None) -> None:
    verdict = built(layers_of(A)).verdict(target=image)
    assert outcome(verdict, "inspection.run") is Outcome.ERROR
    assert "no image is judged" in only(verdict, "inspection.run").reason


def test_an_image_without_platforms_fails() -> None:
    verdict = judged(built(layers_of(A)), Target("app", "image", target(A).parts))
    assert only(verdict, "inspection.run").reason == "returned 1: the image has no platform"


def test_in_both_profiles_the_same() -> None:
    assert judged(built(layers_of(A)), target(A), profile=Profile.UPSTREAM).passed
    assert not judged(built(layers_of(A)), target(B), profile=Profile.UPSTREAM).passed


def test_what_an_inspector_says_about_the_target_counts_for_nothing() -> None:
    made = built(layers_of(A))
    said = {"verdict/inspection[base]": InspectionResult(0)}
    verdict = made.verdict(target=target(B), inspected=said)
    assert causes(verdict) == ["inspection.run"]


def test_removing_evidence_never_makes_a_refusal_a_pass_here_either() -> None:
    """Of two links that declare different bases the one is chosen whose base lies below the image, whichever comes
    first; so nothing is gained by hiding the other."""
    bob = signer("bob")
    for letters in ((A, D), (D, A)):
        made = built(layers_of(letters[0]))
        other = Link("build", (), layers_of(letters[1]), {"app": DigestSet.of({"sha256": sha256(b"app").hex})}, {}, {})
        assert judged(made.file(seal(other, bob), "build", "ff" * 32), target(A, B)).passed


def test_of_a_sublayout_the_same() -> None:
    inner = built(layers_of(A))
    outer = chain().step("make", by="alice", products=["ALLOW *"]).sublayout("make", inner)
    assert judged(outer, target(A, B)).passed
    assert not judged(outer, target(B)).passed


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("", "looks at one image"),
        ("--base materials:build/base", "names no image"),
        ("target", "needs --base"),
        ("target oci:other --base materials:build/base", "looks at one image"),
        ("app.tar --base materials:build/base", "no image"),
        ("target --base base", "no base"),
        ("target --base materials:build", "no material"),
        ("target --base materials:/base", "no material"),
        ("target --base materials:build/", "no material"),
        ("target --base sha256:ab", "not a digest"),
        (f"target --base sha256:{digest_of_layers([])}", "every image has that base"),
        (f"target --base sha256:{digest_of_layers([]).upper()}", "every image has that base"),
        ("target --base sha512:" + "ab" * 64, "no base"),
        ("target --base oci:base", "judged without files"),
        ("target --base", "needs a value"),
        ("target --layers 3", "unknown option"),
    ],
)
def test_a_command_that_is_none_does_not_pass(words: str, what: str) -> None:
    verdict = judged(built(layers_of(A), f"navicert inspect image-base {words}"), target(A, B))
    assert not verdict.passed
    if "target" in words:
        assert what in str(only(verdict, "inspection.run").facts["output"])


def test_materials_are_for_the_target_only() -> None:
    with pytest.raises(Malformed, match="known for the target only"):
        ImageBase.parse(["oci:app"], ["materials:build/base"])


def test_prefixes_are_what_is_recorded_of_an_image_with_just_these_layers(tmp_path: Path) -> None:
    builder = LayoutBuilder(tmp_path / "image")
    made = [builder.layer({"a": bytes([n])}) for n in range(3)]
    for count in range(1, 4):
        some = made[:count]
        builder.contents(builder.manifest(config_json([d for _, d in some]), [layer for layer, _ in some]))
        image = open_image(ImageLocation("oci", str(tmp_path / "image")))
        ((_, diff_ids),) = image_layers(image).items()
        expected = sha256(layers_bytes(image.platforms[0])).hex
        assert prefixes([d for _, d in made])[count - 1] == expected == digest_of_layers(diff_ids)


def test_it_looks_at_the_images_in_files_that_it_names() -> None:
    assert ImageBase.parse(["oci:a"], ["oci:b", A, "oci:b"]).files == ("oci:a", "oci:b")
    assert ImageBase.parse(["target"], [A]).files == ()


@pytest.mark.parametrize("image", ["a", "dir:a", "registry:a/b", ""])
def test_what_is_no_image_in_a_file_is_refused(image: str) -> None:
    with pytest.raises(Malformed, match="no image"):
        ImageBase.parse([image], [A])
