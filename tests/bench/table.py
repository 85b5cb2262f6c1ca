# SPDX-License-Identifier: Apache-2.0
"""Rows of measurements, as text and as JSON."""

import json
import statistics

UNITS = {"ms": (1e-6, "%.2f ms"), "MiB": (1 / 1048576, "%.1f MiB")}


def p99(samples):
    """The nearest-rank 99th percentile: of fewer than 100, the largest."""
    ordered = sorted(samples)
    return ordered[-(-99 * len(ordered) // 100) - 1]


class Row:
    """One measurement: ours, the peer's, and what the goal says of them.

    `unit` "ms" has samples in ns, "MiB" in bytes.  `ratio` is the goal for
    ours divided by the peer's, `limit` a goal for ours itself, in samples'
    unit.  `peer_name` says what the peer's samples are; `ovn`, whether OVN
    has to be installed for them."""

    def __init__(self, what, unit, peer_name, ratio=None, limit=None,
                 ovn=True):
        self.name = None
        self.what, self.unit = what, unit
        self.peer_name, self.ovn = peer_name, ovn
        self.goal_ratio, self.goal_limit = ratio, limit
        self.ours, self.peer = [], []

    @property
    def ratio(self):
        if not self.ours or not self.peer:
            return None
        return statistics.median(self.ours) / statistics.median(self.peer)

    @property
    def held(self):
        """True or False, or None where there is no goal or nothing to
        compare with."""
        if self.goal_limit is not None and self.ours:
            return statistics.median(self.ours) <= self.goal_limit
        if self.goal_ratio is not None and self.ratio is not None:
            return self.ratio <= self.goal_ratio
        return None

    def complete(self, ovn_installed):
        return bool(self.ours and (self.peer or self.ovn
                                   and not ovn_installed))

    def _value(self, samples):
        if not samples:
            return "-"
        factor, form = UNITS[self.unit]
        text = form % (statistics.median(samples) * factor)
        if len(samples) > 1:
            text += " (p99 %s)" % (form % (p99(samples) * factor)).split()[0]
        return text

    def cells(self, ovn_installed):
        goal = "-"
        if self.goal_limit is not None:
            factor, form = UNITS[self.unit]
            goal = "<= " + form % (self.goal_limit * factor)
        elif self.goal_ratio is not None:
            goal = "<= %g" % self.goal_ratio
        return [self.name, self._value(self.ours),
                self._value(self.peer) if ovn_installed or not self.ovn
                else "peer not installed",
                "-" if self.ratio is None else "%.3f" % self.ratio, goal,
                {True: "held", False: "missed", None: "-"}[self.held]]

    def json(self):
        return {"name": self.name, "what": self.what, "peer": self.peer_name,
                "unit": {"ms": "ns", "MiB": "bytes"}[self.unit],
                "ours": self.ours, "peers": self.peer, "ratio": self.ratio,
                "goal-ratio": self.goal_ratio, "goal-limit": self.goal_limit,
                "held": self.held}


HEADER = ["name", "ours", "peer", "ratio", "goal", ""]


def text(rows, ovn_installed):
    lines = [HEADER] + [r.cells(ovn_installed) for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width
                               in zip(line, widths)).rstrip()
                     for line in lines)


def as_json(rows, machine):
    return json.dumps({"machine": machine, "rows": [r.json() for r in rows]},
                      indent=1)
