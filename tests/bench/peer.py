# SPDX-License-Identifier: Apache-2.0
"""OVN under measurement: three hosts, one logical router, N ports, and a
static route whose next hop changes."""

import json
import os
import shutil
import socket
import time

from lab import LabError, Process, run, sh, wait_for
from lab.core import unix_accepts
from ours import DummyHost, places, resident, subnets

SCHEMAS = "/usr/share/ovn"
PREFIX = "203.0.113.0/24"
# (switch, router port's network, next hop, which host the site is on)
SITES = [("east", "169.254.10.1/30", "169.254.10.2", 1),
         ("west", "169.254.10.5/30", "169.254.10.6", 2)]


def installed():
    return all(map(shutil.which, ("ovn-northd", "ovn-controller",
                                  "ovn-nbctl"))) \
        and os.path.exists(SCHEMAS + "/ovn-nb.ovsschema")


class Ovsdb:
    """One open JSON-RPC connection to an ovsdb-server."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(path)
        self._data = ""
        self._decoder = json.JSONDecoder()

    def send(self, method, params):
        """Writes a request; returns the time (ns) right before."""
        request = json.dumps({"method": method, "params": params,
                              "id": 1}).encode()
        t0 = time.monotonic_ns()
        self._socket.sendall(request)
        return t0

    def receive(self):
        """The next message that is not an echo request."""
        while True:
            try:
                message, end = self._decoder.raw_decode(self._data)
            except ValueError:
                more = self._socket.recv(1 << 16)
                if not more:
                    raise LabError("OVSDB: the connection was closed")
                self._data += more.decode()
                continue
            self._data = self._data[end:].lstrip()
            if message.get("method") == "echo":
                self._socket.sendall(json.dumps(
                    {"result": message["params"], "error": None,
                     "id": message["id"]}).encode())
            else:
                return message

    def answer(self):
        """The answer to the request sent last, updates skipped."""
        while True:
            message = self.receive()
            if "method" not in message:
                break
        if message["error"] or any(r.get("error") for r in message["result"]
                                   if isinstance(r, dict)):
            raise LabError("OVSDB: %s" % message)
        return message["result"]

    def close(self):
        self._socket.close()


class Ovn:
    """The system with `n` ports, up and at rest after start()."""

    def __init__(self, lab, n):
        self.lab, self.n = lab, n
        self.names = ["p1", "p2", "p3"]
        self.hosts = [DummyHost(lab, name) for name in self.names]
        self.spread = places(n, self.names)
        self.dir = lab.path("ovn")
        self.sockets = {db: os.path.join(self.dir, db + ".sock")
                        for db in ("nb", "sb")}
        self.env = {"OVN_RUNDIR": self.dir, "OVN_LOGDIR": self.dir,
                    "OVN_DBDIR": self.dir}
        self.processes = {}
        self.connection = None
        self._cfg = 0

    def start(self):
        os.makedirs(self.dir)
        self.lab.switch
        self.lab.parallel(*[h.start for h in self.hosts],
                          *[lambda db=db: self._start_db(db)
                            for db in self.sockets])
        self._start("northd", ["ovn-northd", "--ovnnb-db=unix:"
                               + self.sockets["nb"], "--ovnsb-db=unix:"
                               + self.sockets["sb"]])
        self.lab.parallel(self._fill, *[lambda h=h: self._start_host(h)
                                        for h in self.hosts])
        wait_for("all of OVN's ports", self._all_up, 120, 0.5)
        self.nbctl("--wait=hv", "--timeout=120", "sync")
        self.route = self.nbctl("--bare", "--columns=_uuid", "find",
                                "Logical_Router_Static_Route").strip()
        self._cfg = int(self.nbctl("get", "NB_Global", ".", "nb_cfg"))
        return self

    def _start(self, name, argv, netns=None, env=None):
        self.processes[name] = Process(
            self.lab, "ovn-" + name,
            argv + ["-vconsole:warn", "-vsyslog:off"], netns=netns,
            env=dict(self.env, **env or {}))

    def _start_db(self, db):
        path = os.path.join(self.dir, db + ".db")
        run(["ovsdb-tool", "create", path,
             "%s/ovn-%s.ovsschema" % (SCHEMAS, db)])
        self._start(db, ["ovsdb-server", path,
                         "--remote=punix:" + self.sockets[db],
                         "--unixctl=" + os.path.join(self.dir, db + ".ctl")])
        wait_for("OVN's %s database" % db,
                 lambda: unix_accepts(self.sockets[db]))

    def _start_host(self, host):
        host.vsctl([
            "add-br", "br-int", "--", "set", "Bridge", "br-int",
            "datapath_type=netdev", "fail-mode=secure", "--", "set",
            "Open_vSwitch", ".", "external_ids:ovn-remote=\"unix:%s\""
            % self.sockets["sb"], "external_ids:ovn-encap-type=geneve",
            "external_ids:ovn-encap-ip=" + host.tunnel_ip,
            "external_ids:ovn-bridge-datapath-type=netdev"])
        self._start("controller-" + host.name, ["ovn-controller", host.db],
                    netns=host.ns, env=host.env)
        ports = [(name, name) for name, _, _ in self.spread[host.name]]
        ports += [(site, site + "-router") for site, _, _, where in SITES
                  if self.hosts[where] is host]
        host.add_dummies(ports)

    def _fill(self):
        """Writes the NB database: what Tollway's customer has, too."""
        commands = [["lr-add", "edge"]]
        for number, _ in subnets(self.n):
            commands += self._switch("web%d" % number, "02:10:00:00:00:%02x"
                                     % number, "10.0.%d.1/24" % number)
        serial = 0
        for nodes in self.spread.values():
            for name, subnet, address in nodes:
                serial += 1
                commands += [
                    ["lsp-add", "web%d" % subnet, name],
                    ["lsp-set-addresses", name, "02:00:00:00:%02x:%02x %s"
                     % (*divmod(serial, 256), address)]]
        for i, (site, network, next_hop, _) in enumerate(SITES):
            commands += self._switch(site, "02:20:00:00:00:%02x" % i, network)
            commands += [
                ["lsp-add", site, site + "-router"],
                ["lsp-set-addresses", site + "-router",
                 "02:30:00:00:00:%02x %s" % (i, next_hop)]]
        commands.append(["lr-route-add", "edge", PREFIX, SITES[0][2]])
        argv = []
        for command in commands:
            argv += (["--"] if argv else []) + command
        self.nbctl(*argv)

    @staticmethod
    def _switch(name, mac, network):
        return [["ls-add", name],
                ["lrp-add", "edge", "edge-" + name, mac, network],
                ["lsp-add", name, name + "-edge"],
                ["lsp-set-type", name + "-edge", "router"],
                ["lsp-set-addresses", name + "-edge", "router"],
                ["lsp-set-options", name + "-edge",
                 "router-port=edge-" + name]]

    def nbctl(self, *args):
        return sh(["ovn-nbctl", "--db=unix:" + self.sockets["nb"]]
                  + list(args), timeout=180,
                  env=dict(os.environ, **self.env))

    def _all_up(self):
        up = self.nbctl("--bare", "--columns=name", "find",
                        "Logical_Switch_Port", "up=true", "type=\"\"")
        return len(up.split()) == self.n + len(SITES)

    def bridges(self):
        return {h.name: h.mgmt() for h in self.hosts}

    # What is measured; i alternates between 0 and 1.

    def connect(self):
        """A fresh connection: the server closes one that has been silent for
        ten seconds."""
        if self.connection:
            self.connection.close()
        self.connection = Ovsdb(self.sockets["nb"])
        self.connection.send("monitor", ["OVN_Northbound", None, {
            "NB_Global": {"columns": ["hv_cfg"]}}])
        self.connection.answer()

    def _update(self, i):
        return {"op": "update", "table": "Logical_Router_Static_Route",
                "where": [["_uuid", "==", ["uuid", self.route]]],
                "row": {"nexthop": SITES[i][2]}}

    def change(self, watch, i):
        """The static route gets the other next hop."""
        t0 = self.connection.send("transact", ["OVN_Northbound",
                                               self._update(i)])
        last = watch.all_changed(t0, self.names,
                                 lambda kind, detail: kind == "flow")
        self.connection.answer()
        return last - t0

    def confirm(self, watch, i):
        """The same, with what ovn-nbctl --wait=hv waits for."""
        self._cfg += 1
        t0 = self.connection.send("transact", [
            "OVN_Northbound", self._update(i),
            {"op": "update", "table": "NB_Global", "where": [],
             "row": {"nb_cfg": self._cfg}}])
        while True:
            message = self.connection.receive()
            when = time.monotonic_ns()
            if message.get("method") == "update":
                rows = message["params"][1].get("NB_Global", {})
                if any(r.get("new", {}).get("hv_cfg") == self._cfg
                       for r in rows.values()):
                    return when - t0

    def memory(self):
        """{process: resident bytes}"""
        return {name: resident(p.pid) for name, p in self.processes.items()}
