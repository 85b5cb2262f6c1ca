# SPDX-License-Identifier: Apache-2.0
"""Hosts with a real Open vSwitch each, nodes on them, and Ethernet segments.

A host is a namespace with its own ovsdb-server and ovs-vswitchd (userspace
datapath), whose sockets lie in `host.rundir`:

    host.db_socket      OVSDB of the host, reached as unix:PATH
    host.mgmt("br-int") management socket of a bridge, for OpenFlow

    node --veth-- br-int ~~tunnel~~ br-phy --veth-- underlay segment

br-phy holds the tunnel address (172.31.0.N/24).  br-int is made by tollwayd;
a port that is plugged before that waits for it."""

import os
import re

from .core import LabError, Process, ip_batch, now, run, sh, unix_accepts, \
    wait_for
from . import core


def veth(ns_a, name_a, ns_b, name_b, mtu=1500, mac_a=None, mac_b=None):
    """A veth pair between two namespaces, both ends up, checksums computed
    before a packet leaves (the userspace datapath does not do it)."""
    lines = ["link add name %s netns %s%s mtu %d type veth peer name %s "
             "netns %s%s mtu %d"
             % (name_a, ns_a, " address " + mac_a if mac_a else "", mtu,
                name_b, ns_b, " address " + mac_b if mac_b else "", mtu)]
    ip_batch(None, lines)
    for ns, name in ((ns_a, name_a), (ns_b, name_b)):
        run(["ethtool", "-K", name, "tx", "off"], netns=ns)
        ip_batch(ns, ["link set %s up" % name])


class Segment:
    """An Ethernet segment: a Linux bridge in the lab's switch namespace."""

    def __init__(self, lab, name, mtu=1500):
        self.lab = lab
        self.name = name
        self.mtu = mtu
        self.ns = lab.switch
        ip_batch(self.ns, [
            "link add %s type bridge stp_state 0 forward_delay 0 "
            "mcast_snooping 0" % name,
            "link set %s up" % name])

    def join(self, netns, device, mac=None):
        """Gives `netns` an interface `device` on this segment.  Returns the
        name of the segment's own end."""
        port = ("%s-%s" % (netns.split("-", 1)[1], device))[-15:].lstrip("-")
        veth(netns, device, self.ns, port, self.mtu, mac)
        ip_batch(self.ns, ["link set %s master %s" % (port, self.name)])
        return port

    def set_port(self, port, up):
        """Cuts or mends one member's wire: it sees its carrier go."""
        ip_batch(self.ns, ["link set %s %s" % (port, "up" if up else "down")])

    def set_forwarding(self, up):
        """With False everything is lost, but every member keeps carrier."""
        ip_batch(self.ns, ["link set %s %s"
                           % (self.name, "up" if up else "down")])


