"""What a program of ours arranges for its process."""

from __future__ import annotations

import subprocess
import sys

LITTLE_MEMORY = """
import resource
from navicert.cli import process

page, taken = resource.getpagesize(), int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (taken * page + 8 * 1024 * 1024,) * 2)
try:
    bytes(process._LARGEST_PIECE)
    print("there is enough")
except MemoryError:
    print("there is little")
process.settle()
print("it goes on")
"""


def test_where_memory_is_limited_a_program_begins_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", LITTLE_MEMORY], capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (["there is little", "it goes on"], "")
