"""Makes `in_toto` and `securesystemslib` importable: names are led to the modules in `navicert.compat.shim`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Final

PACKAGES: Final = ("in_toto", "securesystemslib")

_SHIM: Final = "navicert.compat.shim"

# Public name below the package → the module below the shim's package, where it is called otherwise.
_RENAMED: Final = {
    "in_toto.common_args": "in_toto.argument",
    "in_toto.models.common": "in_toto.models.signable",
    # Before its release 1.0.
    "securesystemslib.gpg": "securesystemslib._gpg",
    "securesystemslib.gpg.constants": "securesystemslib._gpg.constants",
    "securesystemslib.gpg.exceptions": "securesystemslib._gpg.exceptions",
    "securesystemslib.gpg.functions": "securesystemslib._gpg.functions",
}
MODULES: Final = (
    "in_toto",
    "in_toto.common_args",
    "in_toto.exceptions",
    "in_toto.formats",
    "in_toto.in_toto_keygen",
    "in_toto.in_toto_match_products",
    "in_toto.in_toto_mock",
    "in_toto.in_toto_record",
    "in_toto.in_toto_run",
    "in_toto.in_toto_sign",
    "in_toto.in_toto_verify",
    "in_toto.log",
    "in_toto.models",
    "in_toto.models._signer",
    "in_toto.models.common",
    "in_toto.models.layout",
    "in_toto.models.link",
    "in_toto.models.metadata",
    "in_toto.resolver",
    "in_toto.resolver._resolver",
    "in_toto.rulelib",
    "in_toto.runlib",
    "in_toto.settings",
    "in_toto.verifylib",
    "securesystemslib",
    "securesystemslib._gpg",
    "securesystemslib._gpg.constants",
    "securesystemslib._gpg.exceptions",
    "securesystemslib._gpg.functions",
    "securesystemslib.dsse",
    "securesystemslib.exceptions",
    "securesystemslib.formats",
    "securesystemslib.gpg",
    "securesystemslib.gpg.constants",
    "securesystemslib.gpg.exceptions",
    "securesystemslib.gpg.functions",
    "securesystemslib.interface",
    "securesystemslib.signer",
)
"""Every name that can be imported."""


class _Alias:
    """Gives a module of the shim out under another name: the same object, so that what is patched is what is used."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of the shim."""
        module = importlib.import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Undo what the import system wrote into the module, which has run already."""
        module.__spec__ = self._spec
        if module.__name__ == f"{_SHIM}.in_toto":
            # Upstream's package sets up its logger; ours does so for scripts only.
            importlib.import_module(f"{_SHIM}.in_toto.log")


class _Finder:
    """Finds the names of `packages` in the shim, and nowhere else."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = tuple(packages)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where to load `fullname` from; None for names of others."""
        if fullname.partition(".")[0] not in self.packages:
            return None
        if fullname not in MODULES:
            raise ModuleNotFoundError(f"No module named {fullname!r} in navicert.compat", name=fullname)
        shim = f"{_SHIM}.{_RENAMED.get(fullname, fullname)}"
        found = importlib.util.find_spec(shim)
        package = found is not None and found.submodule_search_locations is not None
        return ModuleSpec(fullname, _Alias(shim), is_package=package)  # type: ignore[arg-type]  # a loader all the same


def install(force: bool = False) -> bool:
    """Make `in_toto` and `securesystemslib` importable in this process; whether both are Navicert's now.

    A package of that name that is installed, or imported already, is left alone, with a `RuntimeWarning` that says so;
    with `force` ours takes its place for every import from now on.
    """
    wanted = [package for package in PACKAGES if package not in installed()]
    if not force:
        others = [package for package in wanted if _is_there(package)]
        if others:
            warnings.warn(
                f"{' and '.join(others)}: what is installed is used, not Navicert; navicert.compat.install(force=True)"
                " takes its place",
                RuntimeWarning,
                stacklevel=2,
            )
        wanted = [package for package in wanted if package not in others]
    if wanted:
        _forget(wanted)
        # Before every other finder, so that an installed package is never found.
        sys.meta_path.insert(0, _Finder(wanted))
        importlib.invalidate_caches()
    return installed() == frozenset(PACKAGES)


def uninstall() -> None:
    """Undo `install`."""
    gone = installed()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    _forget(list(gone))


def installed() -> frozenset[str]:
    """The packages that `install` has made importable."""
    return frozenset(name for finder in sys.meta_path if isinstance(finder, _Finder) for name in finder.packages)


def _is_there(package: str) -> bool:
    if package in sys.modules:
        return True
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _forget(packages: Sequence[str]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]
