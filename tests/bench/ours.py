# SPDX-License-Identifier: Apache-2.0
"""Tollway under measurement: three hosts, two FRR sites, N nodes."""

import os
import socket
import time
import xml.etree.ElementTree as ElementTree

from lab import Host, Lab, LabError, Process, World, element, metrics, wait_for

NODES_PER_SUBNET = 50
ROUTES_TABLE = 4        # in controller/flow/pipeline.h


class DummyHost(Host):
    """A host whose ovs-vswitchd also knows interfaces of type dummy, which
    cost nothing while no packet comes."""

    def start_vswitchd(self):
        self.vswitchd = Process(
            self.lab, self.name + "-vswitchd",
            ["ovs-vswitchd", self.db, "--disable-system", "--enable-dummy",
             "--unixctl=" + self._ctl("ovs-vswitchd"), "-vconsole:off",
             "-vsyslog:off", "--log-file=" + self.lab.path(
                 self.name + "-vswitchd.log")],
            netns=self.ns, env=self.env)
        self.vsctl(["set", "Open_vSwitch", ".",
                    "external_ids:lab-start=%d" % self.vswitchd.pid])
        self._after_vswitchd()

    def add_dummies(self, ports):
        """Adds [(interface, iface-id)] to br-int, in one transaction."""
        args = ["wait-until", "Bridge", "br-int"]
        for device, iface_id in ports:
            args += ["--", "add-port", "br-int", device, "--", "set",
                     "Interface", device, "type=dummy",
                     'external_ids:iface-id="%s"' % iface_id]
        self.vsctl(args, timeout=120)


class BenchLab(Lab):
    """A lab all of whose hosts are DummyHosts."""

    def hosts(self, *names):
        hosts = [DummyHost(self, name) for name in names]
        self.switch
        self.parallel(*[h.start for h in hosts])
        return hosts


def subnets(n):
    """[(number, nodes)] of the subnets that n nodes are on: the same in both
    systems."""
    return [(i // NODES_PER_SUBNET + 1, min(NODES_PER_SUBNET, n - i))
            for i in range(0, n, NODES_PER_SUBNET)]


def places(n, hosts):
    """{host: [(node's name, its subnet's number, address)]}, spread evenly."""
    spread, serial = {h: [] for h in hosts}, 0
    for subnet, count in subnets(n):
        for i in range(count):
            serial += 1
            spread[hosts[serial % len(hosts)]].append(
                ("n%d" % serial, subnet, "10.0.%d.%d" % (subnet, 10 + i)))
    return spread


class Api:
    """One open HTTP connection to tollwayd's socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(path)

    @staticmethod
    def request(method, target, body=b""):
        return (b"%s %s HTTP/1.1\r\nHost: tollway\r\n"
                b"Content-Type: application/xml\r\nContent-Length: %d\r\n\r\n"
                % (method.encode(), target.encode(), len(body))) + body

    def send(self, request):
        """Writes a request; returns the time (ns) right before."""
        t0 = time.monotonic_ns()
        self._socket.sendall(request)
        return t0

    def answer(self):
        """Reads an answer; returns the time (ns) when it was there."""
        data, end = b"", -1
        while end < 0 or len(data) < end:
            more = self._socket.recv(1 << 16)
            if not more:
                raise LabError("tollwayd closed the connection")
            data += more
            head = data.find(b"\r\n\r\n")
            if end < 0 <= head:
                for line in data[:head].split(b"\r\n"):
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        end = head + 4 + int(value)
        when = time.monotonic_ns()
        if data.split(b" ", 2)[1] != b"200":
            raise LabError(data.decode(errors="replace"))
        return when

    def close(self):
        self._socket.close()


class Tollway:
    """The system with `n` nodes, up and at rest after start()."""

    def __init__(self, lab, n):
        self.lab, self.n = lab, n
        self.api = None
        self.world = World(lab, branch=False, nodes=False)
        self.hosts = self.world.hosts
        self.names = [h.name for h in self.hosts]
        self.spread = places(n, self.names)
        for host in self.world.fabric.findall("host"):
            host.set("capacity", str(n + 10))
        self._write_config()

    def _write_config(self):
        network, router = self.world.network, self.world.router
        self.world.config.insert(0, element(
            "cost-policy", name="by-delay", delay_cost=10, half_life="0s",
            hysteresis=0))
        for attachment in router.findall("attachment"):
            attachment.set("policy", "by-delay")
        for number, _ in subnets(self.n)[1:]:
            network.insert(0, element("subnet", name="web%d" % number,
                                      prefix="10.0.%d.0/24" % number))
            router.insert(0, element("interface", subnet="web%d" % number,
                                     address="10.0.%d.1" % number, cost=10))
        for nodes in self.spread.values():
            for name, subnet, address in nodes:
                network.append(element(
                    "node", name=name, address=address,
                    subnet="web%d" % subnet if subnet > 1 else "web"))

    def start(self):
        self.lab.parallel(*[
            lambda h=h: h.add_dummies(
                [(name, "acme/prod/" + name)
                 for name, _, _ in self.spread[h.name]])
            for h in self.hosts], self.world.up)
        wait_for("all nodes' ports", self._all_there, 60, 0.2)
        self.configs = [self._config(cost) for cost in (100, 500)]
        self.metrics = [Api.request("POST", "/v1/metrics", self._metrics(d))
                        for d in ("0ms", "40ms")]
        return self

    def _all_there(self):
        nodes = self.world.tollwayd.json("nodes")
        return sum(bool(n.get("port-host")) for n in nodes) == self.n

    def _config(self, cost):
        self.world.via("dc-east").set("cost", str(cost))
        return ElementTree.tostring(self.world.config)

    @staticmethod
    def _metrics(delay):
        return ElementTree.tostring(metrics(
            element("attachment", point="acme-east", delay=delay),
            element("attachment", point="acme-west", delay="0ms")))

    def bridges(self):
        return {h.name: h.mgmt() for h in self.hosts}

    # What is measured; i alternates between 0 and 1.

    def connect(self):
        """A fresh connection: tollwayd closes one that has been silent for
        some time."""
        if self.api:
            self.api.close()
        self.api = Api(self.world.tollwayd.socket)

    def _change(self, watch, request, wanted):
        t0 = self.api.send(request)
        last = watch.all_changed(t0, self.names, wanted)
        self.api.answer()
        return last - t0

    def submit(self, watch, i):
        """A configuration is submitted with another cost, whose effect is
        that the prefix's flow names another path set."""
        return self._change(
            watch, Api.request("PUT", "/v1/config", self.configs[i]),
            lambda kind, detail: kind == "flow" and ROUTES_TABLE in detail)

    def measure(self, watch, i):
        """Metrics make the other way the cheaper one: only groups change."""
        return self._change(watch, self.metrics[i],
                            lambda kind, detail: kind == "group")

    def confirm(self, watch, i):
        """The answer to submit --wait: stored durably, applied on all hosts,
        and confirmed by them."""
        t0 = self.api.send(Api.request("PUT", "/v1/config?wait=1",
                                       self.configs[i]))
        return self.api.answer() - t0

    def memory(self):
        """{process: resident bytes}"""
        return {"tollwayd": resident(self.world.tollwayd.process.pid),
                "store": resident(self.world.tollwayd.store.process.pid)}


def resident(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise LabError("no process %d" % pid)


def tollctl_env(tollwayd):
    return dict(os.environ, TOLLWAY_SOCKET=tollwayd.socket)
