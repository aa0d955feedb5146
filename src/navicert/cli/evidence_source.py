"""Where a verification looks for evidence: beside the image, in stores, and in whatever else was named."""

from __future__ import annotations

import os

from navicert.cli import option
from navicert.cli.terminal import complain
from navicert.errors import Malformed, NavicertError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from navicert.cli.image import Images
    from navicert.limits import Limits
    from navicert.store import Piece, Source
    from navicert.store.attachment import AttachmentSource
    from navicert.verdict import Verdict
    from navicert.verify.case import Asked


class EvidenceSources:
    """The sources that `--store`, `--evidence-from` and an image in a registry give, the image's first.

    `sources` are to be read, `layouts` are those of packs that were named (name → bytes), and `attached` holds what
    lies beside images.
    """

    def __init__(self, args: argparse.Namespace, images: Images, cleanup: ExitStack, *, beside: str = "") -> None:
        self.layouts: dict[str, bytes] = {}
        self.attached: list[AttachmentSource] = []
        self._counted: list[_Counted] = []
        self._stores: list[tuple[str, Source]] = []
        self._seen: list[Asked] | None = None
        self.elsewhere: tuple[str, ...] = ()
        """What may be done about evidence that stores remember to have seen; known when they were asked."""
        self.sources: list[Source] = []
        bounds = option.limits(args)
        self._beside = beside
        if beside:
            self._attach(images, beside)
        given = list(dict.fromkeys(args.evidence_from or ()))
        stores = option.stores(args) if args.store or not given else ()
        opened = option.open_sources(args, cleanup) if stores else ()
        for uri, source in zip(dict.fromkeys(stores), opened, strict=True):
            self._add(uri, source)
        for uri in given:
            self._take(uri, images, bounds, cleanup)

    def asked(self) -> tuple[Asked, ...]:
        """Every place that was asked, and what it answered; nothing where only local stores were."""
        from navicert.verify.case import Asked

        if not self.attached:
            return ()
        beside = [Asked(place, answer) for source in self.attached for place, answer in source.asked()]
        return (*beside, *(Asked(one.name, one.answer) for one in self._counted), *self._remembered())

    def _remembered(self) -> list[Asked]:
        """What each store answers that was asked where it had seen evidence for the image. It is a hint: whatever it
        says, or that it cannot say anything, decides nothing."""
        from navicert.cli.sighting import remedy, remembered
        from navicert.verify.case import Asked

        if self._seen is None:
            self._seen = []
            remedies: dict[str, None] = {}
            for uri, store in self._stores if self._beside else ():
                try:
                    found = remembered(store, self.attached[0])
                except NavicertError as error:
                    self._seen.append(Asked(f"{uri} (memory)", f"cannot be read: {error}"))
                    continue
                if found is None:
                    continue
                remedies |= dict.fromkeys(remedy(one, self.attached[0], self._beside) for one in found)
                seen = "; ".join(f"seen at {one.place} on {one.at:%Y-%m-%d}" for one in found)
                self._seen.append(Asked(f"{uri} (memory)", seen or "none"))
            self.elsewhere = tuple(remedies)
        return self._seen

    def _attach(self, images: Images, spec: str) -> None:
        source = images.source(spec)
        if source not in self.attached:
            self.attached.append(source)
            self.sources.append(source)

    def _add(self, uri: str, source: Source) -> None:
        from navicert.store import Indexed

        self._stores.append((uri, source))
        counted = _Counted(uri, source)
        self._counted.append(counted)
        # An index is asked for a chain, and not read through.
        self.sources.append(source if isinstance(source, Indexed) else counted)

    def _take(self, uri: str, images: Images, bounds: Limits, cleanup: ExitStack) -> None:
        from navicert.resolve.target import reference_of
        from navicert.store.pack import PackSource
        from navicert.store.uri import BESIDE, open_source, scheme_of

        scheme = scheme_of(uri)
        if scheme == "pack" or (os.path.isfile(uri) and scheme not in BESIDE):
            pack = PackSource(uri if os.path.isfile(uri) else uri.partition(":")[2], bounds)
            self.layouts[f"{pack.path}(root.layout)"] = pack.pack.layout
            self._add(uri, pack)
        elif scheme in BESIDE or reference_of(uri) is not None:
            self._attach(images, uri)
        elif not scheme and not os.path.isdir(uri):
            raise Malformed(
                "no such place", path=uri, expected="registry:REF, oci:DIR, a folder, sqlite:FILE or a pack"
            )
        else:
            source = open_source(uri, bounds)
            cleanup.callback(source.close)
            self._add(uri, source)


class _Counted:
    """A source that counts what was read from it."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self._source = source
        self._count: int | None = None

    @property
    def answer(self) -> str:
        """What it gave."""
        if self._count is None:
            return "searched by its index"
        return f"{self._count} found" if self._count else "none"

    def pieces(self) -> Iterator[Piece]:
        """Those of the source."""
        self._count = 0
        for piece in self._source.pieces():
            self._count += 1
            yield piece


def explain_places(verdict: Verdict, elsewhere: Sequence[str] = ()) -> None:
    """Where nothing was found, say which places were asked, and what to do; `elsewhere` is what may be done about
    evidence that was seen at other places."""
    for _, check in verdict.root.walk():
        if check.id in ("evidence.found", "layout.none") and not check.outcome.passes:
            asked = check.facts.get("asked")
            explain_asked([(one["place"], one["answer"]) for one in asked] if isinstance(asked, list) else [])
            for remedy in elsewhere:
                complain(f"it was seen elsewhere – {remedy}")
            return


def explain_asked(asked: Sequence[tuple[str, str]]) -> None:
    """Say on standard error which places were asked, each on a line, and how evidence gets there."""
    for place, answer in asked:
        complain(f"asked {place}: {answer}")
    complain(
        "a tool that copies only the image leaves its evidence behind –"
        " navicert evidence copy SOURCE DESTINATION copies both"
    )
