# SPDX-License-Identifier: Apache-2.0
"""Documents for the tests of tollctl: good ones, and each way of being bad."""

FABRIC = """\
<fabric xmlns="urn:tollway:fabric:1">
  <host name="h1" ovsdb="unix:%(dir)s/h1.sock" tunnel="172.31.0.1" mtu="1600"
        capacity="3"/>
  <host name="h2" ovsdb="unix:%(dir)s/h2.sock" tunnel="172.31.0.2" mtu="1600"
        capacity="2"/>
  <attachment-point name="acme-east" host="h1" port="east" customer="acme"/>
  <attachment-point name="acme-west" host="h2" port="west" customer="acme"
                    vlans="10,20"/>
  <attachment-point name="beta-east" host="h2" port="beta" customer="beta"/>
  <pin node="acme/prod/web1" host="h2"/>
</fabric>
"""

CONFIG = """\
<customer xmlns="urn:tollway:config:1" name="acme">
  <network name="prod">
    <subnet name="web" prefix="10.0.1.0/24"/>
    <subnet name="db" prefix="10.0.2.0/24"/>
    <node name="web1" subnet="web" address="10.0.1.10" mac="02:00:00:00:00:01"/>
    <node name="web2" subnet="web"/>
    <router name="edge" router-id="192.0.2.1">
      <interface subnet="web" address="10.0.1.1" cost="10"/>
      <interface subnet="db" address="10.0.2.1"/>
      <attachment name="east" point="acme-east" address="169.254.10.1/30">
        <ospf network-type="point-to-point"/>
      </attachment>
      <attachment name="west" point="acme-west" address="169.254.10.5/30" vlan="10"/>
      <destination prefix="203.0.113.0/24" advertise="e2">
        <via attachment="east" cost="100"/>
        <via attachment="west" cost="300" next-hop="169.254.10.6"/>
      </destination>
    </router>
  </network>
</customer>
"""

METRICS = """\
<metrics xmlns="urn:tollway:metrics:1">
  <attachment point="acme-east" delay="40ms"/>
  <path from="h1" to="h2" delay="0.2ms" use="35"/>
</metrics>
"""

