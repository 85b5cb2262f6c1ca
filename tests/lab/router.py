# SPDX-License-Identifier: Apache-2.0
"""The customer's own routers: FRR and BIRD in namespaces, and their wires.

Both are asked through their own sockets (FRR's vty sockets, BIRD's control
socket), which takes less than a millisecond, so that waiting for a state is
cheap.  Both classes answer in one form:

    neighbors()   {router ID: "Full" | "2-Way" | ...}
    route(prefix) [next-hop addresses of the selected route], [] if none
    wait_full(), wait_route(prefix, via=...)
"""

import ipaddress
import json
import os
import pwd
import re
import socket
import threading

from .core import LabError, Process, ip_batch, unix_accepts, wait_for
from .host import Endpoint, Ovs, Segment, veth

FRR_LIB = "/usr/lib/frr"
FRR_RUN = "/var/run/frr"


class Ospf:
    """OSPF settings of one router interface."""

    def __init__(self, area="0.0.0.0", network_type="point-to-point", hello=1,
                 dead=4, cost=None, priority=None, passive=False, bfd=None,
                 mtu_ignore=False):
        """`bfd` is (interval in ms, multiplier)."""
        self.area = area
        self.network_type = network_type
        self.hello, self.dead = hello, dead
        self.cost, self.priority = cost, priority
        self.passive = passive
        self.bfd = bfd
        self.mtu_ignore = mtu_ignore


class Port:
    """One interface of a router."""

    def __init__(self, device, address, ospf):
        self.device = device            # name in the router's namespace
        self.interface = ipaddress.ip_interface(address)
        self.ospf = ospf                # Ospf, or None: not an OSPF interface
        self.host = None                # far side, for attachments
        self.host_port = None
        self.segment = None             # Ethernet segment in between, or None
        self.segment_port = None        # the segment's end of our wire

    @property
    def ip(self):
        return str(self.interface.ip)


class Trunk(Ovs):
    """A site's VLAN switch: access ports for routers, one tagged wire into a
    host's br-int, which Host.add_port(host_port) plugs.  (It is Open vSwitch,
    as kernels without 802.1Q exist.)"""

    def __init__(self, lab, name, host, host_port, mtu=1500):
        super().__init__(lab, name)
        self.host, self.host_port = host, host_port
        self.start()
        veth(self.ns, "trunk", host.ns, host_port, mtu)
        self.mtu = mtu
        self.vsctl(["add-port", "br0", "trunk"])

    def _first_config(self):
        return ["--", "add-br", "br0", "--", "set", "Bridge", "br0",
                "datapath_type=netdev", "fail-mode=standalone"]

    def access(self, netns, device, vlan, mac=None):
        port = "v%d-%s" % (vlan, netns.rsplit("-", 1)[-1][:9])
        veth(netns, device, self.ns, port, self.mtu, mac)
        self.vsctl(["add-port", "br0", port, "tag=%d" % vlan])
        return port


