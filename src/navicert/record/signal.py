"""The signals that recording has to do with: `system` is the module that has them.

For type checkers that is `signal`, at run time its compiled part, where they are numbers. `signal` makes enumerations
of them, which takes longer than to start a command.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as system
else:
    try:
        import _signal as system
    except ImportError:  # an interpreter without that part
        import signal as system

__all__ = ["system"]
