# SPDX-License-Identifier: Apache-2.0
"""Wires, sites, hosts and tollwayd fail, and traffic goes on."""

import random
import threading

from lab import FlowWatch, LabError, Prober, Responder, World, now, wait_for
from lab.picture import nodes
from lab.world import ROUTER_ID, SERVER


def report(lab, what, results):
    lab.measure("%s: probes lost %s, longest gap %s ms", what,
                [r["lost"] for r in results],
                ["%.0f" % r["gap_ms"] for r in results])


def test_link_cut(lab):
    """The wire to the best site is cut: all hosts move to the other."""
    w = World(lab).up()
    w.wait_site("east")
    responder, probers = w.answering()
    w.east.cut(w.east.uplink)
    w.wait_site("west")
    results = [p.mark() for p in probers]
    report(lab, "cut", results)
    assert max(r["gap_ms"] for r in results) <= 1000, results
    w.office.wait_ping(SERVER)
    w.east.mend(w.east.uplink)
    w.east.wait_full(ROUTER_ID)
    w.wait_site("east")
    results = [p.stop() for p in probers]
    report(lab, "mended", results)
    responder.stop()


def test_bfd_down(lab):
    """A silent failure, BFD 50 ms x 3: at most 0.3 s, from every host."""
    w = World(lab, branch=False, bfd=(50, 3), segments=True).up()
    w.wait_site("east")
    w.east.wait_bfd("169.254.10.1")
    w.west.wait_bfd("169.254.10.5")
    wait_for("BFD to be up at h2", lambda: w.h2.vsctl(
        ["get", "Interface", "acme-east", "bfd_status:state"]) == "up")
    responder, probers = w.answering()
    for round in range(3):
        w.east.cut(w.east.uplink, silent=True)
        w.wait_site("west")
        results = [p.mark() for p in probers]
        report(lab, "failure %d" % (round + 1), results)
        assert max(r["gap_ms"] for r in results) <= 300, results
        w.east.mend(w.east.uplink, silent=True)
        w.east.wait_bfd("169.254.10.1")
        w.east.wait_full(ROUTER_ID)
        w.wait_site("east")
        results = [p.mark() for p in probers]
        report(lab, "mended", results)
    for prober in probers:
        prober.stop()
    responder.stop()


def test_router_frozen(lab):
    """A site's OSPF stops without BFD: gone after the dead interval."""
    w = World(lab, branch=False).up()
    w.wait_site("east")
    start = now()
    w.east.freeze()
    w.wait_site("west", [w.web1])
    took = now() - start
    lab.measure("dead interval 4 s: moved after %.1f s", took)
    assert 2.5 < took < 7, took
    w.east.thaw()
    w.east.wait_full(ROUTER_ID)
    w.wait_site("east")


def test_node_moves(lab):
    """A node moves to another host with its address and connections."""
    w = World(lab, branch=False).up()
    to_node = Responder(w.web1, 9001)
    within = Prober(w.web3, w.web1.address, 9001)
    responder = Responder(w.server)
    outside = Prober(w.web1, SERVER)
    wait_for("probes", lambda: within.snapshot()["received"] > 20
             and outside.snapshot()["received"] > 20)
    for host in (w.h2, w.h3, w.h1):
        within.mark(), outside.mark()
        start = now()
        w.web1.move(host)
        w.web1.wait_ping(SERVER)
        w.web3.wait_ping(w.web1.address)
        took = now() - start
        results = within.snapshot(), outside.snapshot()
        lab.measure("to %s in %.0f ms: lost %s, longest gap %s ms", host.name,
                    took * 1e3, [r["lost"] for r in results],
                    ["%.0f" % r["gap_ms"] for r in results])
        record = nodes(w.tollwayd)["web1"]
        assert record["port-host"] == host.name, record
    within.stop(), outside.stop()
    to_node.stop(), responder.stop()


def test_vswitchd_killed(lab):
    """ovs-vswitchd dies and returns: its bridge is right without help."""
    w = World(lab, branch=False).up()
    w.wait_site("east")
    for host, node in ((w.h1, w.web1), (w.h2, w.web2)):
        before = host.flows()
        host.kill_vswitchd()
        if host is w.h2:
            # Its site is out of reach; the others take the other one.
            w.wait_site("west", [w.web1, w.web3], timeout=20)
        start = now()
        host.start_vswitchd()
        wait_for("the flows of %s to be back" % host.name,
                 lambda: len(host.flows()) >= len(before), 15)
        node.wait_ping(SERVER)
        took = now() - start
        w.east.wait_full(ROUTER_ID)
        wait_for("%s to have the same flows" % host.name,
                 lambda: host.flows() == before, 15)
        lab.measure("%s: %d flows, back %.0f ms after its start", host.name,
                    len(before), took * 1e3)
    w.wait_site("east")


