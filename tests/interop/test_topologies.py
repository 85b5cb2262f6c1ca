# SPDX-License-Identifier: Apache-2.0
"""Shapes that trip virtual routers."""

import copy

from lab import (BirdRouter, Capture, FrrRouter, Node, Ospf, Prober, Responder,
                 Segment, Server, Tollwayd, World, attach_segment, customer,
                 element, fabric, point, wait_for)
from lab.world import ROUTER_ID, SERVER, SITES, WEB


def test_same_mac_at_two_sites(lab):
    """Both sites' routers have the same MAC address."""
    w = World(lab, branch=False, uplink_mac="02:00:5e:00:53:01").up()
    for site in ("west", "east", "west"):
        w.move_exit(site)
        w.wait_site(site)


def test_two_vlans_on_one_port(lab):
    """Two sites on two VLANs of one port, with a change between them."""
    w = World(lab, branch=False, vlans=True).up()
    w.wait_site("east")
    responder, probers = w.answering()
    w.move_exit("west")
    w.wait_site("west")
    w.move_exit("east")
    w.wait_site("east")
    for prober in probers:
        result = prober.stop()
        assert result["lost"] == 0, result
    responder.stop()
    # From one VLAN to the other through us, on one physical port.
    w.east.wait_route("169.254.10.4/30")
    assert w.east.ping("169.254.10.6")


def test_routers_in_series(lab):
    """Two virtual routers in series: each takes one TTL and shows itself."""
    w = World(lab)
    inner = element(
        "router",
        element("interface", subnet="web", address="10.0.1.1", cost=10),
        name="inner", router_id="192.0.2.2")
    w.router.remove(w.router.find("interface"))
    w.network.append(element("subnet", name="mid", prefix="10.0.2.0/24"))
    w.router.append(element("interface", subnet="mid", address="10.0.2.1"))
    w.network.append(inner)
    w.network.append(element("link", name="up", a="inner", b="edge",
                             cost_ab=7, cost_ba=9))
    w.up()
    path = w.web1.traceroute(SERVER)
    assert len(path) == 4 and path[0] == "10.0.1.1", w.web1.output
    assert path[2:] == ["169.254.10.2", SERVER], w.web1.output
    w.move_exit("west")
    w.wait_site("west")
    # Interface of the site, link from edge to inner, interface to the subnet.
    assert w.east.ospf_route(WEB)["cost"] == 10 + 9 + 10
    assert w.branch.ospf_route(SITES)["metric2"] == "300"
    w.office.wait_ping("10.0.1.11")
    assert w.east.ping("10.0.1.12")


def test_tenant_bfd_port_crosses_hosts(lab):
    """A tenant's UDP port 3784 passes between hosts that run BFD."""
    w = World(lab, branch=False, bfd=(50, 3)).up()
    for source, target in ((w.web1, w.web2), (w.web3, w.web1)):
        responder = Responder(target, 3784)
        prober = Prober(source, target.address, 3784, source_port=3784)
        wait_for("200 answers", lambda: prober.snapshot()["received"] > 200)
        result = prober.stop()
        assert result["lost"] == 0, result
        responder.stop()
    w.wait_site("east")


def test_two_customers_with_the_same_addresses(lab):
    """Same addresses and MACs at two customers: never a packet across."""
    w = World(lab, branch=False)
    beta = copy.deepcopy(w.config)
    beta.set("name", "beta")
    network = beta.find("network")
    network.remove(network.find("router"))
    network.append(element("node", name="only", subnet="web",
                           mac="02:00:0a:00:01:4d", address="10.0.1.77"))
    network.append(element(
        "router", element("interface", subnet="web", address="10.0.1.1"),
        name="edge", router_id=ROUTER_ID))
    theirs = [Node(lab, h, "beta/prod/" + name, mac, ip, "10.0.1.1")
              for h, name, mac, ip in (
                  (w.h3, "web1", "02:00:0a:00:01:0a", "10.0.1.10/24"),
                  (w.h1, "web2", "02:00:0a:00:01:0b", "10.0.1.11/24"),
                  (w.h2, "only", "02:00:0a:00:01:4d", "10.0.1.77/24"))]
    w.up()
    w.tollwayd.submit(beta)
    for node in theirs:
        node.plug()
    for node in theirs:
        for target in ("10.0.1.10", "10.0.1.11", "10.0.1.77", "10.0.1.1"):
            node.wait_ping(target)
        node.never_ping(SERVER, count=1)
        node.never_ping("10.0.1.12", count=1)
    for node in w.nodes:
        node.never_ping("10.0.1.77", count=1)
    # What acme sends to its web2 arrives there and not at beta's.
    before = [n.packets("eth0")[0] for n in (w.web2, theirs[1])]
    assert w.web1.ping("10.0.1.11", count=50, timeout=0.3)
    after = [n.packets("eth0")[0] for n in (w.web2, theirs[1])]
    assert after[0] - before[0] >= 50 and after[1] - before[1] < 10, \
        (before, after)
    w.tollwayd.ctl("delete", "beta", "--wait")
    wait_for("beta to be gone",
             lambda: not theirs[0].ping("10.0.1.77", timeout=0.2))
    w.wait_site("east")


