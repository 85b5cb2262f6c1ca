# SPDX-License-Identifier: Apache-2.0
"""When bridges change, as told by the program watch (watch.c)."""

import queue
import subprocess
import threading
import time

from lab import LabError, Process
from lab.tollway import find


class Watch:
    """Changes of some bridges, from now on.

    An event is (time in ns of CLOCK_MONOTONIC, name of the bridge, kind,
    detail), where kind "flow" has the set of tables that changed and kind
    "group" the group's number."""

    def __init__(self, lab, bridges, name="watch"):
        """`bridges`: {name: management socket}"""
        self.names = list(bridges)
        self._events = queue.Queue()
        self.process = Process(
            lab, name, [find("watch", "tests/bench")]
            + ["%s=%s" % b for b in bridges.items()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._out = self.process.popen.stdout
        if self._out.readline().strip() != b"ready":
            raise LabError("watch: " + self.process.tail())
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._out:
            when, name, kind, detail = line.decode().split()
            self._events.put((int(when), name, kind,
                              set(map(int, detail.split(",")))
                              if kind == "flow" else int(detail)))

    def quiet(self, seconds, deadline=30.0):
        """Waits until nothing has changed for some time."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            try:
                self._events.get(timeout=seconds)
            except queue.Empty:
                return
        raise LabError("the bridges do not come to rest")

    def all_changed(self, t0, names, wanted, timeout=20.0):
        """Waits until each of the bridges `names` has had an event after `t0`
        (ns) for which wanted(kind, detail) is true; returns the time of the
        last bridge's first one."""
        missing, last, others = set(names), 0, []
        end = time.monotonic() + timeout
        while missing:
            try:
                self.process.require()
                when, name, kind, detail = self._events.get(
                    timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise LabError("what should have changed on %s has not within "
                               "%g s; what has: %s" % (
                                   ", ".join(sorted(missing)), timeout,
                                   others[:20] or "nothing"))
            if when > t0 and name in missing and wanted(kind, detail):
                missing.remove(name)
                last = max(last, when)
            else:
                others.append((name, kind, detail))
        return last

    def stop(self):
        self.process.popen.stdin.close()
        self.process.stop()
