# SPDX-License-Identifier: Apache-2.0
"""Bad documents through tollctl: a clear error, nothing applied, no harm."""

import os

from lab import Tollwayd, customer, element, fabric, point
from lab.core import SOURCE

GOOD = """<customer xmlns="urn:tollway:config:1" name="acme">
  <network name="prod">
    <subnet name="web" prefix="10.0.1.0/24"/>
    <subnet name="app" prefix="10.0.2.0/24"/>
    <node name="web1" subnet="web" mac="02:00:00:00:00:01" address="10.0.1.10"/>
    <node name="web2" subnet="web"/>
    <router name="edge" router-id="192.0.2.1">
      <interface subnet="web" address="10.0.1.1" cost="10"/>
      <attachment name="east" point="acme-east" address="169.254.10.1/30">
        <ospf network-type="point-to-point"/>
      </attachment>
      <attachment name="west" point="acme-west" vlan="10" address="169.254.10.5/30">
        <ospf network-type="point-to-point"/>
      </attachment>
      <destination prefix="203.0.113.0/24">
        <via attachment="east" cost="100"/>
      </destination>
    </router>
  </network>
</customer>
"""

# What is replaced in GOOD, by what, and a word that the error must have, next
# to the line where it is.
MISTAKES = [
    ("not closed", "</customer>", "", None),
    ("unknown element", '<node name="web2" subnet="web"/>',
     '<vm name="web2"/>', "vm"),
    ("unknown attribute", 'name="web2" subnet="web"',
     'name="web2" subnet="web" color="red"', "color"),
    ("missing attribute", 'name="web2" subnet="web"', 'name="web2"', "subnet"),
    ("duplicate node", 'name="web2"', 'name="web1"', "web1"),
    ("duplicate subnet", 'name="app"', 'name="web"', "web"),
    ("duplicate MAC", 'name="web2" subnet="web"',
     'name="web2" subnet="web" mac="02:00:00:00:00:01"', "02:00:00:00:00:01"),
    ("multicast MAC", "02:00:00:00:00:01", "03:00:00:00:00:01",
     "03:00:00:00:00:01"),
    ("duplicate address", 'name="web2" subnet="web"',
     'name="web2" subnet="web" address="10.0.1.10"', "10.0.1.10"),
    ("router's address", 'name="web2" subnet="web"',
     'name="web2" subnet="web" address="10.0.1.1"', "10.0.1.1"),
    ("outside its subnet", 'address="10.0.1.10"', 'address="10.0.3.10"',
     "10.0.3.10"),
    ("overlapping subnets", "10.0.2.0/24", "10.0.0.0/16", "10.0.0.0/16"),
    ("host bits", "10.0.2.0/24", "10.0.2.1/24", "10.0.2.1/24"),
    ("unknown subnet", 'name="web2" subnet="web"', 'name="web2" subnet="wbe"',
     "wbe"),
    ("unknown attachment", 'via attachment="east"', 'via attachment="north"',
     "north"),
    ("unknown point", 'point="acme-east"', 'point="acme-north"', "acme-north"),
    ("another's point", 'point="acme-east"', 'point="beta-east"', "beta-east"),
    ("VLAN not granted", 'vlan="10"', 'vlan="11"', "11"),
    ("cost 0", 'cost="100"', 'cost="0"', "0"),
    ("cost too large", 'cost="100"', 'cost="16777215"', "16777215"),
    ("cost not a number", 'cost="100"', 'cost="cheap"', "cheap"),
    ("BFD with a VLAN", 'address="169.254.10.5/30">',
     'address="169.254.10.5/30"><bfd interval="50ms"/>', "VLAN"),
    ("no next hop", '''point="acme-east" address="169.254.10.1/30">
        <ospf network-type="point-to-point"/>
      </attachment>
      <attachment name="west" point="acme-west" vlan="10" address="169.254.10.5/30">
        <ospf network-type="point-to-point"/>
      </attachment>''', '''point="acme-east" address="169.254.10.1/30">
      </attachment>''', "next-hop"),
    ("same router ID", "</router>",
     '</router><router name="two" router-id="192.0.2.1"/>', "192.0.2.1"),
    ("router ID 0", 'router-id="192.0.2.1"', 'router-id="0.0.0.0"', "0.0.0.0"),
    ("MTU too large", '10.0.1.0/24"', '10.0.1.0/24" mtu="9000"', "9000"),
]


def daemon(lab):
    """tollwayd with a fabric whose hosts do not exist."""
    class Absent:
        underlay_mtu = 1600

        def __init__(self, name, number):
            self.name = name
            self.db = "unix:" + lab.path(name + "-absent.sock")
            self.tunnel_ip = "172.31.0.%d" % number

    hosts = [Absent("h1", 1), Absent("h2", 2)]
    d = Tollwayd(lab)
    d.start()
    d.fabric(fabric(hosts, point("acme-east", hosts[0], "east"),
                    point("acme-west", hosts[1], "west", vlans="10"),
                    point("beta-east", hosts[1], "beta", customer="beta"),
                    capacity=2))
    return d


def refused(d, document, word=None, line=None, *options):
    """Submits; the error must name `word` and `line`; returns it."""
    before = d.ctl("history", "acme")
    done = d.command("submit", *options, d.write(document))
    assert done.returncode != 0, "accepted: " + done.stdout
    assert done.returncode > 0 and done.returncode < 128, done.returncode
    assert done.stderr.strip(), "no error on standard error: " + done.stdout
    assert word is None or word in done.stderr, (word, done.stderr)
    if line:
        assert any(":%d" % n in done.stderr or "line %d" % n in done.stderr
                   for n in line), (line, done.stderr)
    assert d.ctl("history", "acme") == before
    assert d.process.alive()
    return done.stderr