class SharedSegment:
    """One broadcast segment at h2 with FRR, BIRD and us, in place of the
    sites; FRR has the server behind it, BIRD an office."""

    def __init__(self, lab, ours, frr, bird):
        """The three priorities."""
        self.hosts = self.h1, self.h2, _ = lab.hosts("h1", "h2", "h3")
        self.tollwayd = Tollwayd(lab)
        self.segment = Segment(lab, "shared")
        settings = dict(network_type="broadcast", hello=1, dead=3)
        self.frr = FrrRouter(lab, "frr", "198.51.100.1")
        self.frr.lan(self.segment, "169.254.20.2/29",
                     Ospf(priority=frr, **settings))
        lan = Segment(lab, "lan")
        self.frr.lan(lan, "203.0.113.1/24", Ospf(passive=True))
        self.server = Server(lab, "server", lan, SERVER + "/24", "203.0.113.1")
        self.bird = BirdRouter(lab, "bird", "198.51.100.3")
        self.bird.lan(self.segment, "169.254.20.3/29",
                      Ospf(priority=bird, **settings))
        office = Segment(lab, "office")
        self.bird.lan(office, "10.9.0.1/24", Ospf(passive=True))
        self.office = Server(lab, "pc", office, "10.9.0.10/24", "10.9.0.1")
        attach_segment(self.segment, self.h2, "acme-lan", plug=False)
        self.node = Node(lab, self.h1, "acme/prod/web1", "02:00:0a:00:01:0a",
                         "10.0.1.10/24", "10.0.1.1")
        self.config = customer("acme", element(
            "network", element("subnet", name="web", prefix=WEB),
            element("node", name="web1", subnet="web", mac=self.node.mac,
                    address="10.0.1.10"),
            element("router",
                    element("interface", subnet="web", address="10.0.1.1"),
                    element("attachment", element(
                        "ospf", network_type="broadcast", hello_interval=1,
                        dead_interval=3, priority=ours),
                        name="lan", point="acme-lan",
                        address="169.254.20.1/29"),
                    name="edge", router_id=ROUTER_ID), name="prod"))
        self.capture = Capture(lab, self.frr.ns, "eth0", "ospf")
        lab.parallel(self.tollwayd.start, self.frr.start, self.bird.start)
        self.tollwayd.fabric(fabric(self.hosts, point("acme-lan", self.h2,
                                                      "acme-lan")))
        lab.parallel(lambda: self.h2.add_port("acme-lan"), self.node.plug,
                     lambda: self.tollwayd.submit(self.config))

    def check(self, lab, designated):
        self.frr.wait_full(count=2, timeout=40)
        self.bird.wait_full(count=2, timeout=40)
        wait_for("the network-LSA of %s" % designated, lambda: any(
            type == 2 and lsid == designated
            for type, lsid, _, _, _ in self.bird.lsadb()), 20)
        for router in (self.frr, self.bird):
            router.wait_route(WEB, via="169.254.20.1", timeout=30)
        self.node.wait_ping(SERVER, timeout=20)
        self.node.wait_ping("10.9.0.10", timeout=20)
        self.office.wait_ping(SERVER, timeout=20)
        path = self.office.traceroute(SERVER)
        assert path == ["10.9.0.1", "169.254.20.2", SERVER], path
        problems = self.capture.stop()
        assert not problems, problems
        lab.measure("%d OSPF packets, none malformed", self.capture.count)


def test_broadcast_we_are_dr(lab):
    """FRR, BIRD and us on one segment; we are the DR."""
    SharedSegment(lab, 10, 1, 1).check(lab, "169.254.20.1")


def test_broadcast_frr_is_dr(lab):
    """FRR, BIRD and us on one segment; FRR is the DR."""
    SharedSegment(lab, 1, 10, 1).check(lab, "169.254.20.2")


def test_broadcast_bird_is_dr(lab):
    """FRR, BIRD and us on one segment; BIRD is the DR, we never are."""
    SharedSegment(lab, 0, 1, 10).check(lab, "169.254.20.3")


def test_further_addresses(lab):
    """A node's further addresses and prefixes are reached, others are not."""
    w = World(lab, branch=False)
    node = w.network.find("node[@name='web2']")
    node.append(element("address", prefix="10.0.1.200/32"))
    node.append(element("address", prefix="172.16.5.0/24"))
    w.up()
    w.web2.configure(more=["10.0.1.200/24", "172.16.5.1/24"])
    for target in ("10.0.1.200", "172.16.5.1"):
        w.web1.wait_ping(target)
    w.east.wait_route("172.16.5.0/24")
    assert w.east.ping("172.16.5.1")
    assert w.web2.ping(SERVER, options=["-I", "172.16.5.1"]) \
        or not w.server.ping("172.16.5.1")      # the server knows no way back
    w.web3.configure(more=["10.0.1.201/24"])
    assert not w.web3.ping("10.0.1.10", options=["-I", "10.0.1.201"])


def test_tcp_and_full_packets(lab):
    """TCP and packets of the full MTU pass between hosts and to the server."""
    w = World(lab, branch=False).up()
    assert w.web1.ping("10.0.1.12", size=1450 - 28), w.web1.output
    assert w.web1.ping(SERVER, size=1450 - 28), w.web1.output
    script = ("import socket,sys\n"
              "s=socket.create_server(('',7000))\n"
              "c,_=s.accept()\n"
              "n=0\n"
              "while True:\n"
              "  d=c.recv(65536)\n"
              "  if not d: break\n"
              "  n+=len(d)\n"
              "print(n)\n")
    send = ("import socket\n"
            "s=socket.create_connection(('%s',7000),timeout=5)\n"
            "s.sendall(b'x'*4000000)\n")
    for target, address in ((w.web3, w.web3.address), (w.server, SERVER)):
        sink = target.spawn(["/usr/bin/python3", "-c", script], "sink")
        wait_for("the listener", lambda: ":7000" in target.run(
            ["ss", "-ltn"]).stdout)
        w.web1.run(["/usr/bin/python3", "-c", send % address], timeout=20)
        assert sink.wait(20) == 0
        assert "4000000" in sink.tail(), sink.tail()
