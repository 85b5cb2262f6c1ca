# SPDX-License-Identifier: Apache-2.0

noinst_LIBRARIES += controller/libtwflow.a
controller_libtwflow_a_SOURCES = \
	controller/flow/actions.c \
	controller/flow/delivery.c \
	controller/flow/delta.c \
	controller/flow/desired.h \
	controller/flow/idspace.c \
	controller/flow/idspace.h \
	controller/flow/ingress.c \
	controller/flow/items.c \
	controller/flow/pipeline-private.h \
	controller/flow/pipeline.c \
	controller/flow/pipeline.h \
	controller/flow/reconcile.c \
	controller/flow/reconcile.h \
	controller/flow/router.c \
	controller/flow/scope.c \
	controller/flow/switching.c \
	controller/flow/ways.c
