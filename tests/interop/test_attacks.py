# SPDX-License-Identifier: Apache-2.0
"""Floods, races, rude clients and hands on a bridge: others don't notice, and
what is Tollway's comes back."""

import concurrent.futures
import contextlib
import copy
import http.client
import itertools
import json
import socket
import struct
import threading
import time
import xml.etree.ElementTree as ElementTree

from lab import World, element, in_netns, now, wait_for
from lab.world import ROUTER_ID, SERVER
from test_hostile import checksum, hello, ospf


class Connection(http.client.HTTPConnection):
    """HTTP on tollwayd's unix socket."""

    def __init__(self, tollwayd, timeout=60):
        super().__init__("tollway", timeout=timeout)
        self.path = tollwayd.socket

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(tollwayd, method, path, body=None):
    """(status, body parsed) of one request."""
    connection = Connection(tollwayd)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@contextlib.contextmanager
def watched(lab, tollwayd, what, limit=0.5):
    """Asks for the status all the time: it always comes within `limit`."""
    waits, stop = [], threading.Event()

    def poll():
        connection = Connection(tollwayd)
        while not stop.is_set():
            start = now()
            try:
                connection.request("GET", "/v1/status")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                waits.append(60.0)
                return
            waits.append(now() - start)
            time.sleep(0.005)
        connection.close()

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    lab.measure("%s: status within %.0f ms", what, 1000 * max(waits))
    assert max(waits) < limit, (what, max(waits))


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip_frame(eth_dst, eth_src, src, dst, protocol, payload, ttl=1):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, ttl,
                       protocol, 0, socket.inet_aton(src),
                       socket.inet_aton(dst))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return mac(eth_dst) + mac(eth_src) + b"\x08\0" + head + payload


def flood(endpoint, device, frames, rate, seconds):
    """Sends frames in turn at about `rate` a second; returns how many."""
    def send():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
            s.bind((device, 0))
            start, sent = now(), 0
            for frame in itertools.cycle(frames):
                with contextlib.suppress(BlockingIOError):
                    s.send(frame)
                sent += 1
                ahead = start + sent / rate - now()
                if now() - start > seconds:
                    return sent
                if ahead > 0:
                    time.sleep(ahead)
    return in_netns(endpoint.ns, send)


def changes(w):
    """{attachment: how often its neighbour changed state}"""
    return {n["attachment"]: [x["changes"] for x in n["neighbors"]]
            for n in w.tollwayd.json("neighbors")}


def test_floods_from_a_peer(lab):
    """20,000 OSPF Hellos, then ARPs, a second: other peers don't notice."""
    w = World(lab).up()
    source, device = w.east.mac(w.east.uplink), w.east.uplink.device
    hellos = [ip_frame("01:00:5e:00:00:05", source, w.east.uplink.ip,
                       "224.0.0.5", 89,
                       ospf(1, "6.6.%d.%d" % (i >> 8, i & 255),
                            hello(neighbors=[ROUTER_ID])))
              for i in range(2000)]
    arps = []
    for i in range(2000):
        sender = bytes.fromhex("026666660000")[:4] + struct.pack("!H", i)
        arps.append(b"\xff" * 6 + sender + b"\x08\x06"
                    + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + sender
                    + socket.inet_aton(w.east.uplink.ip) + b"\0" * 6
                    + socket.inet_aton("169.254.10.1"))
    before = changes(w)
    with watched(lab, w.tollwayd, "Hello flood"):
        lab.measure("%d Hellos", flood(w.east, device, hellos, 20000, 3))
    with watched(lab, w.tollwayd, "ARP flood"):
        lab.measure("%d ARPs", flood(w.east, device, arps, 20000, 2))
    after = changes(w)
    for attachment in ("dc-west", "branch"):
        assert after[attachment] == before[attachment], (before, after)
    w.east.wait_full(ROUTER_ID)
    w.wait_site("east", [w.web1])


def test_icmp_answers_are_metered(lab):
    """20,000 packets a second that a router must answer: few are."""
    w = World(lab, branch=False).up()
    networks = ask(w.tollwayd, "GET", "/v1/topology")[1]
    gateway = networks[0]["routers"][0]["interfaces"][0]
    for what, target, ttl in (("expiring", SERVER, 1),
                              ("without route", "8.8.8.8", 64)):
        frame = ip_frame(gateway["mac"], w.web1.mac, w.web1.address, target,
                         17, struct.pack("!HHHH", 1000, 40000, 16, 0)
                         + b"\0" * 8, ttl)
        before = w.web1.packets("eth0")[0]
        with watched(lab, w.tollwayd, what):
            sent = flood(w.web1, "eth0", [frame], 20000, 2)
            assert w.web2.ping(SERVER)
        answers = w.web1.packets("eth0")[0] - before
        lab.measure("%s: %d packets, %d answers", what, sent, answers)
        assert 0 < answers < 1500, answers


