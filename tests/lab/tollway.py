# SPDX-License-Identifier: Apache-2.0
"""tollwayd with its store, tollctl, and the documents given to them."""

import json
import os
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

from .core import LabError, Process, SOURCE, now, run, unix_accepts, wait_for


def find(name, *places):
    """The path of a file of the build: under TOLLWAY_BUILD, ./check's build,
    the source, or (programs) where make install puts them."""
    tops = [os.environ.get("TOLLWAY_BUILD"), os.getcwd(),
            os.path.join(SOURCE, "_build", "release"), SOURCE]
    for top in filter(None, tops):
        for place in places:
            path = os.path.join(top, place, name)
            if os.path.isfile(path):
                return path
    for path in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"):
        if os.path.isfile(os.path.join(path, name)):
            return os.path.join(path, name)
    raise LabError("%s has not been built" % name)


class TollctlError(LabError):
    """tollctl ended with an exit code other than 0."""

    def __init__(self, argv, code, out, err):
        super().__init__("tollctl %s: exit code %d\n%s%s"
                         % (" ".join(argv), code, out, err))
        self.code, self.out, self.err = code, out, err


class Store:
    """The configuration store: an ovsdb-server with tollway.ovsschema."""

    def __init__(self, lab, name="store"):
        self.lab, self.name = lab, name
        self.file = lab.path(name + ".db")
        self.socket = lab.path(name + ".sock")
        self.remote = "unix:" + self.socket
        run(["ovsdb-tool", "create", self.file,
             find("tollway.ovsschema", "schemas")])
        self.start()

    def start(self):
        self.process = Process(
            self.lab, self.name,
            ["ovsdb-server", self.file, "--remote=p" + self.remote,
             "--unixctl=" + self.lab.path(self.name + ".ctl"),
             "-vconsole:warn", "-vsyslog:off"])
        wait_for("the store", lambda: unix_accepts(self.socket))

    def kill(self):
        self.process.kill()


class Tollwayd:
    """The daemon.  `args` are added to its command line, `env` to its
    environment."""

    def __init__(self, lab, store=None, name="tollwayd", args=(), env=None):
        self.lab, self.name = lab, name
        self.store = store or Store(lab)
        self.socket = lab.path(name + ".api")
        self.unixctl = lab.path(name + ".ctl")
        self.args, self.env = list(args), dict(env or {})
        self.process = None
        self._documents = 0
        self._lock = threading.Lock()
        self.ns = lab.netns(name)

    def argv(self):
        return [find("tollwayd", "controller/daemon", "."),
                "--db=" + self.store.remote, "--socket=" + self.socket,
                "--unixctl=" + self.unixctl,
                "-vsyslog:off"] + self.args

    def start(self, timeout=10):
        """Starts it and waits until its API answers; returns the seconds."""
        start = now()
        self.process = Process(
            self.lab, self.name, self.argv(), netns=self.ns,
            env=dict(self.env, OVS_RUNDIR=self.lab.dir,
                     TOLLWAY_SCHEMAS=os.path.join(SOURCE, "schemas")))
        wait_for("tollwayd", self._answers, timeout)
        return now() - start

    def _answers(self):
        self.process.require()
        return unix_accepts(self.socket)

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        self.process.kill()

    def stop(self, timeout=10):
        """SIGTERM; a bad exit code is an error."""
        code = self.process.stop(timeout)
        if code:
            raise LabError("tollwayd ended with code %d:\n%s"
                           % (code, self.process.tail(40)))

    def appctl(self, *args):
        return run(["ovs-appctl", "-t", self.unixctl] + list(args)).stdout

    # tollctl.

    def tollctl_env(self):
        return dict(os.environ, TOLLWAY_SOCKET=self.socket)

    def command(self, *argv, input=None, timeout=60):
        """tollctl's CompletedProcess, whatever its exit code."""
        return run([find("tollctl", "controller/cli", ".")]
                   + [str(a) for a in argv], check=False, input=input,
                   timeout=timeout, env=self.tollctl_env())

    def ctl(self, *argv, **kwargs):
        """tollctl's output; TollctlError if it fails."""
        done = self.command(*argv, **kwargs)
        if done.returncode != 0:
            raise TollctlError([str(a) for a in argv], done.returncode,
                               done.stdout, done.stderr)
        return done.stdout

    def json(self, *argv, **kwargs):
        """tollctl ... --json, parsed."""
        return json.loads(self.ctl(*argv, "--json", **kwargs))

    def submit(self, document, *options, wait=True):
        return self.ctl("submit", *(["--wait"] if wait else []), *options,
                        self.write(document))

    def fabric(self, document, *options):
        return self.ctl("fabric", "submit", *options, self.write(document))

    def metrics(self, document, *options):
        return self.ctl("metrics", "submit", *options, self.write(document))

    def write(self, document):
        """A document (Element, text or bytes) as a file; returns its path."""
        with self._lock:
            self._documents += 1
            path = self.lab.path("document%d.xml" % self._documents)
        if isinstance(document, ElementTree.Element):
            ElementTree.indent(document)
            document = ElementTree.tostring(document, encoding="unicode") + "\n"
        with open(path, "wb") as f:
            f.write(document if isinstance(document, bytes)
                    else document.encode())
        return path


class FlowWatch:
    """Counts what changes in a bridge's flow tables from now on.

    Group changes are not events of a flow monitor; compare Host.flows() for
    those."""

    def __init__(self, host, bridge="br-int"):
        self.host = host
        self.log = host.lab.path("%s-flow-events-%d.log" % (
            host.name, len(host.lab.processes)))
        self.process = Process(
            host.lab, "%s-flow-monitor" % host.name,
            ["ovs-ofctl", "-O", "OpenFlow15", "monitor",
             "unix:" + host.mgmt(bridge), "watch:!initial,add,delete,modify"],
            env=host.env, log=self.log, stdin=subprocess.DEVNULL)

    def events(self):
        """The lines that tell of flows added, deleted or modified."""
        with open(self.log, errors="replace") as f:
            return [line.strip() for line in f if " event=" in line]

    def stop(self):
        self.process.stop()
        return self.events()


def element(tag, *children, **attributes):
    """An XML element: element("via", attachment="dc-east", cost=100).  In
    attribute names "_" stands for "-"; None leaves one out."""
    made = ElementTree.Element(tag, {
        k.rstrip("_").replace("_", "-"): str(v)
        for k, v in attributes.items() if v is not None})
    made.extend([c for c in children if c is not None])
    return made


def fabric(hosts, *children, **host_attributes):
    """The fabric of the lab's hosts, with attachment points and pins."""
    root = element("fabric", xmlns="urn:tollway:fabric:1")
    for host in hosts:
        root.append(element("host", name=host.name, ovsdb=host.db,
                            tunnel=host.tunnel_ip, mtu=host.underlay_mtu,
                            **host_attributes))
    root.extend(children)
    return root


def point(name, host, port, customer="acme", **more):
    return element("attachment-point", name=name, host=host.name, port=port,
                   customer=customer, **more)


def customer(name, *children):
    return element("customer", *children, xmlns="urn:tollway:config:1",
                   name=name)


def metrics(*children):
    return element("metrics", *children, xmlns="urn:tollway:metrics:1")
