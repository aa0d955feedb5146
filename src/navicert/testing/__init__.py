"""In-memory twins for tests: keys by name, a store, an inspector, and chains that read as sentences.

A registry is in `navicert.testing.registry`, and what it may do wrong in `navicert.testing.fault`.

Public, for tests of programs that build on Navicert. Everything is real but the place where it is kept: documents are
sealed, gathered from the store, their signatures checked, and judged by the same functions that the programs use::

    good = (
        chain()
        .step("build", by="bob", materials=["ALLOW src/*", "DISALLOW *"], products=["CREATE app", "DISALLOW *"])
        .link("build", materials={"src/main.c": b"int main;"}, products={"app": b"elf"})
    )
    assert good.verdict(target=file_target(b"elf")).passed
    assert not good.without("build").verdict().passed

Keys follow from their names and Ed25519 signs deterministically, so the same sentences give the same bytes everywhere.
The keys are as public as this file: never trust one outside a test.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from navicert.authoring.sentence import parse_command, parse_rule
from navicert.crypto.key import Key
from navicert.crypto.signer import MemorySigner, Signer
from navicert.dataclass import dataclass, field, replace
from navicert.digest import DigestSet, sha256
from navicert.envelope.document import seal
from navicert.model.field import as_keyid, as_name
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release
from navicert.model.rule import Rule
from navicert.store import Filing, Piece
from navicert.store.gather import gather
from navicert.store.hint import filed_traits, hint_of
from navicert.store.trait import Trait
from navicert.verdict import Verdict
from navicert.verify.case import Case, InspectionResult, Part, Policy, Target
from navicert.verify.evaluate import verify

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment that cases are judged for, unless another is given."""

LATER: Final = datetime(2027, 1, 1, tzinfo=UTC)
"""When layouts expire, unless another moment is given."""

Content = bytes | Mapping[str, str]
"""One artifact: its content (SHA-256 is recorded), or its digests by algorithm."""

Files = Mapping[str, Content]
"""Artifacts by path."""

By = str | Signer | Sequence[str | Signer]
"""Who signs, or may: names of people, each with the key that follows from the name, or signers."""

Rules = Sequence[str | Sequence[str]]
"""Artifact rules, each as one line or as its words."""

