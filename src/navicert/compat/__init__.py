"""A drop-in for in-toto: its programs, and the modules that scripts import as `in_toto` and `securesystemslib`."""

# The programs come through here too, and do not need what scripts need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.compat.finder import install, installed, uninstall

__all__ = ["install", "installed", "uninstall"]


def __getattr__(name: str) -> object:
    """What `navicert.compat.finder` has under that name, loaded now. Spec: PEP 562."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from navicert.compat import finder

    value: object = getattr(finder, name)
    return value