class Router(Endpoint):
    """What FRR and BIRD routers have in common: namespace and wires."""

    def __init__(self, lab, name, router_id):
        self.lab = lab
        self.name = name
        self.router_id = router_id
        self.ns = lab.netns(name, forwarding=True)
        self.ports = []
        self.redistributed = []     # (kind, metric, type)
        # Operators of fast networks set these; with the defaults (5 s each)
        # two changes within five seconds would make every test wait.
        self.fast_timers = True
        self.output = ""

    def _add_port(self, device, address, ospf):
        if isinstance(ospf, dict):
            ospf = Ospf(**ospf)
        port = Port(device, address, ospf)
        self.ports.append(port)
        return port

    def _address(self, port):
        ip_batch(self.ns, ["addr add %s dev %s" % (port.interface,
                                                   port.device)])

    def attach(self, host, host_port, address, ospf=None, mtu=1500, mac=None,
               segment=False, plug=True):
        """A wire to the attachment port `host_port` of a host.

        `ospf`: Ospf or dict of its arguments.  `segment`: True puts a switch
        in between, so that a broken wire is seen by neither side's carrier; a
        Segment joins that one, whose wire to the host must have been made with
        attach_segment().  A Trunk is not attached this way but with
        attach_vlan()."""
        port = self._add_port("eth%d" % len(self.ports), address, ospf)
        port.host, port.host_port = host, host_port
        if segment is True:
            segment = Segment(self.lab, "s-" + host_port[:13], mtu)
            attach_segment(segment, host, host_port, plug=plug)
        if segment:
            port.segment = segment
            port.segment_port = segment.join(self.ns, port.device, mac)
        else:
            veth(self.ns, port.device, host.ns, host_port, mtu, mac)
            if plug:
                host.add_port(host_port)
        self._address(port)
        return port

    def attach_vlan(self, trunk, vlan, address, ospf=None, mac=None):
        port = self._add_port("eth%d" % len(self.ports), address, ospf)
        port.host, port.host_port = trunk.host, trunk.host_port
        trunk.access(self.ns, port.device, vlan, mac)
        self._address(port)
        return port

    def lan(self, segment, address, ospf=None, mac=None):
        """An interface on an Ethernet segment of the site."""
        port = self._add_port("eth%d" % len(self.ports), address, ospf)
        port.segment = segment
        port.segment_port = segment.join(self.ns, port.device, mac)
        self._address(port)
        return port

    def backup(self, prefix, via):
        """A route of the site's own for `prefix`, wider than what OSPF brings
        and therefore used only when OSPF brings nothing."""
        ip_batch(self.ns, ["route add %s via %s metric 9999" % (prefix, via)])

    def redistribute(self, kind, metric=20, type=2):
        """kind: "connected" or "kernel"; to be said before start()."""
        self.redistributed.append((kind, metric, type))

    def own_prefix(self, prefix, present=True):
        """A prefix that this site has (unreachable behind it), for
        redistribute("kernel")."""
        ip_batch(self.ns, ["route %s blackhole %s" % (
            "add" if present else "del", prefix)])

    # Failures.

    def cut(self, port, silent=False):
        """Breaks the wire of an attachment.  The host sees its carrier go,
        unless `silent`, for which the port needs a segment."""
        self._wire(port, silent, False)

    def mend(self, port, silent=False):
        self._wire(port, silent, True)

    def _wire(self, port, silent, up):
        if silent:
            port.segment.set_forwarding(up)
        elif port.segment:
            for end in (port.segment_port, ("h-" + port.host_port)[:15]):
                port.segment.set_port(end, up)
        else:
            # The router's own end goes down: the host's end loses carrier.
            ip_batch(self.ns, ["link set %s %s" % (
                port.device, "up" if up else "down")])

    def mac(self, port):
        out = self.run(["ip", "-j", "link", "show", port.device]).stdout
        return json.loads(out)[0]["address"]

    # Answers, in the form that both kinds share.

    def neighbors(self):
        raise NotImplementedError

    def route(self, prefix):
        raise NotImplementedError

    def wait_full(self, neighbor=None, count=1, timeout=15.0):
        """Waits until `neighbor` (a router ID), or `count` neighbours, are
        Full."""
        def full():
            states = self.neighbors()
            if neighbor:
                return states.get(neighbor) == "Full"
            return sum(s == "Full" for s in states.values()) >= count
        wait_for("%s to be Full with %s" % (self.name, neighbor or count),
                 full, timeout, 0.01)

    def wait_not_full(self, neighbor, timeout=15.0):
        wait_for("%s to lose %s" % (self.name, neighbor),
                 lambda: self.neighbors().get(neighbor) != "Full",
                 timeout, 0.01)

    def wait_bfd(self, peer, state="up", timeout=10.0):
        wait_for("BFD of %s with %s to be %s" % (self.name, peer, state),
                 lambda: self.bfd_peers().get(peer) == state, timeout, 0.01)

    def wait_route(self, prefix, via=None, timeout=15.0):
        """Waits for a selected route; `via`: one next hop that it must have."""
        def there():
            hops = self.route(prefix)
            return hops and (via is None or via in hops)
        wait_for("%s to have a route to %s%s" % (
            self.name, prefix, " via " + via if via else ""), there, timeout,
            0.01)

    def wait_no_route(self, prefix, timeout=15.0):
        wait_for("%s to lose its route to %s" % (self.name, prefix),
                 lambda: not self.route(prefix), timeout, 0.01)


