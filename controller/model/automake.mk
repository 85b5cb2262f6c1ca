# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwmodel.a
controller_libtwmodel_a_CPPFLAGS = $(AM_CPPFLAGS) $(XML_CFLAGS)
controller_libtwmodel_a_SOURCES = \
	controller/model/alloc-private.h \
	controller/model/alloc-update.c \
	controller/model/alloc.c \
	controller/model/alloc.h \
	controller/model/config-check.c \
	controller/model/config-check.h \
	controller/model/config.c \
	controller/model/diff.c \
	controller/model/diff.h \
	controller/model/document-explain.c \
	controller/model/document-open.c \
	controller/model/document-private.h \
	controller/model/document.c \
	controller/model/document.h \
	controller/model/fabric-check.c \
	controller/model/fabric.c \
	controller/model/metrics.c \
	controller/model/model-private.h \
	controller/model/model.c \
	controller/model/model.h \
	controller/model/routers-check.c \
	controller/model/schema-rules.h \
	controller/model/schema.c \
	controller/model/schema.h \
	controller/model/topo-build.c \
	controller/model/topo.c \
	controller/model/topo.h

# For the LDADD of what links libtwmodel.a, after it.
TW_MODEL_LIBS = controller/libtwmodel.a $(TW_BASE_LIBS) $(XML_LIBS)

# Prints what it reads: the golden tests of the documents run it.
check_PROGRAMS += tests/golden/tw-model
tests_golden_tw_model_SOURCES = tests/golden/tw-model.c
tests_golden_tw_model_LDADD = $(TW_MODEL_LIBS)
EXTRA_DIST += tests/golden/run tests/golden/run-model tests/golden/model

if HAVE_CUNIT
TW_MODEL_TEST_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTW_SCHEMAS='"$(abs_top_srcdir)/schemas"'

check_PROGRAMS += tests/unit/test-model-alloc
tests_unit_test_model_alloc_SOURCES = tests/unit/test-model-alloc.c \
	tests/unit/model-docs.h tests/unit/tw-cunit.h
tests_unit_test_model_alloc_CPPFLAGS = $(TW_MODEL_TEST_CPPFLAGS)
tests_unit_test_model_alloc_LDADD = $(TW_MODEL_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-model-check
tests_unit_test_model_check_SOURCES = tests/unit/test-model-check.c \
	tests/unit/model-docs.h tests/unit/tw-cunit.h
tests_unit_test_model_check_CPPFLAGS = $(TW_MODEL_TEST_CPPFLAGS)
tests_unit_test_model_check_LDADD = $(TW_MODEL_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-model-document
tests_unit_test_model_document_SOURCES = tests/unit/test-model-document.c \
	tests/unit/model-docs.h tests/unit/tw-cunit.h
tests_unit_test_model_document_CPPFLAGS = $(TW_MODEL_TEST_CPPFLAGS)
tests_unit_test_model_document_LDADD = $(TW_MODEL_LIBS) $(CUNIT_LIBS)

check_PROGRAMS += tests/unit/test-model-topo
tests_unit_test_model_topo_SOURCES = tests/unit/test-model-topo.c \
	tests/unit/model-docs.h tests/unit/tw-cunit.h
tests_unit_test_model_topo_CPPFLAGS = $(TW_MODEL_TEST_CPPFLAGS)
tests_unit_test_model_topo_LDADD = $(TW_MODEL_LIBS) $(CUNIT_LIBS)
endif

EXTRA_DIST += tests/fuzz/fuzz-model.h
EXTRA_DIST += tests/fuzz/fuzz-config.c tests/fuzz/config.dict
EXTRA_DIST += tests/fuzz/fuzz-fabric.c tests/fuzz/fabric.dict
EXTRA_DIST += tests/fuzz/fuzz-metrics.c tests/fuzz/metrics.dict
