# SPDX-License-Identifier: Apache-2.0
"""./demo: Tollway at work, told in five steps with the real output of the
real commands."""

import os
import re
import shlex
import shutil
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import FlowWatch, Lab, World, now, run, wait_for  # noqa: E402
from lab import picture  # noqa: E402
from lab.core import SOURCE  # noqa: E402
from lab.tollway import find  # noqa: E402
from lab.world import ROUTER_ID, SERVER, SITES, WEB  # noqa: E402

EXAMPLES = os.path.join(SOURCE, "examples")


class Teller:
    """Prints the story."""

    def __init__(self, pause):
        self.pause = pause
        self.color = sys.stdout.isatty()
        self.start = now()

    def _paint(self, code, text):
        return "\033[%sm%s\033[0m" % (code, text) if self.color else text

    def step(self, title):
        if self.pause:
            input("[Enter] ")
        print("\n" + self._paint("1", "== %s" % title) + "  (%.0f s)"
              % (now() - self.start))

    def say(self, text):
        print("\n" + textwrap.fill(" ".join(text.split()), 79))

    def show(self, where, command, output, keep=None, limit=24):
        """A command and what it printed; `keep`, a pattern, chooses lines."""
        print("\n    " + self._paint("36", "%s%s" % (
            where + "$ " if where else "$ ", command)))
        lines = [line.rstrip() for line in output.strip("\n").splitlines()]
        if keep:
            chosen = [line for line in lines if re.search(keep, line)]
            cut = len(chosen) < len([line for line in lines if line])
            lines = chosen + (["[...]"] if cut else [])
        if len(lines) > limit:
            lines = lines[:limit] + ["[...]"]
        for line in lines:
            print("    " + line)
        sys.stdout.flush()


