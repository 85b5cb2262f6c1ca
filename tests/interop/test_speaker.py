# SPDX-License-Identifier: Apache-2.0
"""The OSPF speaker alone, on raw sockets (ospf-raw), with FRR and BIRD: what
concerns OSPF and nothing else, without hosts and bridges."""

import os
import re

from lab import (BirdRouter, FrrRouter, LabError, Ospf, Process, Segment,
                 ip_batch, now, wait_for)

OURS = "10.255.0.1"
EXTERNAL = "198.51.100.0/24"
STUB = "172.16.5.0/24"
KINDS = {"frr": FrrRouter, "bird": BirdRouter}


class Speaker:
    """One run of ospf-raw after the other, in one namespace."""

    def __init__(self, lab, segment, address):
        self.lab = lab
        self.ns = lab.netns("speaker")
        self.address = address
        segment.join(self.ns, "eth0")
        ip_batch(self.ns, ["addr add %s dev eth0" % address])
        self.runs = 0

    def start(self, *options, network_type="point-to-point"):
        self.runs += 1
        self.process = Process(
            self.lab, "speaker-%d" % self.runs,
            [os.path.join(os.environ.get("TOLLWAY_BUILD", "."),
                          "tests/interop/ospf-raw"), OURS, "seconds=100",
             "eth0=%s%s" % (self.address, ",broadcast"
                            if network_type == "broadcast" else ""),
             *options], netns=self.ns)

    def log(self):
        with open(self.process.log) as f:
            return f.read()

    def wait_log(self, pattern, timeout=20):
        wait_for("the speaker to say " + pattern,
                 lambda: re.search(pattern, self.log()), timeout)

    def stop(self):
        """Ends it and returns all that it printed."""
        code = self.process.stop()
        if code:
            raise LabError("ospf-raw ended with %s:\n%s" % (
                code, self.process.tail()))
        return self.log()


def expect(text, *lines):
    for line in lines:
        if line not in text:
            raise LabError("no %r in:\n%s" % (line, text))


def point_to_point(lab, kind):
    segment = Segment(lab, "wire")
    peer = KINDS[kind](lab, kind, "10.255.0.2")
    peer.lan(segment, "10.9.0.2/30", Ospf())
    peer.redistribute("kernel", metric=33)
    peer.own_prefix("203.0.113.0/24")
    peer.start()
    speaker = Speaker(lab, segment, "10.9.0.1/30")

    t = now()
    speaker.start("stub=%s,7" % STUB, "external=%s,e2,100" % EXTERNAL,
                  "external=198.51.100.0/25,e1,50")
    peer.wait_full(OURS)
    lab.measure("%s: process start to Full %.2f s" % (kind, now() - t))
    for prefix in STUB, EXTERNAL, "198.51.100.0/25":
        peer.wait_route(prefix, via="10.9.0.1")
    lab.measure("%s: process start to routes %.2f s" % (kind, now() - t))
    peer.own_prefix("203.0.114.0/24")
    # (BIRD sets the host bits of an external's link state ID.)
    wait_for("another external", lambda: "203.0.114." in str(
        peer.database("external") if kind == "frr"
        else peer.command("show ospf lsadb")))

    # Killed, and back without memory, saying something else.
    speaker.process.kill()
    speaker.start("stub=%s,9" % STUB, "external=%s,e2,101" % EXTERNAL)
    peer.wait_no_route("198.51.100.0/25", timeout=20)
    peer.wait_route(STUB, via="10.9.0.1")
    peer.wait_full(OURS)
    output = speaker.stop()
    expect(output, "203.0.113.0/24 E2 cost 33 distance 10 by 10.255.0.2 "
                   "via 10.9.0.2 from 10.9.0.1",
           "203.0.114.0/24 E2 cost 33", "a more recent copy of our own LSA")
    peer.wait_no_route(STUB)
    peer.wait_no_route(EXTERNAL)


def test_speaker_point_to_point_frr(lab):
    point_to_point(lab, "frr")


def test_speaker_point_to_point_bird(lab):
    point_to_point(lab, "bird")


