"""Identities without keys: who a certificate of Sigstore says has signed, and which of them a policy means.

A certificate authority such as Fulcio names whoever proved to an issuer who they are: the issuer (an OpenID Connect
provider), the name it knows them by (the certificate's subject alternative name, SAN), and claims about a workflow.
Spec: sigstore/fulcio, oid-info.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.expression import Expression
from navicert.model.field import as_object, as_text, required
from navicert.model.principal import Principal
from navicert.strictjson import canonical, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

ARC: Final = "1.3.6.1.4.1.57264.1."
"""What the object identifiers of all claims begin with."""

CLAIMS: Final[Mapping[str, str]] = {
    "2": "githubWorkflowTrigger",
    "3": "githubWorkflowSHA",
    "4": "githubWorkflowName",
    "5": "githubWorkflowRepository",
    "6": "githubWorkflowRef",
    "9": "buildSignerURI",
    "10": "buildSignerDigest",
    "11": "runnerEnvironment",
    "12": "sourceRepositoryURI",
    "13": "sourceRepositoryDigest",
    "14": "sourceRepositoryRef",
    "15": "sourceRepositoryIdentifier",
    "16": "sourceRepositoryOwnerURI",
    "17": "sourceRepositoryOwnerIdentifier",
    "18": "buildConfigURI",
    "19": "buildConfigDigest",
    "20": "buildTrigger",
    "21": "runInvocationURI",
    "22": "sourceRepositoryVisibilityAtSigning",
    "23": "deploymentEnvironment",
    "24": "tokenSubject",
}
"""Last number of a claim's object identifier → its name. Numbers 1 and 8 are the issuer, 7 a form of SAN."""