def attach_segment(segment, host, host_port, plug=True):
    """Joins a broadcast segment to an attachment port of a host."""
    veth(segment.ns, ("h-" + host_port)[:15], host.ns, host_port, segment.mtu)
    ip_batch(segment.ns, ["link set %s master %s" % (
        ("h-" + host_port)[:15], segment.name)])
    if plug:
        host.add_port(host_port)


class Vty:
    """A connection to one FRR daemon's vty socket, as vtysh uses it: command
    and a null byte out; text, three null bytes and a status byte back."""

    def __init__(self, path):
        self.path = path
        self._socket = None
        self._lock = threading.Lock()

    def command(self, line):
        with self._lock:
            try:
                if self._socket is None:
                    self._socket = socket.socket(socket.AF_UNIX)
                    self._socket.settimeout(5)
                    self._socket.connect(self.path)
                    self._exchange("enable")
                return self._exchange(line)
            except OSError:
                self.close()
                raise

    def close(self):
        if self._socket:
            self._socket.close()
            self._socket = None

    def _exchange(self, line):
        self._socket.sendall(line.encode() + b"\0")
        data = b""
        while len(data) < 4 or data[-4:-1] != b"\0\0\0":
            chunk = self._socket.recv(65536)
            if not chunk:
                raise OSError("%s: closed" % self.path)
            data += chunk
        # CMD_SUCCESS and CMD_SUCCESS_DAEMON; CMD_WARNING is what "show" says
        # when there is nothing to show.
        good = (0, 1, 2) if line.startswith("show ") else (0, 2)
        if data[-1] not in good:
            raise LabError("%s: %r: status %d: %s" % (
                self.path, line, data[-1], data[:-4].decode(errors="replace")))
        return data[:-4].decode(errors="replace")


