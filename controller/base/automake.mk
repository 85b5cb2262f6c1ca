# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwbase.a
controller_libtwbase_a_SOURCES = \
	controller/base/diag.c \
	controller/base/diag.h \
	controller/base/prefix.c \
	controller/base/prefix.h