_NAMES: Final = frozenset(CLAIMS.values())
_LONGEST: Final = 4096
"""One name, issuer or claim; real ones have some hundred characters."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed, by a certificate: `san` is the name, `issuer` who vouches for it, `claims` what else was certified,
    by the names of `CLAIMS`.

    Two certificates of one workflow are the same principal, whatever else they claim.
    """

    issuer: str
    san: str
    claims: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.issuer or not self.san:
            raise Malformed("an identity has a name and an issuer", expected="neither to be empty")

    @property
    def principal(self) -> Principal:
        """Whom a signature by this identity counts for where no person is declared."""
        return Principal("sigstore", canonical([self.issuer, self.san]).decode(), self.san)

    def __hash__(self) -> int:
        return hash((self.issuer, self.san))

    def __str__(self) -> str:
        return f"{self.san} ({self.issuer})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one value of an identity must be: exactly `text`, or described by it as a whole, as an expression."""

    text: str
    expression: Expression | None = None

    @staticmethod
    def exactly(text: str) -> Wanted:
        """Only `text` itself. Raises `Malformed` for an empty text: what asks for nothing must not look like a
        check."""
        if not text or len(text) > _LONGEST:
            raise Malformed(
                "not a usable constraint on an identity",
                expected=f"1 to {_LONGEST} characters",
                got=f"{len(text)} characters",
                remedy="leave the constraint out, or say what is wanted",
            )
        return Wanted(text)

    @staticmethod
    def matching(text: str) -> Wanted:
        """Whatever the expression `text` describes as a whole. Raises `Malformed`."""
        return Wanted(text, Expression.of(text))

    @staticmethod
    def from_json(value: object, where: str) -> Wanted:
        """A string is exact; `{"matches": "…"}` is an expression. Raises `Malformed` for all else."""
        try:
            if isinstance(value, str):
                return Wanted.exactly(value)
            document = as_object(value, where)
            odd = sorted(document.keys() - {"matches"})
            if odd:
                raise Malformed("unknown field", expected='"matches" alone', got=repr(odd[0])[:60])
            return Wanted.matching(as_text(required(document, "matches", where), f"{where}/matches"))
        except Malformed as error:
            error.pointer = error.pointer or where
            raise

    def to_json(self) -> object:
        """What `from_json` reads."""
        return self.text if self.expression is None else {"matches": self.text}

    def accepts(self, value: str | None) -> bool:
        """Whether `value` is wanted. What is missing never is."""
        if not value or len(value) > _LONGEST:
            return False
        return value == self.text if self.expression is None else self.expression.matches(value)

    def __str__(self) -> str:
        return f'"{self.text}"' if self.expression is None else f"what matches {self.text}"


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """Which identities are meant: every constraint must hold. Name and issuer are always constrained, because each
    alone says nothing: anyone can have any name at an issuer of their own."""

    san: Wanted
    issuer: Wanted
    claims: Mapping[str, Wanted] = field(default_factory=dict)

    @staticmethod
    def exactly(san: str, issuer: str, **claims: str) -> IdentityPolicy:
        """Exactly this identity. Raises `Malformed` for an empty constraint and for a claim that does not exist."""
        return IdentityPolicy(
            Wanted.exactly(san),
            Wanted.exactly(issuer),
            {claim_name(name): Wanted.exactly(value) for name, value in claims.items()},
        )

    @staticmethod
    def from_json(value: object, where: str) -> IdentityPolicy:
        """The policy of `{"identity": …, "issuer": …, "claims": {NAME: …}}`, each a constraint as in
        `Wanted.from_json`. Raises `Malformed` for missing, empty and unknown ones."""
        document = as_object(value, where)
        odd = sorted(document.keys() - {"identity", "issuer", "claims"})
        if odd:
            raise Malformed("unknown constraint", pointer=where, expected="identity, issuer, claims", got=repr(odd[0]))
        claims: dict[str, Wanted] = {}
        for name, wanted in as_object(document.get("claims", {}), f"{where}/claims").items():
            place = pointer(f"{where}/claims", name)
            known = claim_name(name, place)
            if known in claims:
                raise Malformed("one claim constrained twice", pointer=place, got=known)
            claims[known] = Wanted.from_json(wanted, place)
        if "claims" in document and not claims:
            raise Malformed("empty constraint", pointer=f"{where}/claims", remedy="leave it out, or name a claim")
        return IdentityPolicy(
            Wanted.from_json(required(document, "identity", where), f"{where}/identity"),
            Wanted.from_json(required(document, "issuer", where), f"{where}/issuer"),
            claims,
        )

    def to_json(self) -> dict[str, object]:
        """What `from_json` reads."""
        document: dict[str, object] = {"identity": self.san.to_json(), "issuer": self.issuer.to_json()}
        if self.claims:
            document["claims"] = {name: wanted.to_json() for name, wanted in self.claims.items()}
        return document

    def objections(self, identity: Identity) -> tuple[str, ...]:
        """Why `identity` is not meant, one sentence for each constraint that does not hold; empty where it is."""
        judged: list[tuple[str, Wanted, str | None]]
        judged = [("issuer", self.issuer, identity.issuer), ("identity", self.san, identity.san)]
        judged += [(name, wanted, identity.claims.get(name)) for name, wanted in self.claims.items()]
        return tuple(
            f"{name} is {_quoted(value)}, wanted is {wanted}"
            for name, wanted, value in judged
            if not wanted.accepts(value)
        )

    def accepts(self, identity: Identity) -> bool:
        """Whether `identity` is meant."""
        return not self.objections(identity)

    def names(self, identity: Identity) -> bool:
        """Whether name and issuer are meant, whatever else is claimed: who somebody is does not change with a claim."""
        return self.san.accepts(identity.san) and self.issuer.accepts(identity.issuer)

    def may_meet(self, other: IdentityPolicy) -> bool:
        """Whether one identity may be meant by both, as far as name and issuer tell; expressions mean many."""
        pairs = ((self.san, other.san), (self.issuer, other.issuer))
        return all(a.expression is not None or b.expression is not None or a.text == b.text for a, b in pairs)

    def __str__(self) -> str:
        more = "".join(f", {name} {wanted}" for name, wanted in self.claims.items())
        return f"{self.san} of {self.issuer}{more}"


def _quoted(value: str | None) -> str:
    return f'"{value}"' if value else "missing"


def claim_name(name: str, where: str = "") -> str:
    """The name of the claim that `name` means: one of `CLAIMS`, or its object identifier. Raises `Malformed`."""
    known = CLAIMS.get(name.removeprefix(ARC), "") if name.startswith(ARC) else name
    if known not in _NAMES:
        raise Malformed(
            "unknown claim of a certificate",
            pointer=where,
            expected=f"{', '.join(sorted(_NAMES)[:4])}, … or an object identifier {ARC}9 and following",
            got=repr(name)[:60],
        )
    return known