def test_rude_clients(lab):
    """Half requests, too much, and clients that go away while they wait."""
    w = World(lab, branch=False).up()
    document = ElementTree.tostring(w.config)
    head = b"PUT /v1/config?wait=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d"
    rude = [b"GET /v1/st", b"\0\xff\r\n\r\n", b"GET /v1/%ff%fe?%=%&& HTTP/1.1"
            b"\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"a" * 200000,
            head % 1000000 + b"\r\n\r\nx", head % len(document)
            + b"\r\n\r\n" + document,
            b"GET /v1/counters HTTP/1.1\r\nHost: x\r\n\r\n"]
    clients = []
    with watched(lab, w.tollwayd, "rude clients"):
        for data in rude * 15:
            client = socket.socket(socket.AF_UNIX)
            client.connect(w.tollwayd.socket)
            with contextlib.suppress(OSError):
                client.sendall(data)
            clients.append(client)
        for client in clients:
            client.close()
        for _ in range(3):
            status, _ = ask(w.tollwayd, "PUT", "/v1/config", b" " * (17 << 20))
            assert status == 413, status
    status, answer = ask(w.tollwayd, "PUT", "/v1/config?wait=1", document)
    assert status == 200 and not answer["unreachable"], answer


def test_racing_submits(lab):
    """50 at once are all stored; of 50 with one if-revision, one is."""
    w = World(lab, branch=False).up()

    def submit(i, query=""):
        config = copy.deepcopy(w.config)
        config.find("network/router/destination/via").set("cost", str(50 + i))
        return ask(w.tollwayd, "PUT", "/v1/config?" + query,
                   ElementTree.tostring(config))

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        with watched(lab, w.tollwayd, "50 submits"):
            answers = list(pool.map(lambda i: submit(i, "wait=1"), range(50)))
        assert {status for status, _ in answers} == {200}, answers
        revisions = sorted(a["revision"] for _, a in answers)
        assert revisions == list(range(revisions[0], revisions[0] + 50))
        query = "if-revision=%d" % revisions[-1]
        answers = list(pool.map(lambda i: submit(i, query), range(50)))
    codes = [status for status, _ in answers]
    assert codes.count(200) == 1 and codes.count(409) == 49, codes
    w.submit()
    w.wait_site("east")


def test_dry_run_says_what_happens(lab):
    """A dry run changes nothing, and counts the flows that the submit then
    adds and removes."""
    w = World(lab, branch=False).up()
    config = copy.deepcopy(w.config)
    network = config.find("network")
    network.append(element("subnet", name="db", prefix="10.7.0.0/24"))
    network.append(element("node", name="extra", subnet="web"))
    network.find("router").append(element("interface", subnet="db",
                                          address="10.7.0.1"))
    document = ElementTree.tostring(config)

    def flows():
        return {h.name: set(h.flows()) for h in w.hosts}

    before = flows()
    status, dry = ask(w.tollwayd, "PUT", "/v1/config?dry-run=1", document)
    assert status == 200, dry
    assert flows() == before
    assert ask(w.tollwayd, "PUT", "/v1/config?wait=1", document)[0] == 200
    after = flows()
    for host in before:
        said = dry["hosts"][host]
        assert len(after[host] - before[host]) == \
            said["flows-added"] + said["flows-modified"], said
        assert len(before[host] - after[host]) == \
            said["flows-removed"] + said["flows-modified"], said
    w.submit()
    assert flows() == before


def test_hands_on_a_bridge(lab):
    """br-int, a tunnel port or the fail mode changed by hand: put right."""
    w = World(lab, branch=False).up()
    before = {h.name: h.flows() for h in w.hosts}

    def right(what):
        start = now()
        wait_for("flows as before (%s)" % what, lambda: before
                 == {h.name: h.flows() for h in w.hosts}, 15)
        lab.measure("%s: %.1f s", what, now() - start)

    w.h2.vsctl("del-port tw-h1")
    wait_for("the tunnel port", lambda: "tw-h1" in w.h2.vsctl(
        "list-ports br-int").split())
    right("tunnel port deleted")
    w.h2.vsctl("set Bridge br-int fail_mode=standalone protocols=OpenFlow10")
    wait_for("the fail mode",
             lambda: w.h2.vsctl("get Bridge br-int fail_mode") == "secure")
    right("fail mode changed")
    w.h3.vsctl("del-br br-int")
    wait_for("br-int", lambda: "br-int" in w.h3.vsctl("list-br").split())
    w.h3.add_port(w.west.uplink.host_port)
    w.web3.plug()
    right("br-int deleted")
    w.settle()
