# SPDX-License-Identifier: Apache-2.0
#
# The CUnit programs of a folder controller/<x> are declared in
# controller/<x>/automake.mk, after its library:
#
#     if HAVE_CUNIT
#     check_PROGRAMS += tests/unit/test-ospf
#     tests_unit_test_ospf_SOURCES = tests/unit/test-ospf.c tests/unit/tw-cunit.h
#     tests_unit_test_ospf_LDADD = controller/libtwospf.a $(TW_BASE_LIBS) $(CUNIT_LIBS)
#     endif
#
# Each links only what it needs.  tests/unit/run runs whatever is named
# tests/unit/test-* in check_PROGRAMS.

EXTRA_DIST += tests/unit/run

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-base
tests_unit_test_base_SOURCES = tests/unit/test-base.c tests/unit/tw-cunit.h
tests_unit_test_base_LDADD = $(TW_BASE_LIBS) $(CUNIT_LIBS)
endif

# What tests/unit/run runs.
print-unit-tests:
	@for t in $(check_PROGRAMS); do case $$t in tests/unit/test-*) echo $$t;; esac; done
.PHONY: print-unit-tests
