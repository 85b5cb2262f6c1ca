# SPDX-License-Identifier: Apache-2.0
"""Traffic follows what a way costs, whoever changes it."""

from lab import LabError, World, element, metrics, now, wait_for
from lab.world import EAST, SERVER, SITES, WEB, WEST, ROUTER_ID


def advertised(router, prefix="203.0.113.0", origin=ROUTER_ID):
    """The metric of an AS-external LSA as an FRR router holds it, or None."""
    for lsas in router.database("external").get(
            "asExternalLinkStates", []):
        if (lsas.get("linkStateId") == prefix
                and lsas.get("advertisingRouter") == origin):
            return lsas.get("metric")
    return None


def test_everything_is_reached(lab):
    """Nodes, server and office reach each other; peers hold our LSAs."""
    w = World(lab).up()
    for node in w.nodes:
        for address in ("10.0.1.10", "10.0.1.11", "10.0.1.12", "10.0.1.1",
                        SERVER, "10.9.0.10"):
            node.wait_ping(address)
    w.office.wait_ping(SERVER)
    w.office.wait_ping("10.0.1.11")
    w.wait_site("east")
    assert w.web1.traceroute(SERVER) == ["10.0.1.1", "169.254.10.2", SERVER], \
        w.web1.output
    wait_for("our external at dc-west", lambda: advertised(w.west) == 100)
    for site in w.sites:
        assert site.route(WEB) == [str(site.uplink.interface.ip - 1)]
        # Cost of the site's own interface and of ours to the subnet.
        assert site.ospf_route(WEB)["cost"] == 10 + 10, site.ospf_route(WEB)
    w.branch.wait_route(SITES, via="169.254.10.9")
    assert w.branch.ospf_route(SITES)["type"] == "E2"
    assert w.branch.ospf_route(SITES)["metric2"] == "100"


def test_cost_changed_by_submit(lab):
    """A submitted cost moves all hosts' traffic before submit returns."""
    w = World(lab, branch=False).up()
    w.wait_site("east")
    responder, probers = w.answering()
    for cost, site, best in (("900", "west", 300), ("50", "east", 50)):
        w.via("dc-east").set("cost", cost)
        start = now()
        w.submit()
        took = now() - start
        for node in w.nodes:
            assert w.site_of(node) == site, (node.name, w.site_of(node), site)
        wait_for("the LSA with %d" % best,
                 lambda: advertised(w.west) == best, 12)
        lab.measure("to %s: submit --wait took %.0f ms", site, took * 1e3)
    for prober in probers:
        result = prober.stop()
        assert result["lost"] == 0, result
    responder.stop()


def policy(w, **more):
    settings = dict(delay_cost=10, half_life="0s", hysteresis=0)
    settings.update(more)
    w.config.insert(0, element("cost-policy", name="delay", **settings))
    for attachment in w.router.findall("attachment"):
        attachment.set("policy", "delay")


def test_cost_changed_by_metrics(lab):
    """Measured delay at an attachment, or between hosts, moves traffic."""
    w = World(lab, branch=False)
    policy(w)
    w.up()
    w.wait_site("east")
    responder, probers = w.answering()
    w.tollwayd.metrics(metrics(element("attachment", point="acme-east",
                                       delay="50ms")))
    w.wait_site("west")
    wait_for("the LSA with 300", lambda: advertised(w.east) == 300, 12)
    w.tollwayd.metrics(metrics(
        element("attachment", point="acme-east", delay="0ms"),
        element("path", from_="h1", to="h3", delay="5ms")))
    w.wait_site("east")
    wait_for("the LSA with 100", lambda: advertised(w.east) == 100, 12)
    # The largest of the host pairs counts, and for every host.
    w.tollwayd.metrics(metrics(element("path", from_="h1", to="h2",
                                       delay="90ms")))
    w.wait_site("west")
    for prober in probers:
        result = prober.stop()
        assert result["lost"] == 0, result
    responder.stop()


def test_damping(lab):
    """A metric that jumps is taken over by halves, not at once."""
    w = World(lab, branch=False)
    policy(w, half_life="2s")
    w.up()
    w.wait_site("east")
    # The first value is taken at once, later ones approach.
    w.tollwayd.metrics(metrics(element("attachment", point="acme-east",
                                       delay="0ms")))
    start = now()
    w.tollwayd.metrics(metrics(element("attachment", point="acme-east",
                                       delay="40ms")))
    # 100 + 400 * (1 - 2^(-t / 2 s)) passes 300 after one half-life.
    w.wait_site("west", [w.web1], timeout=10)
    took = now() - start
    lab.measure("half-life 2 s: traffic moved after %.1f s", took)
    assert 1.0 < took < 6, took


def learned_world(lab, **more):
    """Both sites redistribute their LAN; nothing is stated."""
    w = World(lab, redistribute=[("connected", 20, 1)], **more)
    w.router.remove(w.router.find("destination"))
    w.west.redistributed = [("connected", 50, 1)]
    return w


