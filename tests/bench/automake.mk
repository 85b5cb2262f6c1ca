# SPDX-License-Identifier: Apache-2.0

check_PROGRAMS += tests/bench/watch
tests_bench_watch_SOURCES = tests/bench/watch.c
tests_bench_watch_LDADD = $(OVS_LIBS)

EXTRA_DIST += tests/bench/bare.py tests/bench/ours.py tests/bench/peer.py
EXTRA_DIST += tests/bench/run tests/bench/table.py tests/bench/watch.py