def test_host_unreachable(lab):
    """A host is cut from the underlay: the others leave its site."""
    w = World(lab, branch=False).up()
    w.wait_site("east")
    w.h2.set_underlay(False)
    w.wait_site("west", [w.web1, w.web3], timeout=20)
    w.h2.set_underlay(True)
    w.wait_site("east", timeout=20)


def test_host_removed(lab):
    """A host that leaves the fabric is cleaned."""
    w = World(lab, branch=False).up()
    assert w.h1.flows()
    for element in list(w.fabric):
        if element.get("name") == "h1" or element.get("host") == "h1":
            w.fabric.remove(element)
    w.tollwayd.fabric(w.fabric)

    def clean():
        bridges = w.h1.vsctl("list-br").split()
        return "br-int" not in bridges or (
            not w.h1.flows()
            and "vxlan" not in w.h1.vsctl("--columns=type list Interface")
            and "geneve" not in w.h1.vsctl("--columns=type list Interface"))
    wait_for("h1 to be clean", clean)
    w.web2.wait_ping(SERVER)
    w.web3.wait_ping(w.web2.address)


def test_tollwayd_restarted(lab):
    """tollwayd dies and returns: not one flow changes, nothing is lost."""
    w = World(lab, branch=False, static=True).up()
    w.wait_site("east")
    nodes = w.tollwayd.json("nodes")
    responder, probers = w.answering()
    before = [h.flows() for h in w.hosts]
    watches = [FlowWatch(h) for h in w.hosts]
    w.tollwayd.kill()
    for node in w.nodes:
        assert node.ping(SERVER)
    took = w.tollwayd.start()
    lab.measure("answers again after %.0f ms", took * 1e3)
    assert w.tollwayd.json("nodes") == nodes
    w.submit()      # the same again, applied on every host
    assert [h.flows() for h in w.hosts] == before
    for watch in watches:
        events = watch.stop()
        assert not events, events
    for prober in probers:
        result = prober.stop()
        assert result["lost"] == 0, result
    responder.stop()
    w.move_exit("west")
    w.wait_site("west")


def test_tollwayd_killed_twenty_times(lab):
    """SIGKILL in the middle of changes, 20 times: always whole again."""
    w = World(lab, branch=False, static=True).up()
    w.wait_site("east")
    nodes = w.tollwayd.json("nodes")
    responder, probers = w.answering()
    seed = random.randrange(1 << 32)
    lab.measure("seed %d", seed)
    dice = random.Random(seed)
    for round in range(20):
        done = threading.Event()

        def change():
            # Goes on changing until the daemon is gone.
            site = 0
            try:
                while not done.is_set():
                    w.move_exit(("west", "east")[site % 2])
                    site += 1
            except LabError:
                pass
        changing = threading.Thread(target=change)
        changing.start()
        done.wait(dice.uniform(0, 0.15))    # the moment is the test
        w.tollwayd.kill()
        done.set()
        changing.join()
        w.tollwayd.start()
        site = dice.choice(("east", "west"))
        w.move_exit(site)
        for node in w.nodes:
            assert w.site_of(node) == site, (round, node.name, site)
    assert w.tollwayd.json("nodes") == nodes
    results = [p.stop() for p in probers]
    report(lab, "20 kills", results)
    for result in results:
        assert result["lost"] == 0, result
    responder.stop()


def test_peers_after_restart(lab):
    """tollwayd returns within the dead interval: traffic with OSPF peers."""
    w = World(lab).up()
    w.wait_site("east")
    responder, probers = w.answering()
    w.tollwayd.kill()
    for node in w.nodes:
        assert node.ping(SERVER)
    w.tollwayd.start()
    for router in w.routers:
        router.wait_full(ROUTER_ID, timeout=20)
    w.settle()
    w.wait_site("east")
    w.branch.wait_route("203.0.113.0/24", via="169.254.10.9")
    report(lab, "killed and started", [p.stop() for p in probers])
    responder.stop()


def test_store_restarted(lab):
    """The store's server dies and returns; nothing is lost."""
    w = World(lab, branch=False, static=True).up()
    w.wait_site("east")
    nodes = w.tollwayd.json("nodes")
    w.tollwayd.store.kill()
    assert w.web1.ping(SERVER)
    w.tollwayd.store.start()

    def submitted():
        w.move_exit("west")
        return True
    wait_for("submit to be accepted again", submitted, 20, 0.2)
    w.wait_site("west")
    assert w.tollwayd.json("nodes") == nodes
