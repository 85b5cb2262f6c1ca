# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwcost.a
controller_libtwcost_a_SOURCES = \
	controller/cost/cost.c \
	controller/cost/cost.h

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-cost
tests_unit_test_cost_SOURCES = tests/unit/test-cost.c tests/unit/tw-cunit.h
tests_unit_test_cost_LDADD = controller/libtwcost.a $(TW_BASE_LIBS) $(CUNIT_LIBS)
endif

dist_doc_DATA += docs/costs.md
