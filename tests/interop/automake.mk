# SPDX-License-Identifier: Apache-2.0
#
# The interop suite and the lab that it, ./demo and the benchmarks run in.

check_PROGRAMS += tests/lab/probe
tests_lab_probe_SOURCES = tests/lab/probe.c

EXTRA_DIST += demo tests/lab/demo.py tests/lab/picture.py
EXTRA_DIST += tests/lab/__init__.py tests/lab/capture.py tests/lab/core.py
EXTRA_DIST += tests/lab/host.py tests/lab/probe.py tests/lab/reaper.py
EXTRA_DIST += tests/lab/router.py tests/lab/selftest.py tests/lab/tollway.py
EXTRA_DIST += tests/lab/world.py
EXTRA_DIST += tests/interop/run tests/interop/test_costs.py
EXTRA_DIST += tests/interop/test_documents.py
EXTRA_DIST += tests/interop/test_failures.py tests/interop/test_hostile.py
EXTRA_DIST += tests/interop/test_topologies.py
