# SPDX-License-Identifier: Apache-2.0
"""Cleans up after a lab that died without doing so itself.

Started by Lab with the read end of a pipe as standard input.  The word "done"
means that the lab took itself down; the end of the pipe without it means that
the lab was killed, and then everything in its journal is removed.  A process is
killed only if it still has the start time written down, so never a later
process that happens to have the same ID."""

import os
import shutil
import signal
import subprocess
import sys


def start_ticks(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def main():
    directory = sys.argv[1]
    said = b""
    while True:
        data = os.read(0, 64)
        if not data:
            break
        said += data
    if said.startswith(b"done"):
        return
    with open(os.path.join(directory, "journal")) as f:
        entries = [line.split() for line in f]
    for entry in reversed(entries):
        if entry[0] == "pid" and start_ticks(int(entry[1])) == entry[2]:
            os.kill(int(entry[1]), signal.SIGKILL)
    names = [e[1] for e in reversed(entries) if e[0] == "netns"]
    inodes = set()
    for name in names:
        try:
            inodes.add(os.stat("/var/run/netns/" + name).st_ino)
        except OSError:
            pass
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat("/proc/%s/ns/net" % pid).st_ino in inodes:
                os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass
    for name in names:
        subprocess.call(["ip", "netns", "del", name])
    for entry in entries:
        if entry[0] == "path":
            shutil.rmtree(entry[1], ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


main()
