# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwospf.a
controller_libtwospf_a_SOURCES = \
	controller/base/bytes.h \
	controller/ospf/exchange.c \
	controller/ospf/externals.c \
	controller/ospf/flood.c \
	controller/ospf/iface.c \
	controller/ospf/lsa.c \
	controller/ospf/lsa.h \
	controller/ospf/lsdb.c \
	controller/ospf/lsdb.h \
	controller/ospf/neighbor.c \
	controller/ospf/nhset.c \
	controller/ospf/nhset.h \
	controller/ospf/originate.c \
	controller/ospf/ospf-private.h \
	controller/ospf/ospf.c \
	controller/ospf/ospf.h \
	controller/ospf/packet.c \
	controller/ospf/packet.h \
	controller/ospf/rib-build.h \
	controller/ospf/rib.c \
	controller/ospf/rib.h \
	controller/ospf/show.c \
	controller/ospf/snapshot.c \
	controller/ospf/sort.c \
	controller/ospf/sort.h \
	controller/ospf/spf.c \
	controller/ospf/spf.h

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-ospf-codec
tests_unit_test_ospf_codec_SOURCES = tests/unit/test-ospf-codec.c tests/unit/tw-cunit.h
tests_unit_test_ospf_codec_LDADD = controller/libtwospf.a $(OVS_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-ospf-spf
tests_unit_test_ospf_spf_SOURCES = tests/unit/test-ospf-spf.c tests/unit/tw-cunit.h
tests_unit_test_ospf_spf_LDADD = controller/libtwospf.a $(OVS_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-ospf-adjacency
tests_unit_test_ospf_adjacency_SOURCES = \
	tests/unit/ospf-net.c \
	tests/unit/ospf-net.h \
	tests/unit/test-ospf-adjacency.c \
	tests/unit/tw-cunit.h
tests_unit_test_ospf_adjacency_LDADD = controller/libtwospf.a $(OVS_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-ospf-flooding
tests_unit_test_ospf_flooding_SOURCES = \
	tests/unit/ospf-net.c \
	tests/unit/ospf-net.h \
	tests/unit/test-ospf-flooding.c \
	tests/unit/tw-cunit.h
tests_unit_test_ospf_flooding_LDADD = controller/libtwospf.a $(OVS_LIBS) $(CUNIT_LIBS)
endif

# A router on raw sockets, for tests/interop/test_speaker.py and by hand.
check_PROGRAMS += tests/interop/ospf-raw
tests_interop_ospf_raw_SOURCES = tests/interop/ospf-raw.c
tests_interop_ospf_raw_LDADD = controller/libtwospf.a $(OVS_LIBS)
EXTRA_DIST += tests/interop/test_speaker.py

# Prints the routes that follow from an LSDB, for tests/golden/run-ospf.
check_PROGRAMS += tests/golden/ospf/tw-spf
tests_golden_ospf_tw_spf_SOURCES = tests/golden/ospf/tw-spf.c
tests_golden_ospf_tw_spf_LDADD = controller/libtwospf.a $(OVS_LIBS)
EXTRA_DIST += \
	tests/golden/run-ospf \
	tests/golden/ospf/segment.lsdb \
	tests/golden/ospf/segment.txt \
	tests/golden/ospf/two-sites.lsdb \
	tests/golden/ospf/two-sites.txt