def test_speaker_segment(lab):
    """FRR, BIRD and the speaker on one segment, each the designated router
    once."""
    segment = Segment(lab, "lan")
    speaker = Speaker(lab, segment, "10.9.0.1/24")
    for dr in "frr", "bird", "speaker":
        peers = {}
        for i, kind in enumerate(("frr", "bird"), 2):
            peer = KINDS[kind](lab, "%s-%s" % (kind, dr), "10.255.0.%d" % i)
            peer.lan(segment, "10.9.0.%d/24" % i, Ospf(
                network_type="broadcast", priority=9 if dr == kind else 1))
            peer.redistribute("kernel", metric=20 + i)
            peer.own_prefix("203.0.%d.0/24" % i)
            peers[kind] = peer
        lab.parallel(*(p.start for p in peers.values()))
        speaker.start("stub=%s,7" % STUB, "external=%s,e1,5,10.9.0.77"
                      % EXTERNAL, "priority=%d" % (9 if dr == "speaker"
                                                   else 1),
                      network_type="broadcast")
        for peer in peers.values():
            peer.wait_full(OURS, timeout=30)
            peer.wait_route(STUB, via="10.9.0.1", timeout=30)
            peer.wait_route(EXTERNAL, via="10.9.0.77")
        peers["frr"].wait_route("203.0.3.0/24", via="10.9.0.3")
        speaker.wait_log("-> (DR|Backup|DROther)")
        output = speaker.stop()
        expect(output, "203.0.2.0/24 E2 cost 22 distance 10 by 10.255.0.2 "
                       "via 10.9.0.2 from 10.9.0.1",
               "203.0.3.0/24 E2 cost 23 distance 10 by 10.255.0.3 "
               "via 10.9.0.3 from 10.9.0.1",
               "attached router " + OURS)
        number = {"speaker": 1, "frr": 2, "bird": 3}[dr]
        expect(output, "designated router 10.9.0.%d, interface 10.9.0.1"
               % number)
        for peer in peers.values():
            peer.stop()
            ip_batch(peer.ns, ["link del eth0"])


def test_speaker_large_database(lab):
    """2,000 externals from us, 500 from FRR; each LSA larger than a packet."""
    segment = Segment(lab, "wire")
    peer = FrrRouter(lab, "frr", "10.255.0.2")
    peer.lan(segment, "10.9.0.2/30", Ospf())
    peer.redistribute("kernel", metric=33)
    ip_batch(peer.ns, ["route add blackhole 20.0.%d.%d/32" % (i // 250, i % 250)
                       for i in range(500)])
    peer.start()
    speaker = Speaker(lab, segment, "10.9.0.1/30")
    t = now()
    speaker.start("many=2000", *("stub=172.20.%d.0/24,1" % i
                                 for i in range(250)))
    peer.wait_full(OURS)
    lab.measure("2,500 LSAs: process start to Full %.2f s" % (now() - t))
    peer.wait_route("172.20.249.0/24", via="10.9.0.1")
    peer.wait_route("100.71.207.0/24", via="10.9.0.1")
    output = speaker.stop()
    expect(output, "20.0.0.0/32 E2 cost 33", "20.0.1.249/32 E2 cost 33")


def test_speaker_mismatch(lab):
    """What FRR drops without a word is said by us."""
    segment = Segment(lab, "wire")
    peer = FrrRouter(lab, "frr", "10.255.0.2")
    peer.lan(segment, "10.9.0.2/30", Ospf(hello=2, dead=8))
    peer.start()
    speaker = Speaker(lab, segment, "10.9.0.1/30")
    speaker.start()
    speaker.wait_log("hello interval differs: ours 1 s, the peer's 2 s")
    speaker.stop()

    peer.configure("interface eth0", "ip ospf hello-interval 1",
                   "ip ospf dead-interval 4")
    speaker.start("mtu=1400")
    speaker.wait_log("the peer's MTU differs: ours 1400, the peer's 1500")
    speaker.stop()

    peer.configure("interface eth0", "ip ospf network broadcast")
    speaker.start()
    speaker.wait_log("one side is point-to-point, the other broadcast: ours "
                     "point-to-point")
    speaker.stop()
