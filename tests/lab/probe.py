# SPDX-License-Identifier: Apache-2.0
"""Probes every 2 ms between nodes and servers (see probe.c)."""

import json
import os
import subprocess
import threading

from .core import LabError, Process, SOURCE, now, run

_build_lock = threading.Lock()


def program(lab):
    """The probe: the one built by make, or one compiled for this lab."""
    for top in filter(None, (os.environ.get("TOLLWAY_BUILD"), os.getcwd(),
                             SOURCE)):
        built = os.path.join(top, "tests", "lab", "probe")
        if os.path.isfile(built) and os.access(built, os.X_OK):
            return built
    own = lab.path("probe")
    with _build_lock:
        if not os.path.exists(own):
            run([os.environ.get("CC", "cc"), "-O2", "-o", own + ".new",
                 os.path.join(SOURCE, "tests", "lab", "probe.c")])
            os.rename(own + ".new", own)
    return own


class Responder:
    """Answers probes at an endpoint, from the address they were sent to."""

    def __init__(self, endpoint, port=9000):
        self.process = Process(
            endpoint.lab, "%s-responder%d" % (endpoint.name, port),
            [program(endpoint.lab), "respond", str(port)], netns=endpoint.ns)

    def stop(self):
        self.process.kill()


class Prober:
    """Sends numbered UDP probes from an endpoint and counts the answers.

    snapshot() tells what happened so far, stop() also waits (0.3 s at most)
    for answers under way:

        sent, received, lost     probes
        gap_ms                   longest time without an answer that arrived
        rtt_ms, rtt_max_ms       median and largest round trip
        lost_ranges              [[first, last], ...] of the numbers lost
        lost_at_s                when the first one lost was sent, since start
    """

    _count = 0

    def __init__(self, endpoint, target, port=9000, interval_us=2000,
                 source_port=0):
        Prober._count += 1
        self.started = now()
        self.process = Process(
            endpoint.lab, "%s-prober%d" % (endpoint.name, Prober._count),
            [program(endpoint.lab), "send", target, str(port),
             str(interval_us), str(source_port)],
            netns=endpoint.ns, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # Unbuffered pipes would lose nothing here: one line per answer.
        self._in = self.process.popen.stdin
        self._out = self.process.popen.stdout

    def _ask(self, word):
        try:
            self._in.write(word + b"\n")
            self._in.flush()
            line = self._out.readline()
        except OSError as error:
            raise LabError("prober: %s" % error)
        if not line:
            raise LabError("the prober ended: " + self.process.tail())
        return json.loads(line)

    def snapshot(self):
        return self._ask(b"snapshot")

    def mark(self):
        """Forgets what was: counts and gaps begin anew with the next probe."""
        return self._ask(b"mark")

    def stop(self):
        result = self._ask(b"stop")
        self.process.wait(5)
        self._in.close()
        self._out.close()
        return result
