"""The signals that recording has to do with, as numbers.

For type checkers they are those of `signal`; at run time they come from its compiled part. `signal` makes enumerations
of them, which takes longer than to start a command.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import (
        SIG_DFL,
        SIG_IGN,
        SIGCHLD,
        SIGHUP,
        SIGINT,
        SIGKILL,
        SIGPIPE,
        SIGQUIT,
        SIGTERM,
        SIGXFSZ,
        Signals,
        getsignal,
        signal,
    )
else:
    try:
        from _signal import (
            SIG_DFL,
            SIG_IGN,
            SIGCHLD,
            SIGHUP,
            SIGINT,
            SIGKILL,
            SIGPIPE,
            SIGQUIT,
            SIGTERM,
            SIGXFSZ,
            getsignal,
            signal,
        )
    except ImportError:  # an interpreter without that part
        from signal import (
            SIG_DFL,
            SIG_IGN,
            SIGCHLD,
            SIGHUP,
            SIGINT,
            SIGKILL,
            SIGPIPE,
            SIGQUIT,
            SIGTERM,
            SIGXFSZ,
            getsignal,
            signal,
        )
    Signals = int

__all__ = ["SIGCHLD", "SIGHUP", "SIGINT", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGTERM", "SIGXFSZ", "SIG_DFL", "SIG_IGN",
           "Signals", "getsignal", "signal"]  # fmt: skip