def test_mistakes_in_documents(lab):
    """Each mistake is named with its line and element; nothing applied."""
    d = daemon(lab)
    d.submit(GOOD, wait=False)
    bad = []
    for name, old, new, word in MISTAKES:
        assert old in GOOD, name
        text = GOOD.replace(old, new, 1)
        at = GOOD[:GOOD.index(old)].count("\n") + 1
        try:
            refused(d, text, word,
                    range(at, at + old.count("\n") + 2) if word else None)
        except AssertionError as error:
            bad.append("%s: %s" % (name, error))
    lab.measure("%d of %d mistakes named well", len(MISTAKES) - len(bad),
                len(MISTAKES))
    assert not bad, "\n".join(bad)


def test_attacks_by_document(lab):
    """Entities, sizes, depths, bytes: refused without a file being read."""
    d = daemon(lab)
    d.submit(GOOD, wait=False)
    secret = lab.path("secret")
    with open(secret, "w") as f:
        f.write("hunter2")
    for kind in ("file://" + secret, secret, "http://127.0.0.1:1/x"):
        error = refused(d, '<!DOCTYPE customer [<!ENTITY x SYSTEM "%s">]>\n'
                        % kind + GOOD.replace('name="web2"', 'name="&x;"'))
        assert "hunter2" not in error, error
        error = refused(d, '<!DOCTYPE customer SYSTEM "%s">\n' % kind + GOOD)
    bomb = "<!DOCTYPE customer [<!ENTITY a0 'aaaaaaaaaa'>" + "".join(
        "<!ENTITY a%d '%s'>" % (i, ("&a%d;" % (i - 1)) * 10)
        for i in range(1, 12)) + "]>\n"
    refused(d, bomb + GOOD.replace('name="web2"', 'name="&a11;"'))
    refused(d, GOOD + " " * (16 << 20))
    refused(d, "<a>" * 100000)
    refused(d, "<customer xmlns='urn:tollway:config:1' name='acme'>"
            + "<network>" * 5000 + "</network>" * 5000 + "</customer>")
    for text in (b"", b"\0", b"\xff\xfe", b"hello", b"<", b"<customer/>",
                 os.urandom(5000), GOOD.encode("utf-16"),
                 GOOD.replace("config:1", "config:2").encode()):
        done = d.command("submit", d.write(text))
        if text != GOOD.encode("utf-16"):
            assert done.returncode > 0, (text[:50], done.stdout)
        assert d.process.alive()
    with open(d.write(GOOD)) as f:
        assert f.read() == GOOD
    d.submit(GOOD, wait=False)


def test_revisions(lab):
    """dry-run, --if-revision, history, rollback, delete."""
    d = daemon(lab)
    d.ctl("submit", "--dry-run", d.write(GOOD))
    assert d.command("show", "acme").returncode != 0 \
        or "web1" not in d.ctl("show", "acme")
    d.submit(GOOD, wait=False)
    changed = GOOD.replace('cost="100"', 'cost="200"')
    assert d.ctl("submit", "--dry-run", d.write(changed)).strip()
    d.submit(changed, "--if-revision", "1", wait=False)
    error = refused(d, GOOD, None, None, "--if-revision", "1")
    assert "2" in error, error
    assert "200" in d.ctl("show", "acme")
    d.ctl("rollback", "acme", "1")
    assert "200" not in d.ctl("show", "acme")
    assert len(d.ctl("history", "acme").strip().splitlines()) >= 3
    nodes = d.json("nodes")
    d.kill()
    d.start()
    assert d.json("nodes") == nodes
    d.ctl("delete", "acme")
    assert "web1" not in d.ctl("nodes")


def test_no_capacity(lab):
    """More nodes than the hosts have room for are refused."""
    d = daemon(lab)
    d.submit(GOOD, wait=False)
    more = "".join('<node name="n%d" subnet="web"/>' % i for i in range(4))
    error = refused(d, GOOD.replace("<router ", more + "<router ", 1))
    assert "capacity" in error or "room" in error, error


def test_too_many_routers_in_series(lab):
    """A chain of routers longer than the data plane can follow."""
    d = daemon(lab)
    network = element("network", name="prod")
    network.append(element("subnet", name="a", prefix="10.0.1.0/24"))
    for i in range(60):
        network.append(element(
            "router", element("interface", subnet="a", address="10.0.1.1")
            if i == 0 else None, name="r%d" % i, router_id="192.0.2.%d"
            % (i + 1)))
    for i in range(59):
        network.append(element("link", name="l%d" % i, a="r%d" % i,
                               b="r%d" % (i + 1)))
    done = d.command("submit", d.write(customer("acme", network)))
    assert done.returncode > 0 and done.stderr, done
    assert "series" in done.stderr or "hops" in done.stderr, done.stderr


def test_examples_are_accepted(lab):
    """The documents in examples/ are valid and are taken."""
    d = Tollwayd(lab)
    d.start()
    for verb in (["fabric", "submit", "fabric.xml"], ["submit", "acme.xml"],
                 ["metrics", "submit", "metrics.xml"]):
        d.ctl(*verb[:-1], os.path.join(SOURCE, "examples", verb[-1]))
    assert "web3" in d.ctl("nodes")
    assert d.ctl("validate", os.path.join(SOURCE, "examples", "acme.xml")) \
        is not None
