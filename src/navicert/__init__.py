"""Navicert: records, signs and judges every step of a container build, as in-toto layouts, links and attestations.

The names below are the whole public surface for programs; each is loaded when it is first used, so that importing
the package costs next to nothing. In ten lines (they are in the README): load a key with `load_signer`, `record`
a command, `seal` its link and put it into a `DirectoryStore`; open a `Policy`, `gather` the evidence for it, and
`verify` the `Case`, which returns a `Verdict` that explains itself.
"""

import sys
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "Case",
    "Check",
    "DirectoryStore",
    "Envelope",
    "IdentityPolicy",
    "Inspection",
    "Key",
    "Keyless",
    "Layout",
    "LimitExceeded",
    "Link",
    "Malformed",
    "NavicertError",
    "Outcome",
    "Owners",
    "Policy",
    "Profile",
    "Recall",
    "Refused",
    "Rule",
    "Signer",
    "Statement",
    "Step",
    "TrustedRoot",
    "Unavailable",
    "Verdict",
    "VerificationFailed",
    "World",
    "evaluate",
    "gather",
    "judge_bundle",
    "load_public_key",
    "load_signer",
    "open_bundle",
    "open_document",
    "open_store",
    "open_target",
    "open_trusted_root",
    "record",
    "seal",
    "sign",
    "verify",
]

# Type checkers take this name for true; the interpreter never loads what follows, nor `typing`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.crypto.formats import load_public_key, load_signer
    from navicert.crypto.key import Key
    from navicert.crypto.signer import Signer
    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.envelope.bundle import open_bundle
    from navicert.envelope.document import Sealed as Envelope
    from navicert.envelope.document import add_signatures as sign
    from navicert.envelope.document import open_document, seal
    from navicert.errors import LimitExceeded, Malformed, NavicertError, Refused, Unavailable, VerificationFailed
    from navicert.model.identity import IdentityPolicy
    from navicert.model.layout import Inspection, Layout, Step
    from navicert.model.link import Link
    from navicert.model.rule import Rule
    from navicert.model.statement import Statement
    from navicert.record.recorder import World, record
    from navicert.resolve.target import open_target
    from navicert.store.directory import DirectoryStore
    from navicert.store.gather import gather
    from navicert.store.recall import Recall
    from navicert.store.uri import open_store
    from navicert.trust.sigstore import open_trusted_root
    from navicert.verdict import Check, Outcome, Verdict
    from navicert.verify.bundle import judge_bundle
    from navicert.verify.case import Case, Policy
    from navicert.verify.evaluate import evaluate, verify
    from navicert.verify.keyless import Keyless
    from navicert.verify.ownership import Owners
    from navicert.verify.profile import Profile

# Where each public name lives: its module, and its name there if it has another one.
_HOME = {
    "Case": "navicert.verify.case",
    "Check": "navicert.verdict",
    "DirectoryStore": "navicert.store.directory",
    "Envelope": "navicert.envelope.document:Sealed",
    "IdentityPolicy": "navicert.model.identity",
    "Inspection": "navicert.model.layout",
    "Key": "navicert.crypto.key",
    "Keyless": "navicert.verify.keyless",
    "Layout": "navicert.model.layout",
    "LimitExceeded": "navicert.errors",
    "Link": "navicert.model.link",
    "Malformed": "navicert.errors",
    "NavicertError": "navicert.errors",
    "Outcome": "navicert.verdict",
    "Owners": "navicert.verify.ownership",
    "Policy": "navicert.verify.case",
    "Profile": "navicert.verify.profile",
    "Recall": "navicert.store.recall",
    "Refused": "navicert.errors",
    "Rule": "navicert.model.rule",
    "Signer": "navicert.crypto.signer",
    "Statement": "navicert.model.statement",
    "Step": "navicert.model.layout",
    "TrustedRoot": "navicert.crypto.trusted_root",
    "Unavailable": "navicert.errors",
    "Verdict": "navicert.verdict",
    "VerificationFailed": "navicert.errors",
    "World": "navicert.record.recorder",
    "evaluate": "navicert.verify.evaluate",
    "gather": "navicert.store.gather",
    "judge_bundle": "navicert.verify.bundle",
    "load_public_key": "navicert.crypto.formats",
    "load_signer": "navicert.crypto.formats",
    "open_bundle": "navicert.envelope.bundle",
    "open_document": "navicert.envelope.document",
    "open_store": "navicert.store.uri",
    "open_target": "navicert.resolve.target",
    "open_trusted_root": "navicert.trust.sigstore",
    "record": "navicert.record.recorder",
    "seal": "navicert.envelope.document",
    "sign": "navicert.envelope.document:add_signatures",
    "verify": "navicert.verify.evaluate",
}


def __getattr__(name: str) -> object:
    """The public object called `name`, loaded now. Spec: PEP 562."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Whoever asks here is a program of its own, and mostly does what it does more than once: then it pays to load what
    # is quicker with every digest and envelope. Our command lines ask elsewhere: see `navicert.digest.sha256_hex`.
    import hashlib  # noqa: F401
    from importlib import import_module

    import pybase64  # noqa: F401

    module, _, original = home.partition(":")
    value: object = getattr(import_module(module), original or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Facade(ModuleType):
    """This package's own type: `navicert.verify` and `navicert.record` stay the functions.

    Python binds a package of that name here as soon as one of its modules is imported, and which of the two a
    caller got would depend on what was imported before. The packages are reached by `from navicert.verify.case
    import Case`, which does not ask this object.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name in _HOME and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Facade
