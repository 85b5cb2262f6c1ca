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
    return {r["node"]: r
            for r in records(tollwayd.json("nodes"), "node", "mac", "address")}


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


def draw_host(graph, host, placed):
    """A host with its bridge and its nodes."""
    name = host["host"]
    own = sorted((n for n in placed.values()
                  if n.get("port-host", n.get("host")) == name),
                 key=lambda n: n["node"])
    graph.lines.append("subgraph %s { label=%s; style=\"rounded\"; "
                       "color=\"#8899aa\";" % (
                           quote("cluster_" + name),
                           quote("host %s  %s" % (name, host["tunnel"]))))
    graph.node("host-" + name, "br-int", "%d flows" % host["flows"],
               fillcolor="#dde8f4")
    for node in own:
        graph.node("node-" + node["node"], node["node"], node["address"],
                   fillcolor="#e8f4dd")
    graph.lines.append("}")
    for node in own:
        graph.edge("node-" + node["node"], "host-" + name)


def build(hosts, placed, shown, neighbors, routes):
    """The graph, from what `tollctl hosts`, nodes(), `show`, `neighbors` and
    `routes` say."""
    graph = Graph()
    hosts = sorted(records(hosts, "host", "tunnel"), key=lambda h: h["host"])
    for host in hosts:
        draw_host(graph, host, placed)
    for i, a in enumerate(hosts):
        for b in hosts[i + 1:]:
            graph.edge("host-" + a["host"], "host-" + b["host"],
                       style="dashed", color="#8899aa", constraint="false")
    peers = {i["attachment"]: (i["neighbors"] or [{}])[0]
             for i in records(neighbors, "attachment", "neighbors")}
    for router in records(shown, "router-id", "attachments"):
        for attachment in router["attachments"]:
            name = attachment["name"]
            peer = peers.get(name, {})
            graph.node("peer-" + name, name,
                       "router ID %s" % peer.get("router-id", "?"),
                       "OSPF %s" % peer.get("state", "has no neighbour"),
                       fillcolor="#f8ecd8", style="filled")
            graph.edge("host-" + attachment["host"], "peer-" + name,
                       "%s %s\n%s, cost %s" % (
                           router["name"], router["router-id"],
                           attachment["address"], attachment["cost"]))
    for route in records(routes, "prefix", "ways"):
        if route["from"] == "attachments":
            continue
        graph.node("to-" + route["prefix"], route["prefix"], shape="ellipse",
                   fillcolor="white", style="filled")
        for way in route["ways"]:
            graph.edge("peer-" + way["attachment"], "to-" + route["prefix"],
                       "total cost %s%s" % (way["cost"], "" if way["alive"]
                                            else ", dead"),
                       style="bold" if way["chosen"] else "solid",
                       color="#226622" if way["chosen"] else "#555555")
    return graph


def draw(tollwayd, stem):
    """Writes STEM.svg and STEM.png; returns their paths."""
    graph = build(tollwayd.json("hosts"), nodes(tollwayd),
                  tollwayd.json("show", "acme"), tollwayd.json("neighbors"),
                  tollwayd.json("routes"))
    paths = []
    for kind in ("svg", "png"):
        path = "%s.%s" % (stem, kind)
        run(["dot", "-T" + kind, "-o", path], input=graph.text())
        paths.append(path)
    return paths
