# SPDX-License-Identifier: Apache-2.0
"""What bridges take for a change by themselves: one group, in a bundle that
is ready and written straight to each of them.  No controller can be faster."""

import socket
import struct
import time

from lab import LabError

GROUP = 0x7ffffff0      # nobody else's
HELLO, GROUP_MOD, BUNDLE_CONTROL, BUNDLE_ADD = 0, 15, 33, 34
OPEN, COMMIT, ATOMIC_ORDERED = 0, 4, 3


def message(kind, body=b""):
    return struct.pack("!BBHI", 6, kind, 8 + len(body), 1) + body


def bundle(serial, add):
    """A whole bundle that adds or deletes the group."""
    bucket = struct.pack("!HHI", 8, 0, 1) if add else b""
    group = message(GROUP_MOD, struct.pack(
        "!HBBIHHI", 0 if add else 2, 2, 0, GROUP, len(bucket), 0,
        0xffffffff) + bucket)
    head = struct.pack("!IHH", serial, 0, ATOMIC_ORDERED)

    def control(kind):
        return message(BUNDLE_CONTROL, struct.pack("!IHH", serial, kind,
                                                   ATOMIC_ORDERED))
    return control(OPEN) + message(BUNDLE_ADD, head + group) + control(COMMIT)


class Bridges:
    """OpenFlow sessions to bridges of one's own."""

    def __init__(self, bridges):
        self.names = list(bridges)
        self._serial = 0
        self._sockets = []
        for path in bridges.values():
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10)
            s.connect(path)
            s.sendall(message(HELLO))
            if not s.recv(65536):
                raise LabError("%s closed the session" % path)
            self._sockets.append(s)

    def change(self, watch, i):
        self._serial += 1
        data = bundle(self._serial, i)
        t0 = time.monotonic_ns()
        for s in self._sockets:
            s.sendall(data)
        last = watch.all_changed(t0, self.names,
                                 lambda kind, detail: kind == "group")
        self._drain()
        return last - t0

    def _drain(self):
        """Reads the bridges' answers, so that they never wait for us."""
        for s in self._sockets:
            s.setblocking(False)
            try:
                while s.recv(65536):
                    pass
            except BlockingIOError:
                pass
            s.setblocking(True)

    def close(self):
        for s in self._sockets:
            s.close()