def test_cost_changed_by_peer(lab):
    """A learned external's metric and a peer's interface cost decide."""
    w = learned_world(lab, branch=False).up()
    w.wait_site("east")
    responder, probers = w.answering()
    start = now()
    w.east.configure("router ospf",
                     "redistribute connected metric 200 metric-type 1")
    w.wait_site("west", [w.web1])
    lab.measure("peer's metric 20 -> 200: seen on west after %.0f ms, pings "
                "included", (now() - start) * 1e3)
    w.wait_site("west")
    w.east.configure("router ospf",
                     "redistribute connected metric 20 metric-type 1")
    w.wait_site("east")
    # E1 counts our distance to the border router: our own interface's cost.
    w.router.find("attachment[@name='dc-east']").set("cost", "300")
    w.submit()
    w.wait_site("west")
    for prober in probers:
        result = prober.stop()
        assert result["lost"] == 0, result
    responder.stop()


def test_site_loses_the_prefix(lab):
    """A site withdraws the prefix while its link and adjacency stay."""
    w = learned_world(lab).up()
    w.branch.wait_route(SITES)
    w.wait_site("east")
    responder, probers = w.answering()
    w.east.configure("router ospf", "no redistribute connected")
    w.wait_site("west")
    assert w.east.neighbors()[ROUTER_ID] == "Full"
    w.west.configure("router ospf", "no redistribute connected")
    wait_for("nobody to reach the server",
             lambda: not w.web1.ping(SERVER, timeout=0.2))
    w.branch.wait_no_route(SITES)
    w.east.configure("router ospf",
                     "redistribute connected metric 20 metric-type 1")
    w.wait_site("east")
    for prober in probers:
        prober.stop()
    responder.stop()


def test_equal_costs_share(lab):
    """Two ways of equal cost are both used, each flow keeping to one."""
    w = World(lab, branch=False)
    w.via("dc-west").set("cost", "100")
    w.up()
    before = [s.packets(s.uplink.device)[0] for s in w.sites]
    responder, probers = w.answering()

    def spread():
        probers.append(type(probers[0])(w.web1, SERVER, interval_us=20000))
        gained = [s.packets(s.uplink.device)[0] - b
                  for s, b in zip(w.sites, before)]
        return min(gained) > 100
    wait_for("both sites to get packets", spread, 20, 0.2)
    for prober in probers:
        result = prober.stop()
        assert result["lost"] == 0, result
    responder.stop()


def test_stated_against_learned(lab):
    """From subnets the stated cost decides, from attachments section 16."""
    w = World(lab)
    w.west.redistribute("connected", metric=1, type=2)
    w.up()
    w.branch.wait_route(SITES)
    wait_for("the office to go through west",
             lambda: w.site_of(w.office) == "west")
    w.wait_site("east")
    stated = w.router.find("destination")
    w.router.remove(stated)
    w.submit()
    w.wait_site("west")
    w.router.append(stated)
    w.submit()
    w.wait_site("east")
    wait_for("the office to go through west again",
             lambda: w.site_of(w.office) == "west")


def test_hundred_flips_lose_nothing(lab):
    """100 submitted changes of the exit; probes every 2 ms lose nothing."""
    w = World(lab, branch=False).up()
    w.wait_site("east")
    responder, probers = w.answering()
    times = []
    for i in range(100):
        site = ("west", "east")[i % 2]
        router = w.west if site == "west" else w.east
        before = router.packets(router.uplink.device)[0]
        start = now()
        w.move_exit(site)
        times.append(now() - start)
        wait_for("probes at %s" % site, lambda: router.packets(
            router.uplink.device)[0] > before + 30)
    results = [p.stop() for p in probers]
    responder.stop()
    times.sort()
    lab.measure("100 flips, submit --wait: median %.0f ms, longest %.0f ms; "
                "probes sent %s, lost %s, longest gap %.1f ms",
                times[50] * 1e3, times[-1] * 1e3,
                [r["sent"] for r in results], [r["lost"] for r in results],
                max(r["gap_ms"] for r in results))
    for result in results:
        assert result["lost"] == 0, result


def test_no_transit(lab):
    """With transit="no" nothing passes from one attachment to another."""
    w = World(lab)
    w.router.set("transit", "no")
    w.lab.parallel(w.start_routers, w.tollwayd.start)
    w.tollwayd.fabric(w.fabric)
    w.lab.parallel(w.plug, w.submit)
    for router in w.routers:
        router.wait_full()
        router.wait_route(WEB)
    w.wait_site("east")
    w.web2.wait_ping("10.9.0.10")
    w.office.never_ping(SERVER)
    for origin in (EAST, WEST):
        if origin in w.branch.database():
            raise LabError("the branch hears of %s" % origin)
