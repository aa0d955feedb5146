"""Images in registries on the command line: how they are reached, and the evidence that lies beside them."""

from __future__ import annotations

from navicert.cli.terminal import complain
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from contextlib import ExitStack

    from navicert.limits import Limits
    from navicert.oci.access import Access
    from navicert.oci.image import Image
    from navicert.oci.reference import Reference
    from navicert.oci.registry import Registry
    from navicert.oci.remote import Resolved
    from navicert.oci.shelf import Placed
    from navicert.store.attachment import AttachmentSource
    from navicert.verify.case import Policy
    from navicert.verify.ownership import Owners

KINDS = "HOST/NAME:TAG, registry:REF, oci:DIR or oci-archive:FILE"
"""What names an image beside which evidence may lie, for people."""


def add_access(parser: argparse.ArgumentParser) -> None:
    """How registries are reached: `Images(args, …)`."""
    group = parser.add_argument_group("registries")
    group.add_argument("--ca-file", default="", metavar="PEM", help="trust these certificate authorities too")
    group.add_argument("--insecure", action="store_true", help="without TLS, or unchecked: on this machine only")


def access(args: argparse.Namespace) -> Access:
    """How registries are reached: the usual credential files, the proxies of the environment, and the options."""
    from navicert.oci.access import Access

    return Access.from_environment(ca_file=args.ca_file, insecure=args.insecure)


class Images:
    """Images by what the user wrote, each looked up once; what is opened for them is closed by `cleanup`."""

    def __init__(self, args: argparse.Namespace, cleanup: ExitStack) -> None:
        self._args = args
        self._cleanup = cleanup
        self._registries: dict[str, Registry] = {}
        self._placed: dict[str, Placed] = {}
        self._sources: dict[str, AttachmentSource] = {}

    def registry(self, name: str) -> Registry:
        """The registry called `name`."""
        from navicert.oci.registry import Registry

        if name not in self._registries:
            self._registries[name] = self._cleanup.enter_context(Registry(name, access(self._args)))
        return self._registries[name]

    def resolve(self, reference: Reference) -> Resolved:
        """What `reference` names now. Raises as `resolve_reference`."""
        from navicert.oci.answer import answering
        from navicert.oci.remote import resolve_reference

        registry = self.registry(reference.registry)
        with answering():
            return resolve_reference(registry, reference)

    def find(self, spec: str) -> Placed | None:
        """The image that `spec` names together with the place where its evidence lies: a reference. None where `spec`
        names something else. Raises `Malformed`, `Refused` and `Unavailable`."""
        from navicert.resolve.target import reference_of

        if spec not in self._placed:
            reference = reference_of(spec)
            if reference is None:
                return None
            self._placed[spec] = self.resolve(reference)
        return self._placed[spec]

    def need(self, spec: str) -> Placed:
        """The image that `spec` names with the place where its evidence lies: a reference, or an image of a layout as
        `oci:DIR` or `oci-archive:FILE`. Raises as `find`, and `Malformed` for anything else."""
        found = self.find(spec)
        medium = spec.partition(":")[0]
        if found is None and medium in ("oci", "oci-archive"):
            from navicert.oci.local import place_layout
            from navicert.resolve.image import parse_image_location

            location = parse_image_location(spec)
            found = place_layout(location.path, location.reference, self._cleanup, archive=medium == "oci-archive")
            self._placed[spec] = found
        if found is None:
            raise Malformed("not an image beside which evidence may lie", path=spec, expected=KINDS)
        return found

    def cargo(self, spec: str) -> Placed:
        """The image that `spec` names, to be copied: also one in a docker-archive, beside which nothing can lie. Raises
        as `need`."""
        if spec.partition(":")[0] != "docker-archive" or self.find(spec) is not None:
            return self.need(spec)
        from navicert.oci.saved import place_saved
        from navicert.resolve.image import parse_image_location

        location = parse_image_location(spec)
        return place_saved(location.path, location.reference, self._cleanup)

    def source(self, spec: str) -> AttachmentSource:
        """The evidence beside the image that `spec` names, as a source. Raises as `need`."""
        from navicert.cli.meter import Meter
        from navicert.store.attachment import AttachmentSource

        if spec not in self._sources:
            self._sources[spec] = AttachmentSource(self.need(spec), progress=Meter.of(self._args).fetched)
        return self._sources[spec]


def check_layers(placed: Placed, image: Image) -> None:
    """Read every layer of `image` once. Raises `Unavailable`, also where one is not what the image says it is: then
    nothing is known about what would run."""
    from navicert.oci.answer import answering

    with answering():
        placed.check_layers(image)


def attached_policies(source: AttachmentSource, owners: Owners, limits: Limits) -> list[Policy]:
    """The layouts attached to an image that an owner signed, the newest version first; without any of these a few
    others, so that a verdict can say what is wrong with them. What is no layout is said, and passed over."""
    found = []
    for origin, raw in source.layouts().items():
        try:
            found.append(owners.open(raw, path=origin, limits=limits))
        except Malformed as error:
            complain(f"warning: not a layout: {error}")
    signed = [policy for policy in found if policy.verified is not None]
    return sorted(signed, key=_version, reverse=True) or found[: limits.report_items]


def _version(policy: Policy) -> int:
    from navicert.model.layout import Layout

    body = None if policy.verified is None else policy.verified.body
    return (body.release.version or 0) if isinstance(body, Layout) else 0
