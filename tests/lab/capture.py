# SPDX-License-Identifier: Apache-2.0
"""Packets on an interface, kept as pcap and checked by tshark."""

import os
import re

from .core import LabError, Process, run, sh, wait_for


class Capture:
    """tcpdump on one interface until stop()."""

    _count = 0

    def __init__(self, lab, netns, device, what=""):
        """`what`: a filter for tcpdump ("ospf" is understood)."""
        Capture._count += 1
        self.lab = lab
        self.path = lab.path("capture%d-%s.pcap" % (Capture._count, device))
        self.log = self.path[:-5] + ".log"
        self.count = 0
        self.process = Process(
            lab, "capture%d" % Capture._count,
            ["tcpdump", "-i", device, "-U", "-n", "-s", "0", "-Z", "root",
             "-w", self.path] + ("proto 89" if what == "ospf" else what).split(),
            netns=netns, log=self.log)
        wait_for("tcpdump to listen", self._listening)

    def _listening(self):
        self.process.require()
        with open(self.log) as f:
            return "listening on" in f.read()

    def stop(self):
        """Ends the capture; returns what tshark finds malformed or wrongly
        summed (a list of lines; empty is good) and sets self.count."""
        self.process.stop()
        with open(self.log) as f:
            found = re.search(r"(\d+) packets? captured", f.read())
        self.count = int(found.group(1)) if found else 0
        return self.problems()

    def problems(self):
        out = run(["tshark", "-r", self.path, "-n", "-o",
                   "ip.check_checksum:TRUE", "-Y",
                   "_ws.malformed || _ws.expert.severity == error || "
                   "ip.checksum.status == Bad"],
                  check=False, timeout=60)      # OSPF's own sum: an expert error
        if out.returncode != 0:
            raise LabError("tshark: " + out.stderr)
        return [line for line in out.stdout.splitlines() if line.strip()]

    def fields(self, filter, *names):
        """Rows of field values of the packets that match a display filter."""
        argv = ["tshark", "-r", self.path, "-n", "-Y", filter, "-T", "fields"]
        for name in names:
            argv += ["-e", name]
        return [line.split("\t") for line in
                sh(argv, timeout=60).splitlines()]

    def save(self, path):
        os.replace(self.path, path)