class Ovs:
    """A namespace with ovsdb-server and ovs-vswitchd of its own."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.ns = None
        self.rundir = lab.path(name)
        self.db_socket = os.path.join(self.rundir, "db.sock")
        self.db = "unix:" + self.db_socket
        self.env = {"OVS_RUNDIR": self.rundir, "OVS_DBDIR": self.rundir,
                    "OVS_LOGDIR": self.rundir, "OVS_SYSCONFDIR": self.rundir}
        self.ovsdb = None
        self.vswitchd = None

    def start(self):
        os.makedirs(self.rundir)
        self.ns = self.lab.netns(self.name)
        self.lab.fresh_vswitch_db(os.path.join(self.rundir, "conf.db"))
        self.ovsdb = Process(
            self.lab, self.name + "-ovsdb",
            ["ovsdb-server", os.path.join(self.rundir, "conf.db"),
             "--remote=p" + self.db, "--unixctl=" + self._ctl("ovsdb-server"),
             "-vconsole:warn", "-vsyslog:off"],
            netns=self.ns, env=self.env)
        wait_for("ovsdb-server of " + self.name,
                 lambda: unix_accepts(self.db_socket))
        self.vsctl(["--no-wait", "init", "--", "set", "Open_vSwitch", ".",
                    "external_ids:system-id=" + self.name,
                    "external_ids:hostname=" + self.name,
                    "other_config:n-handler-threads=1",
                    "other_config:n-revalidator-threads=1"]
                   + self._first_config())
        self.start_vswitchd()

    def _first_config(self):
        """More arguments for the first ovs-vsctl."""
        return []

    def _ctl(self, daemon):
        return os.path.join(self.rundir, daemon + ".ctl")

    def start_vswitchd(self):
        """Starts ovs-vswitchd and waits until it has applied the database."""
        self.vswitchd = Process(
            self.lab, self.name + "-vswitchd",
            ["ovs-vswitchd", self.db, "--disable-system", "--pidfile",
             "--unixctl=" + self._ctl("ovs-vswitchd"), "-vconsole:off",
             "-vsyslog:off", "--log-file=" + self.lab.path(
                 self.name + "-vswitchd.log")],
            netns=self.ns, env=self.env)
        self.vsctl(["set", "Open_vSwitch", ".",
                    "external_ids:lab-start=%d" % self.vswitchd.pid])
        self._after_vswitchd()

    def _after_vswitchd(self):
        """What a host's own network set-up does once its bridges exist."""

    def kill_vswitchd(self):
        """SIGKILL: nothing is forwarded until it is started again."""
        self.vswitchd.kill()

    def mgmt(self, bridge="br-int"):
        return os.path.join(self.rundir, bridge + ".mgmt")

    def vsctl(self, args, check=True, timeout=10):
        """ovs-vsctl; returns its output.  Without --no-wait it returns when
        ovs-vswitchd has done what was asked."""
        args = args.split() if isinstance(args, str) else list(args)
        return run(["ovs-vsctl", "--db=" + self.db, "--timeout=%d" % timeout]
                   + args, env=dict(os.environ, **self.env), check=check,
                   timeout=timeout + 5).stdout.strip()

    def ofctl(self, command, *args, bridge="br-int", protocol="OpenFlow15",
              input=None, options=()):
        """ovs-ofctl COMMAND on a bridge, through its management socket."""
        return sh(["ovs-ofctl", "-O", protocol, "--names"] + list(options)
                  + [command, "unix:" + self.mgmt(bridge)] + list(args),
                  input=input, env=dict(os.environ, **self.env))

    def appctl(self, *args):
        return sh(["ovs-appctl", "-t", self._ctl("ovs-vswitchd")] + list(args))

    def trace(self, flow, bridge="br-int", *args):
        """ofproto/trace: what the bridge would do with a packet."""
        return self.appctl("ofproto/trace", bridge, flow, *args)

    def flows(self, bridge="br-int"):
        """The installed flows as sorted text lines without counters, with
        groups and meters: equal lists mean that nothing was changed."""
        out = []
        for line in self.ofctl("dump-flows", bridge=bridge,
                               options=["--no-stats"]).splitlines():
            if "NXST" not in line and "OFPST" not in line:
                out.append(line.strip())
        for line in self.ofctl("dump-groups", bridge=bridge).splitlines():
            if "group_id=" in line:
                out.append(line.strip())
        return sorted(out)

    def flow_ages(self, bridge="br-int"):
        """{flow: seconds since it was installed or changed}.  The difference
        of two of these shows flows that were replaced by equal ones."""
        ages = {}
        for line in self.ofctl("dump-flows", bridge=bridge).splitlines():
            match = re.search(r"duration=([\d.]+)s", line)
            if match:
                key = re.sub(r"(duration|n_packets|n_bytes|idle_age|hard_age)="
                             r"[^,]*, ?", "", line).strip()
                ages[key] = float(match.group(1))
        return ages

    def port_up(self, port):
        return self.vsctl(["get", "Interface", port, "link_state"]) == "up"


class Host(Ovs):
    """A hypervisor: br-phy on the underlay, and br-int."""

    def __init__(self, lab, name, underlay=None):
        super().__init__(lab, name)
        with lab._lock:
            lab._host_count += 1
            self.number = lab._host_count
            if underlay is None:
                underlay = getattr(lab, "_underlay", None)
                if underlay is None:
                    underlay = Segment(lab, "underlay", lab.underlay_mtu)
                    lab._underlay = underlay
        self.underlay = underlay
        self.underlay_mtu = underlay.mtu
        self.underlay_port = None
        self.tunnel_ip = "172.31.%d.%d" % (self.number // 250,
                                           1 + self.number % 250)
        self.phy_mac = "02:1f:00:00:%02x:%02x" % divmod(self.number, 256)

    def start(self):
        super().start()
        return self

    def _first_config(self):
        self.underlay_port = self.underlay.join(self.ns, "phy0")
        args = ["--", "add-br", "br-phy", "--", "set", "Bridge", "br-phy",
                "datapath_type=netdev", "fail-mode=standalone",
                'other_config:hwaddr="%s"' % self.phy_mac,
                "--", "add-port", "br-phy", "phy0",
                "--", "set", "Interface", "br-phy",
                "mtu_request=%d" % self.underlay_mtu]
        if self.lab.create_br_int:
            args += self._br_int_args()
        return args

    @staticmethod
    def _br_int_args():
        return ["--", "--may-exist", "add-br", "br-int", "--", "set", "Bridge",
                "br-int", "datapath_type=netdev", "fail-mode=secure",
                "protocols=OpenFlow15"]

    def _after_vswitchd(self):
        ip_batch(self.ns, ["addr replace %s/16 dev br-phy" % self.tunnel_ip,
                           "link set br-phy up mtu %d" % self.underlay_mtu])

    def set_underlay(self, up):
        """Cuts the host from, or joins it to, the other hosts."""
        self.underlay.set_port(self.underlay_port, up)

    def add_port(self, device, iface_id=None, timeout=20, **columns):
        """Adds an existing interface of this namespace to br-int, waiting for
        br-int if it is not there."""
        args = ["wait-until", "Bridge", "br-int", "--", "--may-exist",
                "add-port", "br-int", device]
        sets = ["%s=%s" % c for c in columns.items()]
        if iface_id:
            sets.append('external_ids:iface-id="%s"' % iface_id)
        if sets:
            args += ["--", "set", "Interface", device] + sets
        self.vsctl(args, timeout=timeout)

    def del_port(self, device):
        self.vsctl(["--if-exists", "del-port", "br-int", device])


