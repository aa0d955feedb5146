"""Facts about the machine and what was measured on it: figures mean nothing without them."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.installation import ROOT
from bench.workload import Programs


def facts(programs: Programs) -> dict[str, object]:
    """Processor, memory, versions, the commit, the time."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "kernel": f"{platform.system()} {platform.release()}",
        "python": _said(str(programs.ours / "python"), "-I", "-c", "import platform; print(platform.python_version())"),
        "upstream_python": _said(
            str(programs.upstream / "python"), "-I", "-c", "import platform; print(platform.python_version())"
        ),
        "python_openssl": _said(str(programs.ours / "python"), "-I", "-c", "import ssl; print(ssl.OPENSSL_VERSION)"),
        "openssl": _said("openssl", "version"),
        "navicert": _said(str(programs.ours / "navicert"), "--version"),
        "upstream": _said(str(programs.upstream / "in-toto-run"), "--version"),
    }


def load() -> tuple[float, float, float]:
    """The load average over 1, 5 and 15 minutes: processes that run or wait for a disk."""
    one, five, fifteen = os.getloadavg()
    return round(one, 2), round(five, 2), round(fifteen, 2)


def processor() -> str:
    """The processor's name."""
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def commit() -> str:
    """The commit that this tree is at, with a plus sign where it was changed since."""
    commit = _said("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
    return commit + ("+" if _said("git", "-C", str(ROOT), "status", "--porcelain", "-uno") else "") if commit else ""


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
