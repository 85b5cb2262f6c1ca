# SPDX-License-Identifier: Apache-2.0
"""A picture of the topology by Graphviz, from `tollctl ... --json` alone."""

from .core import run


def records(data, *keys):
    """All objects anywhere in JSON data that have all of `keys`."""
    if isinstance(data, dict):
        if all(k in data for k in keys):
            yield data
        data = data.values()
    elif not isinstance(data, list):
        return
    for value in data:
        yield from records(value, *keys)


def nodes(tollwayd):
    """{node's name: its record}"""
    return {r.get("name", r.get("node")).rsplit("/", 1)[-1]: r
            for r in records(tollwayd.json("nodes"), "mac", "address")}


def quote(text):
    return '"%s"' % str(text).replace("\\", "\\\\").replace('"', '\\"')


class Graph:
    """Lines of a dot file."""

    def __init__(self):
        self.lines = []

    def node(self, name, *label, **attributes):
        attributes["label"] = "\n".join(str(x) for x in label)
        self.lines.append("%s [%s];" % (quote(name), self._list(attributes)))

    def edge(self, a, b, label="", **attributes):
        attributes["label"] = label
        self.lines.append("%s -- %s [%s];" % (quote(a), quote(b),
                                              self._list(attributes)))

    @staticmethod
    def _list(attributes):
        return ", ".join("%s=%s" % (k, quote(v).replace("\n", "\\n"))
                         for k, v in attributes.items())

    def text(self):
        return ("graph tollway {\n"
                "layout=dot; rankdir=LR; ranksep=1.0; nodesep=0.35;\n"
                "fontname=\"sans-serif\"; bgcolor=white;\n"
                "node [fontname=\"sans-serif\", fontsize=11, shape=box, "
                "style=\"rounded,filled\", fillcolor=\"#f4f4f4\"];\n"
                "edge [fontname=\"sans-serif\", fontsize=10];\n"
                + "\n".join(self.lines) + "\n}\n")


def build(hosts, placed, shown, neighbors):
    """The graph of parsed `hosts`, `nodes`, `show` and `neighbors`."""
    graph = Graph()
    for host in sorted(records(hosts, "name", "tunnel"),
                       key=lambda h: h["name"]):
        own = [n for n in placed.values() if n.get("host") == host["name"]]
        graph.lines.append("subgraph %s { label=%s; style=\"rounded\"; "
                           "color=\"#8899aa\";" % (
                               quote("cluster_" + host["name"]),
                               quote("host %s  %s" % (host["name"],
                                                      host["tunnel"]))))
        graph.node("host-" + host["name"], "Open vSwitch", "br-int",
                   fillcolor="#dde8f4")
        for node in sorted(own, key=lambda n: n["address"]):
            name = node.get("name", node.get("node")).rsplit("/", 1)[-1]
            graph.node("node-" + name, name, node["address"],
                       fillcolor="#e8f4dd")
        graph.lines.append("}")
        for node in own:
            name = node.get("name", node.get("node")).rsplit("/", 1)[-1]
            graph.edge("node-" + name, "host-" + host["name"])
    names = sorted(h["name"] for h in records(hosts, "name", "tunnel"))
    for i, a in enumerate(names):
        for b in names[i + 1:]:
            graph.edge("host-" + a, "host-" + b, style="dashed",
                       color="#8899aa", constraint="false")
    peers = {n["attachment"].rsplit("/", 1)[-1]: n
             for n in records(neighbors, "attachment", "state")}
    for attachment in records(shown, "point", "address"):
        name = attachment["name"].rsplit("/", 1)[-1]
        peer = peers.get(name, {})
        graph.node("peer-" + name, name,
                   "router " + str(peer.get("router-id", "?")),
                   str(peer.get("state", "no neighbour")),
                   fillcolor="#f8ecd8", style="filled")
        graph.edge("host-" + attachment.get("host", "?"), "peer-" + name,
                   attachment["address"])
    for destination in records(shown, "prefix", "via"):
        graph.node("to-" + destination["prefix"], destination["prefix"],
                   shape="ellipse", fillcolor="white", style="filled")
        for via in destination["via"]:
            graph.edge("peer-" + via["attachment"].rsplit("/", 1)[-1],
                       "to-" + destination["prefix"],
                       "cost %s" % via["cost"])
    return graph


def draw(tollwayd, stem):
    """Writes STEM.svg and STEM.png; returns their paths."""
    graph = build(tollwayd.json("hosts"), nodes(tollwayd),
                  tollwayd.json("show", "acme"), tollwayd.json("neighbors"))
    paths = []
    for kind in ("svg", "png"):
        path = "%s.%s" % (stem, kind)
        run(["dot", "-T" + kind, "-o", path], input=graph.text())
        paths.append(path)
    return paths
