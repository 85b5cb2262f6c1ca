# SPDX-License-Identifier: Apache-2.0
"""Packets that nobody should send: refused, counted, and no harm done."""

import random
import socket
import struct

from lab import Node, World, in_netns, ip_batch, wait_for
from lab.world import EAST, ROUTER_ID, SERVER


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ospf(type, router_id, body, area=0, sum=None, length=None, version=2):
    """An OSPF packet without authentication; a wrong sum or length if said."""
    length = 24 + len(body) if length is None else length
    head = struct.pack("!BBH4sI", version, type, length,
                       socket.inet_aton(router_id), area)
    good = checksum(head + b"\0\0" + b"\0\0" + body)
    good = good if sum is None else sum
    return head + struct.pack("!HH", good, 0) + b"\0" * 8 + body


def hello(mask="255.255.255.252", interval=1, dead=4, neighbors=()):
    body = socket.inet_aton(mask) + struct.pack("!HBBI", interval, 2, 1, dead)
    return body + b"\0" * 8 + b"".join(map(socket.inet_aton, neighbors))


def send_ip(endpoint, packets, source, target="224.0.0.5", protocol=89):
    """Sends raw IP payloads from an endpoint's eth0."""
    def send():
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol) as s:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            s.bind((source, 0))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                         socket.inet_aton(source))
            for packet in packets:
                s.sendto(packet, (target, 0))
    in_netns(endpoint.ns, send)


def test_bad_ospf_packets(lab):
    """Malformed, truncated and wrongly summed OSPF from a peer's wire."""
    w = World(lab, branch=False).up()
    seed = random.randrange(1 << 32)
    lab.measure("seed %d", seed)
    dice = random.Random(seed)
    source = w.east.uplink.ip
    good = [ospf(1, EAST, hello(neighbors=[ROUTER_ID])),
            ospf(2, EAST, struct.pack("!HBBI", 1500, 2, 7, 1)),
            ospf(3, EAST, struct.pack("!I4s4s", 1, b"\1\2\3\4", b"\1\2\3\4")),
            ospf(4, EAST, struct.pack("!I", 2 ** 32 - 1)),
            ospf(5, EAST, b"\0" * 20)]
    packets = [ospf(1, EAST, hello(), sum=0x1234),
               ospf(1, EAST, hello(), length=60000),
               ospf(1, EAST, hello(), version=3),
               ospf(9, EAST, b""), b"", b"\2", b"\2\1",
               ospf(1, ROUTER_ID, hello()),             # our own router ID
               ospf(1, "0.0.0.0", hello()),
               ospf(1, EAST, hello(interval=7)),
               ospf(1, EAST, hello(mask="255.255.0.0", dead=9)),
               ospf(1, EAST, hello(), area=5),
               ospf(4, EAST, struct.pack("!I", 2 ** 32 - 1))]
    for _ in range(400):
        packet = bytearray(dice.choice(good))
        for _ in range(dice.randrange(1, 6)):
            if packet:
                packet[dice.randrange(len(packet))] = dice.randrange(256)
        packets.append(bytes(packet[:dice.randrange(len(packet) + 1)]))
    send_ip(w.east, packets, source)
    assert w.tollwayd.process.alive()
    # The real router on that wire is still, or again, a neighbour.
    w.east.wait_full(ROUTER_ID, timeout=20)
    w.west.wait_full(ROUTER_ID)
    w.wait_site("east")
    counters = w.tollwayd.ctl("counters")
    lab.measure("%d packets sent", len(packets))
    assert counters


def test_ospf_from_a_node(lab):
    """OSPF from a node's port reaches nobody."""
    w = World(lab, branch=False).up()
    before = w.tollwayd.json("neighbors")
    ip_batch(w.web1.ns, ["route add 224.0.0.0/4 dev eth0"])
    send_ip(w.web1, [ospf(1, "6.6.6.6", hello("255.255.255.0"))] * 50,
            w.web1.address)
    send_ip(w.web1, [ospf(1, "6.6.6.6", hello("255.255.255.252"))] * 50,
            w.web1.address, "169.254.10.1")
    assert w.web1.ping(SERVER)
    after = w.tollwayd.json("neighbors")
    assert "6.6.6.6" not in str(after), after
    assert len(str(after)) <= len(str(before)) + 200
    assert "6.6.6.6" not in str(w.east.neighbors())


def test_spoofed_sender(lab):
    """A node uses an address or a MAC that is not its own: dropped."""
    w = World(lab, branch=False).up()
    ip_batch(w.web1.ns, ["addr add 10.0.1.99/24 dev eth0"])
    assert not w.web1.ping("10.0.1.11", options=["-I", "10.0.1.99"])
    assert not w.web1.ping(SERVER, options=["-I", "10.0.1.99"])
    assert w.web1.ping("10.0.1.11")
    ip_batch(w.web1.ns, ["link set eth0 address 02:66:66:66:66:66",
                         "neigh flush dev eth0"])
    assert not w.web1.ping("10.0.1.11", timeout=0.3)
    ip_batch(w.web1.ns, ["link set eth0 address " + w.web1.mac,
                         "route replace default via 10.0.1.1"])
    w.web1.wait_ping(SERVER)


def test_unknown_ports(lab):
    """A port that is nobody's gets nothing in and nothing out."""
    w = World(lab, branch=False).up()
    stranger = Node(lab, w.h1, "acme/prod/nobody", "02:66:00:00:00:01",
                    "10.0.1.50/24", "10.0.1.1").plug()
    bare = Node(lab, w.h1, "bare", w.web2.mac, "10.0.1.11/24", "10.0.1.1",
                name="bare")
    w.h1.add_port(bare.device)
    for node in (stranger, bare):
        node.never_ping("10.0.1.10", count=1)
        node.never_ping(SERVER, count=1)
    # An attachment's port of which no VLAN was granted but untagged.
    before = stranger.packets("eth0")[0]
    assert w.web2.ping("10.0.1.10", count=20)
    assert stranger.packets("eth0")[0] - before < 5
    wait_for("traffic to be as before", lambda: w.web1.ping(SERVER))


def test_martians_from_a_peer(lab):
    """A peer that claims our own subnet, or loopback, is not believed."""
    w = World(lab, branch=False)
    w.east.redistribute("kernel", metric=1, type=1)
    w.up()
    for prefix in ("10.0.1.0/25", "127.5.0.0/16", "10.0.1.10/32"):
        w.east.own_prefix(prefix)
    w.east.own_prefix("198.51.101.0/24")
    wait_for("a good prefix to arrive", lambda: "198.51.101.0" in
             w.tollwayd.ctl("routes"))
    routes = {r["prefix"]: r["kind"] for r in w.tollwayd.json("routes")}
    for prefix in ("10.0.1.0/25", "127.5.0.0/16", "10.0.1.10/32"):
        assert routes.get(prefix, "refused") == "refused", routes
    assert w.web2.ping("10.0.1.10")
    assert w.web3.ping("10.0.1.10")
