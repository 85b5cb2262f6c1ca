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
