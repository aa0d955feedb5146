"""`ExitStack`: for type checkers that of `contextlib`, at run time as much of it as this package uses.

`contextlib` takes longer to load than any module of ours that a verification needs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import ExitStack
else:

    class ExitStack:
        """Closes in the end what was opened on the way: the last first, and each whatever closing the others raises.
        Nothing that it closes can suppress an exception."""

        def __init__(self) -> None:
            self._closing = []

        def callback(self, close, /, *args, **kwargs):
            """Call `close` with the other arguments in the end."""
            self._closing.append(lambda *_: close(*args, **kwargs))
            return close

        def enter_context(self, resource):
            """What entering `resource` gives; it is left in the end."""
            entered = resource.__enter__()
            self._closing.append(resource.__exit__)
            return entered

        def __enter__(self):
            return self

        def __exit__(self, *error):
            if self._closing:
                try:
                    self._closing.pop()(*error)
                finally:
                    self.__exit__(*error)


__all__ = ["ExitStack"]
