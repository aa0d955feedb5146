"""Where an image that a builder used is looked up: in docker and podman of this machine, else in its registry."""

from __future__ import annotations

from typing import Final

from navicert.errors import Unavailable
from navicert.oci.image import Image
from navicert.oci.reference import Reference
from navicert.resolve.artifact import Notes, ResolveOptions

_HERE: Final = "localhost"
"""The registry of images that were never pushed: podman and buildah call them so."""


def held(text: str, reference: Reference, options: ResolveOptions, notes: Notes) -> Image | None:
    """The image that an engine of this machine has as `text`, which is `reference`; None where none has it and it may
    be in its registry. Raises as `open_engine_image`."""
    from navicert.resolve.engine import open_engine_image

    try:
        image, program = open_engine_image(text, options.limits)
    except Unavailable:
        if reference.registry == _HERE:
            raise
        notes.add("looked up in its registry", str(reference))
        return None
    notes.add(f"saved by {program}", str(reference))
    return image


def pulled(reference: Reference, options: ResolveOptions) -> Image:
    """The image in its registry; its layers are not read. Raises as `resolve_reference`."""
    from navicert.oci.access import Access
    from navicert.oci.registry import Registry
    from navicert.oci.remote import resolve_reference

    access = Access.from_environment(ca_file=options.ca_file, insecure=options.insecure)
    with Registry(reference.registry, access) as registry:
        return resolve_reference(registry, reference).image()
