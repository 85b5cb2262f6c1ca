# SPDX-License-Identifier: Apache-2.0
"""Tollway's test lab: real Open vSwitch hosts, FRR and BIRD routers, nodes and
servers on one machine, each in a network namespace of its own."""

from .core import Lab, LabError, Process, ip_batch, now, run, sh, wait_for
from .host import Host, Node, Segment
from .router import BirdRouter, FrrRouter, Ospf, Server, Trunk, attach_segment

__all__ = ["BirdRouter", "FrrRouter", "Host", "Lab", "LabError", "Node", "Ospf",
           "Process", "Segment", "Server", "Trunk", "attach_segment",
           "ip_batch", "now", "run", "sh", "wait_for"]
