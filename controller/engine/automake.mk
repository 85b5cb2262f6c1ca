# SPDX-License-Identifier: Apache-2.0

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-frames
tests_unit_test_frames_SOURCES = \
	tests/unit/test-frames.c tests/unit/tw-cunit.h \
	controller/engine/frames.c controller/engine/frames.h
tests_unit_test_frames_LDADD = $(TW_BASE_LIBS) $(CUNIT_LIBS)
endif