class FrrRouter(Router):
    """zebra, ospfd and (if an interface uses it) bfdd."""

    kind = "FRR"

    def __init__(self, lab, name, router_id):
        super().__init__(lab, name, router_id)
        self.pathspace = self.ns
        self.rundir = lab.outside_path(os.path.join(FRR_RUN, self.pathspace))
        self.extra = {"zebra": [], "ospfd": [], "bfdd": []}
        self.daemons = {}
        self._vty = {}

    def start(self):
        user = pwd.getpwnam("frr")
        os.makedirs(self.rundir)
        os.chown(self.rundir, user.pw_uid, user.pw_gid)
        names = ["zebra", "ospfd"]
        if any(p.ospf and p.ospf.bfd for p in self.ports):
            names.append("bfdd")
        self._start("zebra")
        wait_for("zebra of " + self.name,
                 lambda: unix_accepts(os.path.join(self.rundir, "zserv.api")))
        for name in names[1:]:
            self._start(name)
        for name in names:
            self._vty[name] = Vty(os.path.join(self.rundir, name + ".vty"))
            wait_for("%s of %s" % (name, self.name),
                     lambda: self._answers(name))
        return self

    def _answers(self, name):
        self.daemons[name].require()
        return self.command("show version", name)

    def _start(self, name):
        path = self.lab.path("%s-%s.conf" % (self.name, name))
        with open(path, "w") as f:
            f.write(getattr(self, "_conf_" + name)())
        os.chmod(path, 0o644)
        self.daemons[name] = Process(
            self.lab, "%s-%s" % (self.name, name),
            [os.path.join(FRR_LIB, name), "-N", self.pathspace, "-f", path,
             "-i", os.path.join(self.rundir, name + ".pid"), "-P", "0",
             "--log", "stdout", "--log-level", "info"], netns=self.ns)

    def _conf_zebra(self):
        return "\n".join(["hostname " + self.name, "ip forwarding"]
                         + self.extra["zebra"]) + "\n"

    def _conf_bfdd(self):
        return "\n".join(["hostname " + self.name, "bfd", "exit"]
                         + self.extra["bfdd"]) + "\n"

    def _conf_ospfd(self):
        out = ["hostname " + self.name]
        for port in self.ports:
            if port.ospf:
                out += ["interface " + port.device]
                out += [" " + line for line in self._ospf_lines(port.ospf)]
                if self.fast_timers:
                    out.append(" ip ospf retransmit-interval 3")
                out += ["exit"]
        out += ["router ospf", " ospf router-id " + self.router_id,
                " log-adjacency-changes"]
        if self.fast_timers:
            out += [" timers throttle lsa all 50", " timers lsa min-arrival 50",
                    " timers throttle spf 0 50 500"]
        for kind, metric, type in self.redistributed:
            out.append(" redistribute %s metric %d metric-type %d"
                       % (kind, metric, type))
        return "\n".join(out + self.extra["ospfd"] + ["exit"]) + "\n"

    @staticmethod
    def _ospf_lines(ospf):
        lines = ["ip ospf area " + ospf.area,
                 "ip ospf network " + ospf.network_type,
                 "ip ospf hello-interval %d" % ospf.hello,
                 "ip ospf dead-interval %d" % ospf.dead]
        if ospf.cost is not None:
            lines.append("ip ospf cost %d" % ospf.cost)
        if ospf.priority is not None:
            lines.append("ip ospf priority %d" % ospf.priority)
        if ospf.passive:
            lines.append("ip ospf passive")
        if ospf.mtu_ignore:
            lines.append("ip ospf mtu-ignore")
        if ospf.bfd:
            lines += ["ip ospf bfd %d %d %d" % (ospf.bfd[1], ospf.bfd[0],
                                                ospf.bfd[0])]
        return lines

    def command(self, line, daemon="ospfd"):
        return self._vty[daemon].command(line)

    def show(self, what, daemon="ospfd"):
        """`show WHAT json`, parsed."""
        return json.loads(self.command("show %s json" % what, daemon) or "{}")

    def vtysh(self, *commands):
        """The real vtysh, for text that people read."""
        argv = ["vtysh", "-N", self.pathspace]
        for command in commands:
            argv += ["-c", command]
        return self.run(argv).stdout

    def configure(self, *lines, daemon="ospfd"):
        """Changes the running configuration."""
        vty = self._vty[daemon]
        vty.command("configure terminal")
        try:
            for line in lines:
                vty.command(line)
        finally:
            vty.command("end")

    def set_cost(self, port, cost):
        self.configure("interface " + port.device, "ip ospf cost %d" % cost)

    def neighbors(self):
        states = {}
        for router_id, entries in self.show(
                "ip ospf neighbor").get("neighbors", {}).items():
            for entry in entries:
                state = (entry.get("nbrState") or entry["state"]).split("/")[0]
                if states.get(router_id) != "Full":
                    states[router_id] = state
        return states

    def route(self, prefix):
        for entry in self.show("ip route " + prefix, "zebra").get(prefix, []):
            if entry.get("selected"):
                return [h.get("ip") or h.get("interfaceName", "?")
                        for h in entry["nexthops"] if h.get("active")]
        return []

    def ospf_route(self, prefix):
        """ospfd's own entry for a prefix: {"routeType", "cost", ...}."""
        return self.show("ip ospf route").get(prefix)

    def database(self, what=""):
        return self.show("ip ospf database" + (" " + what if what else ""))

    def bfd_peers(self):
        return {p["peer"]: p["status"]
                for p in self.show("bfd peers", "bfdd")}

    def freeze(self):
        """SIGSTOP for all daemons; the kernel goes on forwarding."""
        for daemon in self.daemons.values():
            daemon.freeze()

    def thaw(self):
        for daemon in self.daemons.values():
            daemon.thaw()

    def stop(self):
        for daemon in self.daemons.values():
            daemon.kill()
        for vty in self._vty.values():
            vty.close()


