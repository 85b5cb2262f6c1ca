# SPDX-License-Identifier: Apache-2.0
"""Tollway's test lab: real Open vSwitch hosts, FRR and BIRD routers, nodes and
servers on one machine, each in a network namespace of its own; tollwayd and
tollctl on top."""

from .capture import Capture
from .core import (Lab, LabError, Process, in_netns, ip_batch, now, run, sh,
                   wait_for)
from .host import Host, Node, Segment
from .probe import Prober, Responder
from .router import BirdRouter, FrrRouter, Ospf, Server, Trunk, attach_segment
from .tollway import (FlowWatch, Store, TollctlError, Tollwayd, customer,
                      element, fabric, metrics, point)
from .world import World

__all__ = ["BirdRouter", "Capture", "FlowWatch", "FrrRouter", "Host", "Lab",
           "LabError", "Node", "Ospf", "Process", "Prober", "Responder",
           "Segment", "Server", "Store", "TollctlError", "Tollwayd", "Trunk",
           "World", "attach_segment", "customer", "element", "fabric",
           "in_netns", "ip_batch", "metrics", "now", "point", "run", "sh",
           "wait_for"]