class Endpoint:
    """Anything with a namespace from which commands are run."""

    lab = None
    name = None
    ns = None

    def run(self, argv, **kwargs):
        return run(argv, netns=self.ns, **kwargs)

    def spawn(self, argv, name=None, **kwargs):
        """A command in the background, stopped with the lab."""
        return Process(self.lab, "%s-%s" % (self.name, name or
                                            os.path.basename(str(argv[0]))),
                       argv, netns=self.ns, **kwargs)

    def ping(self, target, count=1, timeout=1.0, size=None, options=(),
             interval=0.05):
        """True if at least one answer came.  The output is in self.output."""
        argv = ["ping", "-n", "-c", str(count), "-i", str(interval),
                "-W", str(timeout)] + list(options)
        if size is not None:
            argv += ["-s", str(size), "-M", "do"]
        done = self.run(argv + [target], check=False,
                        timeout=count * (timeout + 1) + 5)
        self.output = done.stdout + done.stderr
        return done.returncode == 0

    def wait_ping(self, target, timeout=10.0):
        """Waits until `target` answers; returns the seconds it took."""
        start = now()
        wait_for("%s to reach %s" % (self.name, target),
                 lambda: self.ping(target, timeout=0.2), timeout)
        return now() - start

    def never_ping(self, target, count=3):
        if self.ping(target, count=count, timeout=0.3):
            raise LabError("%s reaches %s, which must not be\n%s"
                           % (self.name, target, self.output))

    def traceroute(self, target, hops=8):
        """The addresses on the way, "*" where nobody answered, ending with
        the target's if it was reached."""
        out = self.run(["traceroute", "-n", "-I", "-q", "2", "-w", "1", "-m",
                        str(hops), target], check=False, timeout=60).stdout
        self.output = out
        path = []
        for line in out.splitlines()[1:]:
            found = re.search(r"\d+\.\d+\.\d+\.\d+", line)
            path.append(found.group(0) if found else "*")
        while path and path[-1] == "*":
            path.pop()
        return path

    def packets(self, device):
        """(received, sent) packets of an interface since it was made."""
        def read():
            with open("/proc/thread-self/net/dev") as f:
                for line in f:
                    name, _, rest = line.partition(":")
                    if name.strip() == device:
                        fields = rest.split()
                        return int(fields[1]), int(fields[9])
            raise LabError("no interface %s in %s" % (device, self.ns))
        return core.in_netns(self.ns, read)


class Node(Endpoint):
    """A computing node (a namespace in the place of a virtual machine)."""

    def __init__(self, lab, host, iface_id, mac=None, ip=None, gw=None,
                 mtu=1450, name=None):
        """`iface_id` is customer/network/node; `ip` has a prefix length.
        MAC, address and gateway may follow later with configure()."""
        self.lab = lab
        self.host = host
        self.iface_id = iface_id
        self.name = name or iface_id.replace("/", "-")
        self.mac, self.ip, self.gw, self.mtu = mac, ip, gw, mtu
        short = self.name.rsplit("-", 1)[-1]
        with lab._lock:
            lab._node_count = getattr(lab, "_node_count", 0) + 1
            self.device = ("n%d-%s" % (lab._node_count, short))[:15]
        self.ns = lab.netns(self.name)
        veth(self.ns, "eth0", host.ns, self.device, mtu, mac)
        if ip:
            self.configure()
        self.output = ""

    @property
    def address(self):
        return self.ip.split("/")[0]

    def configure(self, mac=None, ip=None, gw=None, mtu=None, more=()):
        """Sets what the virtual machine's own network set-up would: with
        `more`, further addresses (each with its prefix length)."""
        self.mac, self.ip = mac or self.mac, ip or self.ip
        self.gw, self.mtu = gw or self.gw, mtu or self.mtu
        lines = ["addr flush dev eth0"]
        if self.mac:
            lines.append("link set eth0 address " + self.mac)
        lines += ["link set eth0 up mtu %d" % self.mtu,
                  "addr add %s dev eth0" % self.ip]
        lines += ["addr add %s dev eth0" % a for a in more]
        if self.gw:
            lines.append("route replace default via %s" % self.gw)
        ip_batch(self.ns, lines)

    def plug(self, **kwargs):
        """Adds the port to br-int, as the hypervisor's agent does."""
        self.host.add_port(self.device, self.iface_id, **kwargs)
        return self

    def unplug(self):
        self.host.del_port(self.device)

    def move(self, host):
        """To another host, keeping MAC, address and all that runs in it."""
        old = self.host
        old.del_port(self.device)
        ip_batch(old.ns, ["link set %s netns %s" % (self.device, host.ns)])
        ip_batch(host.ns, ["link set %s up" % self.device])
        self.host = host
        self.plug()
