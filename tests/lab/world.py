# SPDX-License-Identifier: Apache-2.0
"""The topology that the demo and most interop tests use.

    web1 -- h1 ---- h2 -- web2         h1: BIRD  branch, before an office
              \    /                   h2: FRR   dc-east  \
               h3 -- web3              h3: FRR   dc-west  / one server

The server 203.0.113.10 is on a LAN with dc-east (203.0.113.1, its gateway) and
dc-west (203.0.113.2).  That LAN is not in OSPF; what leads there is the
customer's stated destination.  A site that has no OSPF route back sends
answers across the LAN to the other one."""

from .core import ip_batch, wait_for
from .host import Node, Segment
from .probe import Prober, Responder
from .router import BirdRouter, FrrRouter, Ospf, Server, Trunk
from .tollway import Tollwayd, customer, element, fabric, point

SERVER = "203.0.113.10"
SITES = "203.0.113.0/24"
WEB = "10.0.1.0/24"
OFFICE = "10.9.0.0/24"
ROUTER_ID = "192.0.2.1"
EAST, WEST, BRANCH = "198.51.100.1", "198.51.100.2", "198.51.100.3"


class World:
    """All of it, or parts of it.

        w = World(lab, branch=False).up()
        w.via("dc-east").set("cost", "900"); w.submit()
    """

    def __init__(self, lab, branch=True, bfd=None, segments=False, vlans=False,
                 static=False, uplink_mac=None, nodes=True, ospf=None,
                 redistribute=()):
        """`bfd`: (ms, multiplier) on all attachments.  `segments`: switches
        before dc-east and dc-west, for silent failures.  `vlans`: both sites
        on VLANs 10 and 20 of one port of h2.  `static`: no OSPF at the sites;
        the configuration names next hops, the sites' routers have static
        routes.  `uplink_mac`: the same MAC address for both sites' routers.
        `nodes`: False leaves them to the caller (add_node), who then submits
        documents of its own.
        `ospf`: arguments for Ospf (point-to-point, hello 1 s, dead 4 s).
        `redistribute`: [(kind, metric, type)] at both sites."""
        self.lab = lab
        self.bfd, self.static, self.vlans = bfd, static, vlans
        self.segments, self.uplink_mac = segments, uplink_mac
        self.ospf = dict(ospf or {})
        self.h1, self.h2, self.h3 = self.hosts = lab.hosts("h1", "h2", "h3")
        self.tollwayd = Tollwayd(lab)
        self.lan = Segment(lab, "lan")
        self.trunk = Trunk(lab, "trunk", self.h2, "acme-trunk") \
            if vlans else None
        self.routers = []           # those that run OSPF
        self.east = self._site("dc-east", EAST, self.h2, "acme-east", 10,
                               "169.254.10.2/30", "203.0.113.1/24")
        self.west = self._site("dc-west", WEST, self.h3, "acme-west", 20,
                               "169.254.10.6/30", "203.0.113.2/24")
        self.sites = [self.east, self.west]
        for site, other in ((self.east, "203.0.113.2"),
                            (self.west, "203.0.113.1")):
            site.backup("10.0.0.0/8", other)
            for what in redistribute:
                site.redistribute(*what)
        if static:
            for site, gateway in ((self.east, "169.254.10.1"),
                                  (self.west, "169.254.10.5")):
                ip_batch(site.ns, ["route add %s via %s" % (WEB, gateway)])
        self.branch = self._branch() if branch else None
        self.server = Server(lab, "server", self.lan, SERVER + "/24",
                             "203.0.113.1")
        self.nodes = []
        if nodes:
            for i, host in enumerate(self.hosts):
                self.add_node("web%d" % (i + 1), host,
                              "02:00:0a:00:01:%02x" % (10 + i),
                              "10.0.1.%d/24" % (10 + i))
            self.web1, self.web2, self.web3 = self.nodes
        self.fabric = self._fabric()
        self.config = self._config()

    def add_node(self, name, host, mac, ip):
        node = Node(self.lab, host, "acme/prod/" + name, mac, ip, "10.0.1.1")
        self.nodes.append(node)
        return node

    def _ospf(self):
        return Ospf(bfd=self.bfd, **self.ospf)

    def _site(self, name, router_id, host, port, vlan, address, lan):
        router = FrrRouter(self.lab, name, router_id)
        ospf = None if self.static else self._ospf()
        if self.vlans:
            router.uplink = router.attach_vlan(self.trunk, vlan, address, ospf,
                                               mac=self.uplink_mac)
        else:
            router.uplink = router.attach(host, port, address, ospf,
                                          mac=self.uplink_mac,
                                          segment=self.segments, plug=False)
        router.lan(self.lan, lan)
        if not self.static:
            self.routers.append(router)
        return router

    def _branch(self):
        branch = BirdRouter(self.lab, "branch", BRANCH)
        branch.uplink = branch.attach(self.h1, "acme-branch",
                                      "169.254.10.10/30", self._ospf(),
                                      plug=False)
        office = Segment(self.lab, "office")
        branch.lan(office, "10.9.0.1/24", Ospf(passive=True))
        self.office = Server(self.lab, "pc", office, "10.9.0.10/24", "10.9.0.1")
        self.routers.append(branch)
        return branch

    def attachment(self, name, point, address, ospf=True, **more):
        """An attachment element with this world's OSPF and BFD settings."""
        settings = self._ospf()
        return element(
            "attachment",
            element("ospf", area=settings.area,
                    network_type=settings.network_type,
                    hello_interval=settings.hello,
                    dead_interval=settings.dead) if ospf else None,
            element("bfd", interval="%dms" % self.bfd[0],
                    multiplier=self.bfd[1]) if self.bfd else None,
            name=name, point=point, address=address, **more)

    def _fabric(self):
        root = fabric(self.hosts)
        if self.vlans:
            root.append(point("acme-trunk", self.h2, "acme-trunk",
                              vlans="10,20"))
        else:
            root.append(point("acme-east", self.h2, "acme-east"))
            root.append(point("acme-west", self.h3, "acme-west"))
        if self.branch:
            root.append(point("acme-branch", self.h1, "acme-branch"))
        for node in self.nodes:
            root.append(element("pin", node=node.iface_id,
                                host=node.host.name))
        return root

    def _config(self):
        ospf = not self.static
        east = west = {}
        if self.vlans:
            east, west = {"vlan": 10}, {"vlan": 20}
        points = ["acme-trunk"] * 2 if self.vlans else ["acme-east",
                                                        "acme-west"]
        router = element(
            "router",
            element("interface", subnet="web", address="10.0.1.1", cost=10),
            self.attachment("dc-east", points[0], "169.254.10.1/30", ospf,
                            **east),
            self.attachment("dc-west", points[1], "169.254.10.5/30", ospf,
                            **west),
            self.attachment("branch", "acme-branch", "169.254.10.9/30")
            if self.branch else None,
            element("destination",
                    element("via", attachment="dc-east", cost=100,
                            next_hop=None if ospf else "169.254.10.2"),
                    element("via", attachment="dc-west", cost=300,
                            next_hop=None if ospf else "169.254.10.6"),
                    prefix=SITES, advertise="e2"),
            name="edge", router_id=ROUTER_ID)
        network = element("network", element("subnet", name="web", prefix=WEB),
                          name="prod")
        for i, node in enumerate(self.nodes):
            network.append(element("node", name="web%d" % (i + 1),
                                   subnet="web", mac=node.mac,
                                   address=node.address))
        network.append(router)
        return customer("acme", network)

    # Parts of the configuration, to be changed before submit().

    @property
    def network(self):
        return self.config.find("network")

    @property
    def router(self):
        return self.config.find("network/router[@name='edge']")

    def via(self, attachment):
        return self.router.find("destination/via[@attachment='%s']"
                                % attachment)

    def submit(self, *options, wait=True):
        return self.tollwayd.submit(self.config, *options, wait=wait)

    # Bringing it up.

    def start_routers(self):
        self.lab.parallel(*[r.start for r in self.routers])

    def plug(self):
        """Adds all nodes' and routers' ports to the bridges."""
        def plug_host(host):
            for router in set(self.sites + self.routers):
                for port in router.ports:
                    if port.host is host:
                        host.add_port(port.host_port)
            for node in self.nodes:
                if node.host is host:
                    node.plug()
        self.lab.parallel(*[lambda h=h: plug_host(h) for h in self.hosts])

    def move_exit(self, site):
        """Makes one of "east", "west" the cheaper way by submitting it."""
        self.via("dc-east").set("cost", "100" if site == "east" else "500")
        return self.submit()

    def answering(self, port=9000):
        """A responder at the server and a prober from every node."""
        responder = Responder(self.server, port)
        probers = [Prober(n, SERVER, port) for n in self.nodes]
        for prober in probers:
            wait_for("probes to be answered",
                     lambda p=prober: p.snapshot()["received"] > 20)
            prober.mark()
        return responder, probers

    def up(self):
        """Starts everything, submits fabric and configuration, and waits until
        all neighbours are Full and every node reaches the server."""
        self.lab.parallel(self.start_routers, self.tollwayd.start)
        self.tollwayd.fabric(self.fabric)
        self.lab.parallel(self.plug, lambda: self.submit())
        self.settle()
        return self

    def settle(self, timeout=25):
        for router in self.routers:
            router.wait_full(ROUTER_ID, timeout=timeout)
        for router in self.routers:
            router.wait_route(WEB, timeout=timeout)
        for node in self.nodes:
            node.wait_ping(SERVER, timeout=timeout)

    # What is observed.

    def site_of(self, source, target=SERVER, timeout=0.3):
        """Which site's router pings from `source` pass: "east", "west", "both"
        or, if none is answered, None.  Found by counting what arrives at the
        routers; OSPF, ARP and BFD are fewer than half of the pings."""
        def arrived():
            return [s.packets(s.uplink.device)[0] for s in self.sites]
        before = arrived()
        if not source.ping(target, count=40, timeout=timeout, interval=0.01):
            return None
        east, west = [a - b for a, b in zip(arrived(), before)]
        if east >= 20 and west >= 20:
            return "both"
        return "east" if east >= 20 else "west" if west >= 20 else None

    def wait_site(self, site, sources=None, target=SERVER, timeout=10):
        """Waits until packets of all nodes (or `sources`) pass this site."""
        for source in sources or self.nodes:
            wait_for("%s to go through %s" % (source.name, site),
                     lambda: self.site_of(source, target) == site, timeout)
