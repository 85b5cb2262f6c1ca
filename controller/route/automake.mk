# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwroute.a
controller_libtwroute_a_SOURCES = \
	controller/route/adverts.c \
	controller/route/alternate.c \
	controller/route/choose.c \
	controller/route/choose.h \
	controller/route/entries.c \
	controller/route/equal.c \
	controller/route/explain.c \
	controller/route/own.c \
	controller/route/reason.c \
	controller/route/ribs.c \
	controller/route/route-private.h \
	controller/route/route.c \
	controller/route/route.h \
	controller/route/sets.c \
	controller/route/ways.c

# For the LDADD of what links libtwroute.a.
TW_ROUTE_LIBS = controller/libtwroute.a controller/libtwmodel.a $(TW_BASE_LIBS)

# Prints routes and reasons: the golden tests run it.
check_PROGRAMS += tests/golden/route/tw-route
tests_golden_route_tw_route_SOURCES = tests/golden/route/tw-route.c
tests_golden_route_tw_route_LDADD = controller/libtwroute.a \
	controller/libtwospf.a controller/libtwmodel.a $(TW_BASE_LIBS) $(XML_LIBS)
EXTRA_DIST += tests/golden/run-route
EXTRA_DIST += tests/golden/route/fabric.xml \
	tests/golden/route/two-sites.xml tests/golden/route/in-series.xml \
	tests/golden/route/two-sites.facts tests/golden/route/two-sites.txt \
	tests/golden/route/alternate.facts tests/golden/route/alternate.txt \
	tests/golden/route/east-dear.facts tests/golden/route/east-dear.txt \
	tests/golden/route/east-dead.facts tests/golden/route/east-dead.txt \
	tests/golden/route/stated-against-learned.facts \
	tests/golden/route/stated-against-learned.txt \
	tests/golden/route/nothing-lives.facts \
	tests/golden/route/nothing-lives.txt \
	tests/golden/route/in-series.facts tests/golden/route/in-series.txt

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-route
tests_unit_test_route_SOURCES = tests/unit/test-route.c \
	tests/unit/route-oracle.c tests/unit/route-oracle.h \
	tests/unit/route-world.c tests/unit/route-world.h \
	tests/unit/tw-cunit.h
tests_unit_test_route_LDADD = $(TW_ROUTE_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-route-scale
tests_unit_test_route_scale_SOURCES = tests/unit/test-route-scale.c \
	tests/unit/route-world.c tests/unit/route-world.h tests/unit/tw-cunit.h
tests_unit_test_route_scale_LDADD = $(TW_ROUTE_LIBS) $(CUNIT_LIBS)
endif