class Demo:
    def __init__(self, lab, tell):
        self.lab, self.tell = lab, tell
        self.w = World(lab, bfd=(50, 3), nodes=False)
        for host in self.w.fabric.findall("host"):
            host.set("capacity", "1")
        shutil.copy(os.path.join(EXAMPLES, "acme.xml"), lab.path("acme.xml"))
        shutil.copy(os.path.join(EXAMPLES, "metrics.xml"),
                    lab.path("metrics.xml"))
        os.rename(self.w.tollwayd.write(self.w.fabric), lab.path("fabric.xml"))

    def tollctl(self, *argv, keep=None, limit=24, fails=False):
        """Runs tollctl in the lab's directory and shows it."""
        done = run([find("tollctl", "controller/cli", ".")] + list(argv),
                   check=False, env=self.w.tollwayd.tollctl_env(),
                   cwd=self.lab.dir, timeout=60)
        self.tell.show("", "tollctl " + shlex.join(argv),
                       done.stdout + done.stderr, keep, limit)
        if (done.returncode != 0) != fails:
            raise SystemExit("demo: tollctl ended with %d" % done.returncode)
        return done

    def in_node(self, node, command, **options):
        done = node.run(command.split(), check=False, timeout=60)
        self.tell.show(node.name.rsplit("-", 1)[-1], command, done.stdout,
                       **options)

    def vtysh(self, router, command, **options):
        self.tell.show(router.name, "vtysh -c '%s'" % command,
                       router.vtysh(command), **options)

    def birdc(self, command, **options):
        text = self.w.branch.birdc(*command.split())
        text = re.sub(r"BIRD [\d.]+ ready\.\n", "", text)
        self.tell.show("branch", "birdc " + command, text, **options)

    def probes(self):
        self.responder, probers = self.w.answering()
        return probers

    def probe_report(self, what, results):
        self.tell.say(
            "%s: the three nodes sent %d probes, one every 2 ms each, and lost "
            "%d; the longest time without an answer was %.0f ms." % (
                what, sum(r["sent"] for r in results),
                sum(r["lost"] for r in results),
                max(r["gap_ms"] for r in results)))

    # The five steps.

    def begin(self):
        self.tell.say(
            "Three hosts h1, h2, h3, each with a real Open vSwitch, and the "
            "customer's own routers: dc-east (FRR) wired to h2 and dc-west "
            "(FRR) wired to h3, both in front of one server, %s; and a branch "
            "office (BIRD) wired to h1, which has no other way to the server. "
            "tollwayd is started, and told by the operator which hosts there "
            "are and which ports the customer may use." % SERVER)
        w = self.w
        self.lab.parallel(w.start_routers, w.tollwayd.start)
        self.tollctl("fabric", "submit", "--wait", "fabric.xml")
        self.tollctl("hosts")

    def submit(self):
        w, tell = self.w, self.tell
        tell.step("1. A customer submits a network, and the cheaper site is used")
        tell.say("acme.xml has three nodes and one virtual router. Through "
                 "dc-east the server's network costs 100, through dc-west 300.")
        tell.show("", "grep -A3 '<destination' acme.xml", run(
            ["grep", "-A3", "<destination", self.lab.path("acme.xml")]).stdout)
        self.lab.parallel(w.plug)
        self.tollctl("submit", "--wait", "acme.xml")
        self.tollctl("nodes")
        hosts = {h.name: h for h in w.hosts}
        for name, node in sorted(picture.nodes(w.tollwayd).items()):
            w.add_node(name, hosts[node["host"]], node["mac"],
                       node["address"] + "/24").plug()
        tell.say("The three nodes are started where Tollway placed them. OSPF "
                 "finds its neighbours, and the nodes the server:")
        w.settle()
        w.wait_site("east")
        self.web1 = w.nodes[0]
        w.branch.wait_route(SITES)
        self.in_node(self.web1, "ping -c 3 -i 0.2 " + SERVER, limit=8)
        self.in_node(self.web1, "traceroute -n -q 1 -I " + SERVER)
        self.tollctl("neighbors")
        tell.say("dc-east has our router in its database, and from it our "
                 "subnet and its cost:")
        self.vtysh(w.east, "show ip ospf database", limit=22)
        self.vtysh(w.east, "show ip route ospf", keep="10.0.1.0|10.9")
        tell.say("The branch office has selected our external route to the "
                 "server, with the cost that the customer stated (100):")
        self.birdc("show route for %s all" % SERVER)
        self.tollctl("explain", "acme/prod/web1", SERVER, limit=40)

    def metrics(self):
        w, tell = self.w, self.tell
        tell.step("2. Monitoring reports that dc-east is slow; traffic moves")
        tell.show("", "grep acme- metrics.xml", run(
            ["grep", "acme-e\\|acme-w", self.lab.path("metrics.xml")]).stdout)
        probers = self.probes()
        start = now()
        self.tollctl("metrics", "submit", "metrics.xml")
        w.wait_site("west")
        tell.say("%.1f s later pings of all three nodes had been seen on the "
                 "way through dc-west." % (now() - start))
        self.in_node(self.web1, "traceroute -n -q 1 -I " + SERVER)
        before = w.branch.ospf_route(SITES)["metric2"]
        wait_for("BIRD to see the new cost",
                 lambda: w.branch.ospf_route(SITES)["metric2"] != "100", 12)
        after = w.branch.ospf_route(SITES)["metric2"]
        tell.say("BIRD sees the new cost, %s instead of 100%s:" % (
            after, "" if before != "100" else
            " (OSPF tells an external cost at most every 5 seconds)"))
        self.birdc("show route for " + SERVER)
        self.probe_report("While that happened", [p.mark() for p in probers])
        self.tollctl("explain", "acme/prod/web1", SERVER, limit=40)
        return probers

    def cut(self, probers):
        w, tell = self.w, self.tell
        tell.step("3. The wire to dc-west is cut; traffic is back on dc-east")
        for prober in probers:
            prober.mark()
        w.west.cut(w.west.uplink)
        tell.show("dc-west", "ip link set eth0 down", "")
        w.wait_site("east")
        self.in_node(self.web1, "traceroute -n -q 1 -I " + SERVER)
        self.probe_report("The cut", [p.mark() for p in probers])
        w.west.mend(w.west.uplink)
        w.west.wait_full(ROUTER_ID)
        w.wait_site("west")
        self.probe_report("The wire is mended and dc-west is used again",
                          [p.mark() for p in probers])

    def kill(self, probers):
        w, tell = self.w, self.tell
        tell.step("4. tollwayd is killed and started again")
        flows = [h.flows() for h in w.hosts]
        watches = [FlowWatch(h) for h in w.hosts]
        logs = {r: self._log_size(r) for r in (w.east, w.west)}
        for prober in probers:
            prober.mark()
        pid = w.tollwayd.process.pid
        w.tollwayd.kill()
        tell.show("", "kill -9 %d" % pid, "")
        self.in_node(self.web1, "ping -c 3 -i 0.2 " + SERVER, limit=8)
        self.probe_report("Without tollwayd", [p.mark() for p in probers])
        took = w.tollwayd.start()
        tell.say("tollwayd is started again and answers after %.0f ms. It reads "
                 "what is installed and compares." % (took * 1e3))
        self.tollctl("status")
        for router in w.routers:
            router.wait_full(ROUTER_ID, timeout=20)
        w.wait_site("west", timeout=20)
        self.probe_report("After the start", [p.mark() for p in probers])
        events = [watch.stop() for watch in watches]
        same = [h.flows() == f for h, f in zip(w.hosts, flows)]
        for host, seen, equal, installed in zip(w.hosts, events, same, flows):
            tell.say("%s: %d flows and groups, %s; %d flow changes were seen "
                     "by a flow monitor." % (
                         host.name, len(installed), "the same as before"
                         if equal else "NOT the same as before", len(seen)))
        tell.say("What the peers noticed:")
        for router in (w.east, w.west):
            lines = self._log_since(router, logs[router])
            tell.show(router.name, "grep -c AdjChg ospfd.log",
                      "%d" % len(lines) + ("\n" + "\n".join(lines[-6:])
                                           if lines else ""))
        self.vtysh(w.east, "show ip ospf neighbor", limit=6)

    @staticmethod
    def _log_size(router):
        return os.path.getsize(router.daemons["ospfd"].log)

    @staticmethod
    def _log_since(router, offset):
        with open(router.daemons["ospfd"].log, errors="replace") as f:
            f.seek(offset)
            return [line.strip() for line in f if "AdjChg" in line]

    def broken(self):
        tell = self.tell
        tell.step("5. A document with mistakes is refused")
        with open(self.lab.path("acme.xml")) as f:
            text = f.read()
        text = text.replace('<node name="web3" subnet="web"/>',
                            '<node name="web3" subnet="wbe"/>')
        text = text.replace('address="10.0.1.10"', 'address="10.0.2.10"')
        with open(self.lab.path("broken.xml"), "w") as f:
            f.write(text)
        tell.show("", "diff acme.xml broken.xml", run(
            ["diff", "acme.xml", "broken.xml"], check=False,
            cwd=self.lab.dir).stdout)
        done = self.tollctl("submit", "--wait", "broken.xml", fails=True)
        tell.say("The exit code is %d, and nothing has changed:"
                 % done.returncode)
        self.tollctl("history", "acme")
        assert self.web1.ping(SERVER)

    def end(self, probers):
        for prober in probers:
            prober.stop()
        self.responder.stop()
        directory = os.path.join(os.environ.get("TOLLWAY_BUILD", SOURCE),
                                 "demo")
        os.makedirs(directory, exist_ok=True)
        paths = picture.draw(self.w.tollwayd, os.path.join(directory,
                                                           "topology"))
        self.tell.step("The topology, drawn from what tollctl says")
        for path in paths:
            print("    " + path)


def main():
    tell = Teller("--pause" in sys.argv)
    with Lab() as lab:
        demo = Demo(lab, tell)
        demo.begin()
        demo.submit()
        probers = demo.metrics()
        demo.cut(probers)
        demo.kill(probers)
        demo.broken()
        demo.end(probers)
    print("\nDone in %.0f s; nothing of it is left on this machine."
          % (now() - tell.start))


if __name__ == "__main__":
    main()
