"""A step that is no single command: its materials are recorded when it begins, its products when it ends.

In between stands an unfinished link, signed, so that nobody can put other materials into it unnoticed. Where it is
kept is the caller's business; `navicert.store.directory` has a place for it. Spec: in-toto v1.0 §4.4.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import replace
from navicert.envelope.document import open_document
from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_name
from navicert.model.link import Link
from navicert.record.recorder import (
    Notices,
    Recording,
    World,
    environment_of,
    resolve_materials,
    resolve_products,
)
from navicert.resolve import told_afterwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def begin(step: str, *, materials: Iterable[str] = (), world: World | None = None) -> Recording:
    """The unfinished link of `step`, with `materials` as they are now. Raises as `make_recording` does."""
    world = world or World()
    as_name(step, "")
    notes = Notices(world)
    materials = tuple(materials)
    for name in materials:
        if told_afterwards(name):
            raise Malformed(
                "only known when the build has ended, and materials are recorded when the step begins",
                path=name,
                remedy="record the build with navicert run, or leave out metadata= and built=",
            )
    before = resolve_materials(materials, world, notes)
    return Recording(Link(step, materials=before, environment=environment_of(world)), tuple(notes.texts))


def finish(
    raw: bytes,
    key: Key,
    *,
    step: str,
    products: Iterable[str] = (),
    world: World | None = None,
    limits: Limits = LOCAL,
    path: str = "",
) -> tuple[Recording, str]:
    """The finished link for the unfinished one in `raw`, with `products` as they are now; and the form to seal it in.

    Raises `Refused` unless `key`, which is the one to sign the finished link with, signed the unfinished one and it is
    of `step`; else as `make_recording` does. `path` names where `raw` came from.
    """
    world = world or World()
    sealed = open_document(raw, limits, path=path)
    verified = sealed.verified_by((key,))
    if verified is None:
        raise Refused(
            "the unfinished link is not signed with this key",
            path=path,
            expected=f"a signature by {key.id}",
            remedy="it may have been changed since record start; start again",
        )
    link = verified.body
    if not isinstance(link, Link):
        raise Malformed("not an unfinished link", path=path)
    if link.name != step:
        raise Refused("the unfinished link is of another step", path=path, expected=step, got=link.name)
    notes = Notices(world)
    after = resolve_products(products, world, notes)
    environment = _merged(link.environment, environment_of(world))
    return Recording(replace(link, products=after, environment=environment), tuple(notes.texts)), sealed.form


def _merged(begun: Mapping[str, object], ended: Mapping[str, object]) -> dict[str, object]:
    """The environment of both halves: facts of the end are added, and excludes that changed are there twice."""
    first, second = begun.get("navicert"), ended.get("navicert")
    if not isinstance(first, dict) or not isinstance(second, dict):
        return {**begun, **ended}
    facts = {**second, **first}
    if second.get("excludes") != first.get("excludes"):
        facts["product-excludes"] = second.get("excludes", [])
    return {**begun, "navicert": facts}
