# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwengine.a
controller_libtwengine_a_SOURCES = \
	controller/engine/engine-private.h \
	controller/engine/engine.c \
	controller/engine/engine.h \
	controller/engine/frames.c \
	controller/engine/frames.h \
	controller/engine/hosts.c \
	controller/engine/net.c \
	controller/engine/punts.c \
	controller/engine/query-flows.c \
	controller/engine/query-ospf.c \
	controller/engine/query-private.h \
	controller/engine/query-routes.c \
	controller/engine/query.c \
	controller/engine/speakers.c \
	controller/engine/ways.c

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-frames
tests_unit_test_frames_SOURCES = \
	tests/unit/test-frames.c tests/unit/tw-cunit.h \
	controller/engine/frames.c controller/engine/frames.h
tests_unit_test_frames_LDADD = $(TW_BASE_LIBS) $(CUNIT_LIBS)
endif

TW_ENGINE_LIBS = \
	controller/libtwengine.a controller/libtwflow.a \
	controller/libtwroute.a controller/libtwospf.a \
	controller/libtwcost.a $(TW_MODEL_LIBS)
check_PROGRAMS += tests/golden/tw-engine
tests_golden_tw_engine_SOURCES = tests/golden/tw-engine.c
tests_golden_tw_engine_LDADD = $(TW_ENGINE_LIBS)
EXTRA_DIST += tests/golden/run-engine tests/golden/engine

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-engine
tests_unit_test_engine_SOURCES = tests/unit/test-engine.c \
	tests/unit/model-docs.h tests/unit/tw-cunit.h
tests_unit_test_engine_CPPFLAGS = $(TW_MODEL_TEST_CPPFLAGS)
tests_unit_test_engine_LDADD = $(TW_ENGINE_LIBS) $(CUNIT_LIBS)
endif
