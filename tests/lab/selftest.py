# SPDX-License-Identifier: Apache-2.0
"""Shows that the lab itself works, without Tollway: three hosts joined by
VXLAN under NORMAL switching, nodes that reach each other, FRR and BIRD
adjacent over the bridges and over a LAN, and nothing left afterwards.

    /usr/bin/python3 tests/lab/selftest.py"""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import (BirdRouter, FrrRouter, Lab, Node, Ospf,  # noqa: E402
                 Segment, Server, Trunk, now, sh, wait_for)
from lab.capture import Capture  # noqa: E402
from lab.probe import Prober, Responder  # noqa: E402


def leftovers(prefix):
    """What carries a lab's prefix anywhere on the machine."""
    found = [n for n in sh("ip netns").split() if n.startswith(prefix)]
    found += [line for line in sh("ps ax -o pid,args").splitlines()
              if prefix in line and "reaper.py" not in line]
    for directory in ("/var/run/frr", "/tmp"):
        found += [os.path.join(directory, n) for n in os.listdir(directory)
                  if n.startswith(prefix)]
    return found


class Stages:
    def __init__(self):
        self.start = self.last = now()

    def done(self, what):
        t = now()
        print("%6.2f s  %s" % (t - self.last, what), flush=True)
        self.last = t


def whole_lab():
    stages = Stages()
    with Lab(create_br_int=True) as lab:
        prefix = lab.prefix
        h1, h2, h3 = lab.hosts("h1", "h2", "h3")
        stages.done("3 hosts")

        for spoke in (h2, h3):
            h1.vsctl(["add-port", "br-int", "t-" + spoke.name, "--", "set",
                      "Interface", "t-" + spoke.name, "type=vxlan",
                      "options:remote_ip=" + spoke.tunnel_ip])
            spoke.vsctl(["add-port", "br-int", "t-h1", "--", "set",
                         "Interface", "t-h1", "type=vxlan",
                         "options:remote_ip=" + h1.tunnel_ip])
        for host in (h1, h2, h3):
            host.ofctl("add-flow", "actions=NORMAL")
        nodes = [Node(lab, h, "acme/prod/web%d" % (i + 1),
                      "02:aa:00:00:00:%02x" % (i + 1), "10.0.1.%d/24" % (i + 11)
                      ).plug() for i, h in enumerate((h1, h2, h3))]
        stages.done("tunnels and 3 nodes")

        nodes[0].wait_ping("10.0.1.12")
        nodes[1].wait_ping("10.0.1.13")
        assert nodes[2].ping("10.0.1.11", size=1422), nodes[2].output
        assert not nodes[2].ping("10.0.1.11", size=1423), "MTU not kept"
        stages.done("pings across hosts, up to 1,450 bytes")

        lan = Segment(lab, "lan")
        east = FrrRouter(lab, "east", "198.51.100.1")
        west = FrrRouter(lab, "west", "198.51.100.2")
        branch = BirdRouter(lab, "branch", "198.51.100.3")
        p = east.attach(h2, "acme-east", "169.254.10.1/30",
                        Ospf(bfd=(50, 3), cost=5))
        q = branch.attach(h1, "acme-branch", "169.254.10.2/30",
                          Ospf(bfd=(50, 3)))
        east.lan(lan, "203.0.113.1/24", Ospf(passive=True))
        west.lan(lan, "203.0.113.2/24")
        west.attach(h3, "acme-west", "169.254.10.5/30", Ospf())
        east.redistribute("kernel", metric=77, type=2)
        server = Server(lab, "server", lan, "203.0.113.10/24", "203.0.113.1")
        capture = Capture(lab, east.ns, "eth0", "ospf")
        lab.parallel(east.start, west.start, branch.start)
        stages.done("2 FRR and 1 BIRD started")

        east.wait_full("198.51.100.3")
        branch.wait_full("198.51.100.1")
        stages.done("FRR and BIRD Full")
        branch.wait_route("203.0.113.0/24", via="169.254.10.1")
        stages.done("route learned")
        print("          East: %s, BIRD: %s, BFD: %s, route: %s" % (
            east.neighbors(), branch.neighbors(), east.bfd_peers(),
            branch.ospf_route("203.0.113.0/24")))

        wait_for("BIRD to reach the server",
                 lambda: branch.ping("203.0.113.10", timeout=0.2))
        assert east.ospf_route("203.0.113.0/24")["cost"] > 0
        east.own_prefix("198.51.101.0/24")
        branch.wait_route("198.51.101.0/24")
        print("          external: %s" % branch.ospf_route("198.51.101.0/24"))
        east.own_prefix("198.51.101.0/24", present=False)
        branch.wait_no_route("198.51.101.0/24")
        east.set_cost(p, 50)
        branch.set_cost(q, 60)
        wait_for("FRR's new cost to arrive at BIRD", lambda: "metric 50" in
                 branch.database())
        assert branch.lsadb()
        stages.done("external route come and gone, costs changed")

        responder = Responder(nodes[2])
        prober = Prober(nodes[0], "10.0.1.13")
        wait_for("400 probes", lambda: prober.snapshot()["received"] >= 400)
        result = prober.stop()
        print("          %d probes sent, %d lost, longest gap %.1f ms, "
              "median round trip %.2f ms" % (result["sent"], result["lost"],
                                             result["gap_ms"],
                                             result["rtt_ms"]))
        assert result["lost"] == 0, result
        stages.done("2 ms probes")

        trunk = Trunk(lab, "trunk", h3, "acme-trunk")
        h3.add_port("acme-trunk")
        for i, vlan in enumerate((10, 20)):
            west.attach_vlan(trunk, vlan, "172.16.%d.1/24" % vlan)
            tenant = Node(lab, h3, "acme/prod/vlan%d" % vlan, None,
                          "172.16.%d.2/24" % vlan)
            h3.add_port(tenant.device)
            h3.vsctl(["set", "Port", tenant.device, "tag=%d" % vlan])
            tenant.wait_ping("172.16.%d.1" % vlan)
        stages.done("two VLANs on one port")

        nodes[2].move(h2)
        nodes[2].wait_ping("10.0.1.11")     # NORMAL learns where it is now
        nodes[0].wait_ping("10.0.1.13")
        stages.done("node moved to another host")

        prober = Prober(nodes[0], "10.0.1.13")
        h2.kill_vswitchd()
        before = prober.snapshot()["received"]
        h2.start_vswitchd()
        h2.ofctl("add-flow", "actions=NORMAL")
        wait_for("probes after the restart",
                 lambda: prober.snapshot()["received"] > before + 20)
        result = prober.stop()
        assert result["lost"] > 0, result
        print("          gap while ovs-vswitchd was gone: %.0f ms, %d lost"
              % (result["gap_ms"], result["lost"]))
        responder.stop()
        stages.done("ovs-vswitchd killed and started again")

        east.cut(p)
        branch.wait_not_full("198.51.100.1")
        east.mend(p)
        branch.wait_full("198.51.100.1")
        branch.wait_bfd("169.254.10.1")
        east.freeze()
        branch.wait_not_full("198.51.100.1", 1)
        east.thaw()
        stages.done("wire cut and mended, FRR frozen")
        problems = capture.stop()
        assert not problems, problems
        assert capture.count > 10, capture.count
        stages.done("%d OSPF packets captured, none malformed" % capture.count)
        assert server.ping("203.0.113.1")
    stages.done("teardown")
    left = leftovers(prefix)
    assert not left, left
    print("%6.2f s  altogether" % (now() - stages.start))