_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def signer(name: str, keytype: Literal["ed25519", "ecdsa"] = "ed25519") -> MemorySigner:
    """The signer called `name`: the same key wherever the same name is used. ECDSA is on P-256."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    seed = hashlib.sha256(f"navicert.testing {keytype} {name}".encode()).digest()
    if keytype == "ed25519":
        return MemorySigner.of(ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    number = int.from_bytes(seed, "big") % (_P256_ORDER - 1) + 1
    return MemorySigner.of(ec.derive_private_key(number, ec.SECP256R1()))


def key(name: str) -> Key:
    """The public Ed25519 key of `signer(name)`."""
    return signer(name).key


def digests(content: Content) -> DigestSet:
    """What is recorded for `content`."""
    return DigestSet.of({"sha256": sha256(content).hex} if isinstance(content, bytes) else content)


def artifacts(files: Files) -> dict[str, DigestSet]:
    """What is recorded for `files`."""
    return {path: digests(content) for path, content in files.items()}


def rules(lines: Rules) -> tuple[Rule, ...]:
    """The rules that `lines` spell."""
    return tuple(parse_rule(line) if isinstance(line, str) else Rule.parse(list(line)) for line in lines)


def file_target(content: bytes, name: str = "app") -> Target:
    """The target that is the file `name` with this content."""
    return Target(name, "file", (Part(name, frozenset({sha256(content).hex})),))


class MemoryStore:
    """A store in memory: what a folder of evidence would hold, under the same names; and it can be asked like a
    database."""

    def __init__(self, pieces: Iterable[Piece] = ()) -> None:
        self._pieces = list(pieces)

    def prepare(self) -> None:
        """There is always room."""

    def put(self, step: str, keyid: str, raw: bytes) -> str:
        """Keep `raw` as the evidence of `step` by `keyid`, in place of an earlier one, and return its name."""
        origin = f"{as_name(step, '')}.{as_keyid(keyid, '')[:8]}.link"
        self._pieces = [piece for piece in self._pieces if piece.origin != origin]
        self._pieces.append(Piece(origin, raw, step_hint=step))
        return origin

    def pieces(self) -> Iterator[Piece]:
        """Every document, in the order in which they were put."""
        return iter(tuple(self._pieces))

    def put_many(self, filings: Sequence[Filing]) -> list[str]:
        """Keep every document beside what there is, the same one in the same place once, and return their names."""
        origins = []
        for filing in filings:
            name = ".".join(part for part in (filing.step, filing.keyid[:8]) if part)
            origin = f"{'/'.join((*filing.scope, name))}@{sha256(filing.raw).hex[:12]}"
            piece = Piece(origin, filing.raw, None, filing.step, filing.scope)
            if piece not in self._pieces:
                self._pieces.append(piece)
            origins.append(origin)
        return origins

    def remove(self, pieces: Iterable[Piece]) -> int:
        """Remove exactly these pieces, and return how many were there."""
        gone = [piece for piece in pieces if piece in self._pieces]
        self._pieces = [piece for piece in self._pieces if piece not in gone]
        return len(gone)

    def close(self) -> None:
        """Nothing is held open."""

    # --- asked like a database: a document's number is its place ---------------------------------------------------

    def lookup(self, trait: Trait, texts: Sequence[str], *, step: str | None = None, most: int) -> dict[str, list[int]]:
        """For each of `texts` the newest documents with this trait. Spec: `Indexed`."""
        found: dict[str, list[int]] = {text: [] for text in texts}
        for number, piece in enumerate(self._pieces):
            having = {x for t, x, said in self._traits(piece) if t is trait and step in (None, said)}
            for text in having & found.keys():
                found[text].append(number)
        return {text: numbers[::-1][:most] for text, numbers in found.items()}

    def ranked(self, trait: Trait, texts: Sequence[str], *, step: str, most: int) -> list[int]:
        """The documents of `step` that have the most of `texts`. Spec: `Indexed`."""
        every = [n for ns in self.lookup(trait, texts, step=step, most=len(self._pieces)).values() for n in ns]
        return sorted(set(every), key=lambda number: (every.count(number), number), reverse=True)[:most]

    def fetch(self, numbers: Iterable[int]) -> Iterator[Piece]:
        """The documents with these numbers."""
        return (self._pieces[number] for number in numbers)

    def _traits(self, piece: Piece) -> set[tuple[Trait, str, str]]:
        hint = hint_of(piece)
        said = set(hint.traits())
        return said | {(trait, text, "") for trait, text in filed_traits(hint, piece.step_hint)}


class MemoryInspector:
    """An inspector that knows the results beforehand; `ran` lists the inspections that were asked for, in order."""

    def __init__(self, results: Mapping[str, InspectionResult]) -> None:
        self._results = dict(results)
        self.ran: list[str] = []

    def inspect(self, inspection: Inspection) -> InspectionResult:
        """The result given for `inspection`; a problem where none was given."""
        self.ran.append(inspection.name)
        return self._results.get(inspection.name) or InspectionResult(None, problem="no result was given for it")


@dataclass(frozen=True, slots=True)
class Chain:
    """A supply chain: its layout and the evidence for it. Every method returns a new one, so that a test can take a
    good chain and change one thing. `having` sets the fields that have no method of their own."""

    steps: tuple[Step, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    keys: Mapping[str, Signer] = field(default_factory=dict)
    """Id of the key (of a GPG subkey: of its master) → signer of every functionary that a step names."""
    filed: tuple[Piece, ...] = ()
    results: Mapping[str, InspectionResult] = field(default_factory=dict)
    """Inspection → what running it gives, sublayouts' included."""
    expires: datetime = LATER
    readme: str = ""
    owners: tuple[str, ...] = ("owner",)
    """Whom the verifier takes for the layout's owners, and who signs it."""
    form: str = "dsse"

    # --- the layout ------------------------------------------------------------------------------------------------

    def step(
        self,
        name: str,
        by: By,
        *,
        threshold: int = 1,
        materials: Rules = (),
        products: Rules = (),
        command: str = "",
    ) -> Chain:
        """This chain with one more step, which `by` may perform."""
        who = _signers(by)
        step = Step(
            name,
            threshold,
            tuple(one.key.id for one in who),
            parse_command(command),
            rules(materials),
            rules(products),
        )
        return replace(self, steps=(*self.steps, step), keys={**self.keys, **{one.key.id: one for one in who}})

    def inspection(self, name: str, *, run: str = "true", materials: Rules = (), products: Rules = ()) -> Chain:
        """This chain with one more inspection."""
        inspection = Inspection(name, parse_command(run), rules(materials), rules(products))
        return replace(self, inspections=(*self.inspections, inspection))

    def release(self, *, name: str = "", version: int | None = None, persons: Mapping[str, By] | None = None) -> Chain:
        """This chain with the signed line that says its name, version and whose keys are whose."""
        owned = {person: tuple(one.key.id for one in _signers(by)) for person, by in (persons or {}).items()}
        return replace(self, readme=Release(name, version, owned).append_to(self.readme))

    def having(self, **fields: Any) -> Chain:
        """This chain with other fields, such as `expires`, `readme`, `owners` or `form`."""
        return replace(self, **fields)

    # --- the evidence ----------------------------------------------------------------------------------------------

    def link(
        self,
        step: str,
        *,
        by: By | None = None,
        materials: Files | None = None,
        products: Files | None = None,
        command: str = "",
        byproducts: Mapping[str, object] | None = None,
        environment: Mapping[str, object] | None = None,
        name: str | None = None,
        form: str | None = None,
    ) -> Chain:
        """This chain with one more link, filed under `step`.

        `by` is its signers (the first functionary of the step, if left out); `name` is the signed name, where it is
        not that of the step.
        """
        body = Link(
            step if name is None else name,
            parse_command(command),
            artifacts(materials or {}),
            artifacts(products or {}),
            byproducts or {},
            environment or {},
        )
        who = self._functionary(step) if by is None else _signers(by)
        return self.file(seal(body, *who, form=form or self.form), step, who[0].keyid)

    def sublayout(self, step: str, inner: Chain, *, by: By | None = None) -> Chain:
        """This chain with the layout of `inner` standing for `step`, signed by `by`, and its evidence in the folder
        that belongs to it."""
        who = self._functionary(step) if by is None else _signers(by)
        folder = f"{step}.{who[0].keyid[:8]}"
        chain = self.file(seal(inner.layout(), *who, form=self.form), step, who[0].keyid)
        below = tuple(
            replace(piece, origin=f"{folder}/{piece.origin}", scope=(folder, *piece.scope)) for piece in inner.filed
        )
        return replace(chain, filed=(*chain.filed, *below), results={**chain.results, **inner.results})

    def file(self, raw: bytes, step: str | None, keyid: str = "", *, scope: Sequence[str] = ()) -> Chain:
        """This chain with any bytes filed as evidence: under a step, by a key, in the folders of `scope`."""
        origin = "/".join((*scope, f"{step or 'stray'}.{keyid[:8] or 'unknown'}.link"))
        taken = sum(piece.origin.partition("#")[0] == origin for piece in self.filed)
        piece = Piece(f"{origin}#{taken + 1}" if taken else origin, raw, step_hint=step, scope=tuple(scope))
        return replace(self, filed=(*self.filed, piece))

    def without(self, step: str) -> Chain:
        """This chain without any evidence filed under `step`; a sublayout goes with its folder."""
        filed = (
            piece
            for piece in self.filed
            if (piece.scope[0].rpartition(".")[0] if piece.scope else piece.step_hint) != step
        )
        return replace(self, filed=tuple(filed))

    def finds(
        self,
        inspection: str,
        *,
        return_value: int | None = 0,
        materials: Files | None = None,
        products: Files | None = None,
        output: str = "",
        problem: str = "",
    ) -> Chain:
        """This chain where running `inspection` gives this. Products are the materials, if left out."""
        before = artifacts(materials or {})
        after = before if products is None else artifacts(products)
        result = InspectionResult(return_value, before, after, output, problem)
        return replace(self, results={**self.results, inspection: result})

    def _functionary(self, step: str) -> tuple[Signer, ...]:
        """The first who may perform `step`."""
        return next((self.keys[item.pubkeys[0]],) for item in self.steps if item.name == step)

    # --- the verdict -----------------------------------------------------------------------------------------------

    def layout(self) -> Layout:
        """The layout, unsigned."""
        return Layout(
            self.expires,
            self.steps,
            self.inspections,
            {keyid: one.key.to_json() for keyid, one in self.keys.items()},
            self.readme,
        )

    def policy(self, *, signed_by: By | None = None, owners: By | None = None, need: int | None = None) -> Policy:
        """The layout signed by `signed_by`, judged as one of `owners` (both are `self.owners`, if left out)."""
        raw = seal(self.layout(), *_signers(self.owners if signed_by is None else signed_by), form=self.form)
        trusted = [one.key for one in _signers(self.owners if owners is None else owners)]
        return Policy.open(raw, trusted, need=need, path="root.layout")

    def store(self) -> MemoryStore:
        """The evidence in a store."""
        return MemoryStore(self.filed)

    def inspector(self) -> MemoryInspector:
        """An inspector that gives the results of `finds`."""
        return MemoryInspector(self.results)

    def case(self, policy: Policy | None = None, **fields: Any) -> Case:
        """The case: this policy (or another one), the evidence gathered from the store, and any other fields."""
        policy = policy or self.policy()
        gathered = gather(policy, [self.store()])
        case = Case(policy, NOW, gathered.exhibits, gathered.refused)
        return replace(case, **fields)

    def verdict(self, policy: Policy | None = None, **fields: Any) -> Verdict:
        """The verdict on `case(…)`, with the inspections run."""
        return verify(self.case(policy, **fields), self.inspector())


def chain() -> Chain:
    """An empty chain to begin with."""
    return Chain()


def _signers(by: By) -> tuple[Signer, ...]:
    if isinstance(by, str | Signer):
        by = (by,)
    return tuple(signer(one) if isinstance(one, str) else one for one in by)
