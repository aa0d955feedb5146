"""Runs one command and reports what it cost: `python -I -S launch.py REPORT OUT ERR FOLDER PROGRAM [ARGUMENT]...`.

A process of its own, and a small one: a new process begins with the peak memory of the one that started it, so the
runner itself would be seen in every figure. REPORT gets one line: status as from wait, user + system seconds of the
command and its children, seconds until its end, and KiB of resident memory at most.
"""

import posix
import sys
import time


def main(report: str, out: str, err: str, folder: str, *command: str) -> None:
    write = posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC
    actions = [
        (posix.POSIX_SPAWN_OPEN, 1, out, write, 0o600),
        (posix.POSIX_SPAWN_OPEN, 2, err, write, 0o600),
    ]
    posix.chdir(folder)
    start = time.perf_counter()
    child = posix.posix_spawn(command[0], command, posix.environ, file_actions=actions)
    _, status, usage = posix.wait4(child, 0)
    wall = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    with open(report, "w") as stream:
        stream.write(f"{status} {cpu:.6f} {wall:.6f} {usage.ru_maxrss}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
