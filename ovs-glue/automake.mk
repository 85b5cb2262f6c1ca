# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += ovs-glue/libtwglue.a
ovs_glue_libtwglue_a_SOURCES = \
	ovs-glue/hostdb-sync.c \
	ovs-glue/hostdb-sync.h \
	ovs-glue/hostdb.c \
	ovs-glue/hostdb.h \
	ovs-glue/ofmsgs.c \
	ovs-glue/ofmsgs.h \
	ovs-glue/ofsession.c \
	ovs-glue/ofsession.h \
	ovs-glue/store-json.c \
	ovs-glue/store-json.h \
	ovs-glue/store.c \
	ovs-glue/store.h

# Tests on real ovsdb-server and ovs-vswitchd, with dummy datapaths.
if HAVE_CUNIT
TW_GLUE_TEST_CPPFLAGS = $(AM_CPPFLAGS) -DTW_SRCDIR='"$(abs_top_srcdir)"'
TW_GLUE_TEST_SOURCES = \
	tests/glue/sandbox.c \
	tests/glue/sandbox.h \
	tests/unit/tw-cunit.h

check_PROGRAMS += tests/unit/test-glue-store
tests_unit_test_glue_store_SOURCES = \
	tests/unit/test-glue-store.c $(TW_GLUE_TEST_SOURCES)
tests_unit_test_glue_store_CPPFLAGS = $(TW_GLUE_TEST_CPPFLAGS)
tests_unit_test_glue_store_LDADD = \
	ovs-glue/libtwglue.a $(TW_BASE_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-glue-hostdb
tests_unit_test_glue_hostdb_SOURCES = \
	tests/unit/test-glue-hostdb.c $(TW_GLUE_TEST_SOURCES)
tests_unit_test_glue_hostdb_CPPFLAGS = $(TW_GLUE_TEST_CPPFLAGS)
tests_unit_test_glue_hostdb_LDADD = \
	ovs-glue/libtwglue.a $(TW_BASE_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-glue-ofsession
tests_unit_test_glue_ofsession_SOURCES = \
	tests/unit/test-glue-ofsession.c $(TW_GLUE_TEST_SOURCES)
tests_unit_test_glue_ofsession_CPPFLAGS = $(TW_GLUE_TEST_CPPFLAGS)
tests_unit_test_glue_ofsession_LDADD = \
	ovs-glue/libtwglue.a controller/libtwflow.a $(TW_BASE_LIBS) $(CUNIT_LIBS)
endif
