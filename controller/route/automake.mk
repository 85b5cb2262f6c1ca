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