CHILD = """
import sys, time
sys.path.insert(0, %r)
from lab import Lab, FrrRouter, Segment
with Lab() as lab:
    lab.hosts("h1")
    r = FrrRouter(lab, "r", "192.0.2.1")
    r.lan(Segment(lab, "lan"), "192.0.2.1/24")
    r.start()
    r.spawn(["sleep", "600"])
    print(lab.prefix, flush=True)
    time.sleep(600)
"""


def killed_lab(number):
    """A lab that is hit by a signal leaves nothing either."""
    stages = Stages()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD % os.path.dirname(os.path.dirname(
            os.path.abspath(__file__)))], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    prefix = child.stdout.readline().strip()
    assert leftovers(prefix), "the lab was not there"
    os.kill(child.pid, number)
    child.wait(20)
    wait_for("nothing to be left", lambda: not leftovers(prefix), 15)
    stages.done("lab ended by %s: nothing left" % signal.Signals(number).name)


def main():
    before = sh("ip netns"), sorted(os.listdir("/var/run/frr"))
    whole_lab()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        killed_lab(number)
    if not os.environ.get("LAB_SHARED"):
        # On a machine that nobody else uses, exactly as before.
        after = sh("ip netns"), sorted(os.listdir("/var/run/frr"))
        if before != after:
            print("warning: other namespaces changed meanwhile: %s -> %s"
                  % (before, after))
    print("lab: all good")


if __name__ == "__main__":
    main()
