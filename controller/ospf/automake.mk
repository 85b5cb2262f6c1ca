# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwospf.a
controller_libtwospf_a_SOURCES = \
	controller/base/bytes.h \
	controller/ospf/exchange.c \
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
	controller/ospf/spf.c \
	controller/ospf/spf.h

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-ospf-adjacency
tests_unit_test_ospf_adjacency_SOURCES = \
	tests/unit/ospf-net.c \
	tests/unit/ospf-net.h \
	tests/unit/test-ospf-adjacency.c \
	tests/unit/tw-cunit.h
tests_unit_test_ospf_adjacency_LDADD = controller/libtwospf.a $(OVS_LIBS) $(CUNIT_LIBS)
endif
