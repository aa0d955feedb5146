"""Binding the target: that what is about to be used is what the chain produced.

Found beside an image is never bound to it: only a digest that a judged step (or an inspection whose rules tie it to
one) reports binds.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.digest import DigestSet
from navicert.model.artifact import Artifacts
from navicert.verdict import Check, at_least, failed, passed
from navicert.verify.case import Part, Revocations, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@dataclass(frozen=True, slots=True, init=False)
class Products:
    """What one step or inspection reports as produced; `source` names it for people."""

    source: str
    artifacts: Artifacts

    def __init__(self, source: str, artifacts: Mapping[str, DigestSet]) -> None:
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "artifacts", Artifacts.of(artifacts))

    def by_digest(self) -> dict[str, list[str]]:
        """SHA-256 (lower-case hex) → the paths that have it."""
        index: dict[str, list[str]] = {}
        for path in self.artifacts:
            entry = self.artifacts.entries[path]
            if isinstance(entry, str):
                index.setdefault(entry, []).append(path)
                continue
            for digest in entry.strong:
                if digest.algorithm == "sha256":
                    index.setdefault(digest.hex, []).append(path)
        return index


def is_bound(target: Target, products: Products) -> bool:
    """Whether `products` alone bind the whole of `target`: all of it by digests, or all of it by text files."""
    index = products.by_digest()
    return any(_recorded_as(target, index, by_text=by_text) for by_text in (False, True))


def bound_by_digest(target: Target, products: Products) -> list[str]:
    """What of `products` binds the whole of `target` by digests, no text files; nothing where it is not bound."""
    return _recorded_as(target, products.by_digest(), by_text=False)


def may_be_bound(target: Target, digests: Collection[str]) -> bool:
    """Whether files with these `digests` (SHA-256, hex) could bind `target`, whatever their paths."""

    def there(part: Part) -> bool:
        return any(digest in digests for digest in (*part.digests, *part.texts))

    if target.whole is not None and there(target.whole):
        return True
    return bool(target.parts) and all(there(part) for part in target.parts)


def _recorded_as(target: Target, index: Mapping[str, list[str]], *, by_text: bool) -> list[str]:
    """The paths that bind the whole of `target`; none where it is not bound."""
    find = _text if by_text else _direct
    whole = None if target.whole is None else find(target.whole, index)
    if whole is not None:
        return [whole]
    if _missing(target, index, by_text=by_text):
        return []
    return sorted({path for part in target.parts if (path := find(part, index)) is not None})


def _direct(part: Part, index: Mapping[str, list[str]]) -> str | None:
    for digest in sorted(part.digests):
        for path in index.get(digest, ()):
            if part.path is None or path == part.path or path.endswith("/" + part.path):
                return path
    return None


def _text(part: Part, index: Mapping[str, list[str]]) -> str | None:
    return next((index[digest][0] for digest in sorted(part.texts) if digest in index), None)


def _missing(target: Target, index: Mapping[str, list[str]], *, by_text: bool) -> list[Part]:
    """The parts of `target` that are not recorded."""
    find = _text if by_text else _direct
    missing = [part for part in target.parts if find(part, index) is None]
    if missing or by_text or target.kind != "directory":
        return missing
    # The files of a directory must all lie in one recorded folder: two files that changed places are not the same.
    folders: set[str] | None = None
    for part in target.parts:
        if part.path is None:
            return [part]
        here = {
            path[: len(path) - len(part.path)]
            for digest in part.digests
            for path in index.get(digest, ())
            if path == part.path or path.endswith("/" + part.path)
        }
        folders = here if folders is None else folders & here
        if not folders:
            return [part]
    return []


def judge_target(target: Target, offers: Iterable[Products], others: Iterable[Products]) -> Check:
    """The check `target.bound`. `offers` may bind; `others` are looked at only to say what was found elsewhere."""
    offers = tuple(offers)
    children: list[Check] = []
    for products in offers:
        index = products.by_digest()
        children += [_judge(target, products, index, by_text=by_text) for by_text in (False, True)]
    where = ", ".join(products.source for products in offers) or "nothing"
    if any(child.outcome.passes for child in children):
        reason = f"{target.kind} {target.name} is what the chain produced"
    else:
        reason = f"{target.kind} {target.name} is not among the products of {where}{_elsewhere(target, others)}"
    facts = {"target": target.name, "kind": target.kind, "digests": _digests(target), "offered": _offered(offers)}
    return at_least(
        1, "target.bound", target.name, tuple(children), reason, facts=facts, spec="navicert target binding"
    )


def _judge(target: Target, products: Products, index: Mapping[str, list[str]], *, by_text: bool) -> Check:
    id = "target.digest-file" if by_text else "target.digest"
    found = _recorded_as(target, index, by_text=by_text)
    if found:
        how = "its digest is recorded in the text file" if by_text else "recorded as"
        return passed(id, products.source, f"{how} {', '.join(found[:5])}")
    missing = [part.label for part in _missing(target, index, by_text=by_text)]
    what = "no text file holds an id of" if by_text else "no product has the digest of"
    facts: dict[str, object] = {"missing": missing[:20]}
    if not by_text:
        facts["artifacts"] = _recorded(target, missing, products)[:20]
    return failed(id, products.source, f"{what} {', '.join(missing[:5]) or target.name}", facts=facts)


def _recorded(target: Target, missing: list[str], products: Products) -> list[dict[str, object]]:
    """What was recorded under the name of each missing part, beside what it really is."""
    entries: list[dict[str, object]] = []
    for part in (part for part in target.parts if part.label in missing):
        actual = ", ".join(f"sha256:{digest}" for digest in sorted(part.digests))
        for path, digests in products.artifacts.items():
            # Of an image, what runs: the other digests of a platform follow from it or are lost in conversion.
            name = f"{part.label}/content" if target.kind == "image" else part.label
            if path == name or path.endswith("/" + name):
                found = "another image" if target.kind == "image" else actual
                entries.append({"path": path, "expected": str(digests), "actual": found, "agreed": products.source})
    return entries


def _elsewhere(target: Target, others: Iterable[Products]) -> str:
    for products in others:
        if is_bound(target, products):
            return f"; it is a product of {products.source}"
    return ""


def _digests(target: Target) -> list[str]:
    parts = target.parts if target.whole is None else (target.whole, *target.parts)
    return [f"{part.label} sha256:{digest}" for part in parts[:20] for digest in sorted(part.digests)]


def _offered(offers: Iterable[Products]) -> list[str]:
    return [f"{path} {digests}" for products in offers for path, digests in list(products.artifacts.items())[:20]][:20]


def judge_revoked(target: Target, revoked: Revocations) -> Check | None:
    """The check `target.revoked` where some digest of `target` is denied; None where none is."""
    parts = target.parts if target.whole is None else (target.whole, *target.parts)
    denied = [f"sha256:{d}" for part in parts for d in part.digests if f"sha256:{d}" in revoked.digests]
    if not denied:
        return None
    return failed("target.revoked", target.name, f"digest {sorted(denied)[0]} is revoked")