class BirdRouter(Router):
    """BIRD 2 with OSPFv2."""

    kind = "BIRD"

    def __init__(self, lab, name, router_id):
        super().__init__(lab, name, router_id)
        self.ctl = lab.path(name + "-bird.ctl")
        self.conf = lab.path(name + "-bird.conf")
        self.bird = None
        self._socket = None
        self._lock = threading.Lock()

    def start(self):
        self._write_conf()
        self.bird = Process(self.lab, self.name + "-bird",
                            ["bird", "-f", "-c", self.conf, "-s", self.ctl,
                             "-P", self.lab.path(self.name + "-bird.pid")],
                            netns=self.ns)
        wait_for("BIRD of " + self.name, self._answers)
        return self

    def _answers(self):
        self.bird.require()
        return self.command("show status")

    def _write_conf(self):
        """BIRD exports what the kernel's own tables hold by "kernel", and
        interfaces' subnets by "connected", each with its metric."""
        out = ["log stderr all;", "router id %s;" % self.router_id,
               "protocol device { scan time 1; }"]
        exports = []
        for kind, metric, type in self.redistributed:
            source = {"connected": "RTS_DEVICE",
                      "kernel": "RTS_INHERIT"}[kind]
            exports.append("if source = %s then { ospf_metric%d = %d; accept; }"
                           % (source, type, metric))
        learn = any(r[0] == "kernel" for r in self.redistributed)
        if any(r[0] == "connected" for r in self.redistributed):
            out.append("protocol direct { ipv4; }")
        out += ["protocol kernel {", "  scan time 1;"]
        if learn:
            out.append("  learn;")
        out += ["  merge paths on;",
                "  ipv4 { export where source ~ [RTS_OSPF, RTS_OSPF_IA, "
                "RTS_OSPF_EXT1, RTS_OSPF_EXT2]; };", "}",
                "protocol ospf v2 tollway_peer {", "  ecmp yes;",
                "  ipv4 {", "    import all;",
                "    export filter { %s reject; };" % " ".join(exports),
                "  };"]
        areas = {}
        for port in self.ports:
            if port.ospf:
                areas.setdefault(port.ospf.area, []).append(port)
        for area, ports in sorted(areas.items()):
            out.append("  area %s {" % area)
            for port in ports:
                out += ["    " + line for line in
                        self._ospf_lines(port, self.fast_timers)]
            out.append("  };")
        out.append("}")
        bfd = [p for p in self.ports if p.ospf and p.ospf.bfd]
        if bfd:
            out.append("protocol bfd {")
            for port in bfd:
                out.append('  interface "%s" { interval %d ms; multiplier %d; };'
                           % (port.device, port.ospf.bfd[0], port.ospf.bfd[1]))
            out.append("}")
        with open(self.conf, "w") as f:
            f.write("\n".join(out) + "\n")

    @staticmethod
    def _ospf_lines(port, fast_timers):
        ospf = port.ospf
        short = {"point-to-point": "pointopoint", "broadcast": "broadcast"}
        lines = ['interface "%s" {' % port.device,
                 "  type %s;" % short[ospf.network_type],
                 "  hello %d; dead %d;" % (ospf.hello, ospf.dead)]
        if ospf.cost is not None:
            lines.append("  cost %d;" % ospf.cost)
        if ospf.priority is not None:
            lines.append("  priority %d;" % ospf.priority)
        if ospf.passive:
            lines.append("  stub yes;")
        if ospf.bfd:
            lines.append("  bfd yes;")
        if fast_timers:
            lines.append("  retransmit 2;")
        return lines + ["};"]

    def command(self, line):
        """A birdc command's text, without reply codes."""
        with self._lock:
            try:
                if self._socket is None:
                    self._socket = socket.socket(socket.AF_UNIX)
                    self._socket.settimeout(5)
                    self._socket.connect(self.ctl)
                    self._read_reply()
                self._socket.sendall(line.encode() + b"\n")
                return self._read_reply()
            except OSError:
                if self._socket:
                    self._socket.close()
                self._socket = None
                raise

    def _read_reply(self):
        data = b""
        while True:
            chunk = self._socket.recv(65536)
            if not chunk:
                raise OSError("BIRD closed its socket")
            data += chunk
            if data.endswith(b"\n"):
                last = data.rstrip(b"\n").rpartition(b"\n")[2]
                if re.match(rb"\d{4} ", last):
                    break
        lines = []
        for line in data.decode(errors="replace").splitlines():
            coded = re.match(r"(\d{4})[- ](.*)", line)
            if coded and coded.group(1) == "8001":      # Network not found
                return ""
            if coded and coded.group(1)[0] in "89":
                raise LabError("%s: %s" % (self.name, coded.group(2)))
            lines.append(coded.group(2) if coded else line[1:])
        return "\n".join(lines)

    def birdc(self, *words):
        """The real birdc, for text that people read."""
        return self.run(["birdc", "-s", self.ctl] + list(words)).stdout

    def reconfigure(self):
        """Applies changed ports and redistribution."""
        self._write_conf()
        return self.command('configure "%s"' % self.conf)

    def set_cost(self, port, cost):
        port.ospf.cost = cost
        self.reconfigure()

    def neighbors(self):
        states = {}
        for line in self.command("show ospf neighbors").splitlines():
            found = re.match(r"(\d+\.\d+\.\d+\.\d+)\s+\d+\s+(\S+)", line)
            if found:
                state = found.group(2).split("/")[0]
                if states.get(found.group(1)) != "Full":
                    states[found.group(1)] = state
        return states

    def route(self, prefix):
        hops, selected = [], False
        for line in self.command("show route for " + prefix
                                 if "/" not in prefix
                                 else "show route " + prefix).splitlines():
            if " unicast [" in line or " blackhole [" in line:
                selected = " * " in line
            found = re.match(r"\s+via (\S+) on", line)
            if found and selected:
                hops.append(found.group(1))
            found = re.match(r"\s+dev (\S+)", line)
            if found and selected:
                hops.append(found.group(1))
        return hops

    def ospf_route(self, prefix):
        """The selected route's OSPF attributes, as a dict of text."""
        text = self.command("show route %s all" % prefix)
        found = dict(re.findall(r"OSPF\.(\w+): (\S+)", text))
        kind = re.search(r"\b(I|IA|E1|E2) \(\d+", text)
        preference = re.search(r"\(\d+/([\d/]+)\)", text)
        if kind:
            found["type"] = kind.group(1)
        if preference:
            found["cost"] = preference.group(1)
        return found or None

    def database(self, what="all"):
        return self.command("show ospf state " + what)

    def lsadb(self):
        """[(type, LS ID, router, sequence, age)]"""
        rows = []
        for line in self.command("show ospf lsadb").splitlines():
            fields = line.split()
            if len(fields) >= 5 and re.fullmatch("[0-9a-f]{4}", fields[0]):
                rows.append((int(fields[0], 16), fields[1], fields[2],
                             int(fields[3], 16), int(fields[4])))
        return rows

    def bfd_peers(self):
        peers = {}
        for line in self.command("show bfd sessions").splitlines():
            fields = line.split()
            if len(fields) > 2 and fields[0].count(".") == 3:
                peers[fields[0]] = fields[2].lower()
        return peers

    def freeze(self):
        self.bird.freeze()

    def thaw(self):
        self.bird.thaw()

    def stop(self):
        self.bird.kill()
        if self._socket:
            self._socket.close()
            self._socket = None


class Server(Endpoint):
    """A machine of the customer's, on a LAN behind one or more routers."""

    def __init__(self, lab, name, segment, address, gateway=None):
        self.lab = lab
        self.name = name
        self.ns = lab.netns(name)
        self.address = address.split("/")[0]
        self.segment_port = segment.join(self.ns, "eth0")
        lines = ["addr add %s dev eth0" % address]
        if gateway:
            lines.append("route add default via " + gateway)
        ip_batch(self.ns, lines)
        self.output = ""