# (what is wrong, text of CONFIG, what it becomes, a word of the error).  The
# error names the line on which the text begins, or one that the change made.
MISTAKES = [
    ("not XML: a tag is not closed", "</network>", "", "network"),
    ("not XML: text before it", "<customer", "hello <customer", "XML"),
    ("no such element", '<node name="web2" subnet="web"/>', '<vm name="web2"/>',
     "vm"),
    ("no such attribute", '"web2" subnet="web"', '"web2" subnet="web" color="red"',
     "color"),
    ("attribute missing", 'name="web2" subnet="web"', 'name="web2"', "subnet"),
    ("bad name", 'name="web2"', 'name="web/2"', "web/2"),
    ("two nodes of one name", 'name="web2"', 'name="web1"', "web1"),
    ("two subnets of one name", 'name="db" prefix', 'name="web" prefix', "web"),
    ("two attachments of one name", 'name="west"', 'name="east"', "east"),
    ("two nodes of one MAC", '"web2" subnet="web"',
     '"web2" subnet="web" mac="02:00:00:00:00:01"', "02:00:00:00:00:01"),
    ("multicast MAC", "02:00:00:00:00:01", "01:00:5e:00:00:01",
     "01:00:5e:00:00:01"),
    ("two nodes of one address", '"web2" subnet="web"',
     '"web2" subnet="web" address="10.0.1.10"', "10.0.1.10"),
    ("a node has the router's address", '"web2" subnet="web"',
     '"web2" subnet="web" address="10.0.1.1"', "10.0.1.1"),
    ("node outside its subnet", '"10.0.1.10"', '"10.0.3.10"', "10.0.3.10"),
    ("router outside the subnet", '"10.0.2.1"', '"10.0.3.1"', "10.0.3.1"),
    ("overlapping subnets", "10.0.2.0/24", "10.0.0.0/16", "10.0.0.0/16"),
    ("host bits in a subnet's prefix", "10.0.2.0/24", "10.0.2.1/24", "10.0.2.1/24"),
    ("host bits in a destination", "203.0.113.0/24", "203.0.113.9/24",
     "203.0.113.9/24"),
    ("unknown subnet", '"web2" subnet="web"', '"web2" subnet="wbe"', "wbe"),
    ("unknown attachment", 'via attachment="east"', 'via attachment="north"',
     "north"),
    ("unknown attachment point", '"acme-east"', '"acme-north"', "acme-north"),
    ("another customer's point", '"acme-east"', '"beta-east"', "beta-east"),
    ("VLAN that isn't granted", 'vlan="10"', 'vlan="11"', "11"),
    ("cost 0", 'cost="100"', 'cost="0"', "0"),
    ("cost out of range", 'cost="100"', 'cost="16777215"', "16777215"),
    ("cost that is no number", 'cost="100"', 'cost="cheap"', "cheap"),
    ("BFD with a VLAN", 'vlan="10"/>', 'vlan="10"><bfd interval="50ms"/></attachment>',
     "VLAN"),
    ("no next hop and no OSPF", ' next-hop="169.254.10.6"', "", "next-hop"),
    ("next hop that isn't on the link", '"169.254.10.6"', '"169.254.11.6"',
     "169.254.11.6"),
    ("two routers with one router ID", "</router>",
     '</router><router name="two" router-id="192.0.2.1"/>', "192.0.2.1"),
    ("router ID 0", 'router-id="192.0.2.1"', 'router-id="0.0.0.0"', "0.0.0.0"),
    ("MTU that can't fit", '10.0.1.0/24"', '10.0.1.0/24" mtu="9000"', "9000"),
    ("no room for all nodes", '<node name="web2" subnet="web"/>',
     "".join('<node name="n%d" subnet="web"/>' % i for i in range(9)), "capacity"),
]


def series(n):
    """A customer with `n` routers in series."""
    lines = ['<customer xmlns="urn:tollway:config:1" name="acme">',
             '<network name="long">', '<subnet name="a" prefix="10.0.1.0/24"/>']
    for i in range(n):
        lines.append('<router name="r%d" router-id="192.0.2.%d">%s</router>' % (
            i, i + 1, "" if i else '<interface subnet="a" address="10.0.1.1"/>'))
    for i in range(n - 1):
        lines.append('<link name="l%d" a="r%d" b="r%d"/>' % (i, i, i + 1))
    return "\n".join(lines + ["</network>", "</customer>", ""])


def attacks(secret):
    """(what, document, what the error must not have)"""
    bomb = "<!DOCTYPE customer [<!ENTITY a0 'aaaaaaaaaa'>" + "".join(
        "<!ENTITY a%d '%s'>" % (i, ("&a%d;" % (i - 1)) * 10)
        for i in range(1, 12)) + "]>\n"
    doctype = '<!DOCTYPE customer [<!ENTITY x SYSTEM "file://%s">]>\n' % secret
    return [
        ("external entity",
         doctype + CONFIG.replace('"web2"', '"&x;"'), "hunter2"),
        ("external DTD",
         '<!DOCTYPE customer SYSTEM "file://%s">\n' % secret + CONFIG, "hunter2"),
        ("entity bomb", bomb + CONFIG.replace('"web2"', '"&a11;"'), "aaaaaaaaaaa"),
        ("deep nesting", "<a>" * 100000, None),
        ("deep nesting of its own elements",
         "<customer xmlns='urn:tollway:config:1' name='acme'>"
         + "<network>" * 5000 + "</network>" * 5000 + "</customer>", None),
        ("more than 16 MiB", CONFIG + " " * (16 << 20), None),
        ("empty", "", None),
        ("a null byte", "\0", None),
        ("another namespace", CONFIG.replace("config:1", "config:2"), None),
        ("another document's element", "<customer/>", None),
    ]
