"""A chain whose last step made an image, signed for real, for tests of evidence beside images.

`bob` signs every step: `step00` makes the source, each later one passes it on, and `build` makes the image. `owner`
signs the layout. Everything is written to a folder, as a user has it.
"""

from __future__ import annotations

from pathlib import Path

from navicert.crypto.signer import private_pem
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release
from navicert.oci.image import Image
from navicert.resolve.image import image_artifacts
from navicert.testing import artifacts, rules, signer
from navicert.timestamp import parse_timestamp

SOURCE = {"src/main.c": b"int main;"}


def layout(steps: int = 2, version: int | None = 1) -> Layout:
    """The policy: `steps` steps, the last of which makes the image `app`, tied to the others by MATCH rules."""
    bob = signer("bob")
    made = []
    for number in range(steps - 1):
        before = rules([f"MATCH * WITH PRODUCTS FROM step{number - 1:02}"]) if number else ()
        made.append(
            Step(
                f"step{number:02}",
                pubkeys=(bob.keyid,),
                expected_materials=(*before, *rules(["DISALLOW *"])),
                expected_products=rules(["ALLOW src/*", "DISALLOW *"]),
            )
        )
    before = rules([f"MATCH src/* WITH PRODUCTS FROM step{steps - 2:02}"]) if steps > 1 else rules(["ALLOW src/*"])
    made.append(
        Step(
            "build",
            pubkeys=(bob.keyid,),
            expected_materials=(*before, *rules(["DISALLOW *"])),
            expected_products=rules(["CREATE app/*", "DISALLOW *"]),
        )
    )
    keys = {bob.keyid: bob.key.to_json()}
    readme = Release("app", version, {"bob": (bob.keyid,)}).append_to("How it is built.")
    return Layout(parse_timestamp("2099-01-01T00:00:00Z"), tuple(made), (), keys, readme)


def links(products: dict[str, DigestSet], steps: int = 2) -> list[Link]:
    """What was recorded; the last link's products are `products`."""
    source = artifacts(SOURCE)
    made = [
        Link(f"step{number:02}", (), source if number else {}, source, {"return-value": 0}, {})
        for number in range(steps - 1)
    ]
    return [*made, Link("build", ("buildah",), source, products, {"return-value": 0}, {})]


def write_chain(folder: Path, image: Image, steps: int = 2, *, keep: str = "", version: int | None = 1) -> None:
    """Writes keys, `root.layout` and the links (under `evidence`) of the chain that made `image`. `keep` is how the
    names of the products end that are recorded: `/content` for a build that cannot know what a push will make."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("owner", "bob", "eve"):
        (folder / f"{name}.pub").write_bytes(signer(name).key.public_pem())
        (folder / name).write_bytes(private_pem(signer(name), None))
        (folder / name).chmod(0o600)
    (folder / "root.layout").write_bytes(seal(layout(steps, version), signer("owner")))
    (folder / "evidence").mkdir(exist_ok=True)
    products = {name: digests for name, digests in image_artifacts("app", image).items() if name.endswith(keep)}
    for link in links(products, steps):
        bob = signer("bob")
        (folder / "evidence" / f"{link.name}.{bob.key.short}.link").write_bytes(seal(link, bob))
