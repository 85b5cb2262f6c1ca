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

# The flows of a small network, for tests/golden/run-flow.
check_PROGRAMS += tests/golden/flow/tw-flows
tests_golden_flow_tw_flows_SOURCES = \
	tests/golden/flow/flow-net.c \
	tests/golden/flow/flow-net.h \
	tests/golden/flow/tw-flows.c
tests_golden_flow_tw_flows_LDADD = \
	controller/libtwflow.a controller/libtwroute.a $(TW_MODEL_LIBS)
EXTRA_DIST += \
	tests/golden/run-flow \
	tests/golden/flow/deltas.txt \
	tests/golden/flow/flows-h1.txt \
	tests/golden/flow/flows-h2.txt \
	tests/golden/flow/flows-h3.txt \
	tests/golden/flow/flows-net.txt \
	tests/golden/flow/traces.txt

if HAVE_CUNIT
check_PROGRAMS += tests/unit/test-flow-desired tests/unit/test-flow-pipeline
tests_unit_test_flow_desired_SOURCES = \
	tests/unit/test-flow-desired.c tests/unit/tw-cunit.h
tests_unit_test_flow_desired_LDADD = \
	controller/libtwflow.a $(TW_BASE_LIBS) $(CUNIT_LIBS)
tests_unit_test_flow_pipeline_SOURCES = \
	tests/golden/flow/flow-net.c \
	tests/golden/flow/flow-net.h \
	tests/unit/test-flow-pipeline.c \
	tests/unit/tw-cunit.h
tests_unit_test_flow_pipeline_LDADD = \
	controller/libtwflow.a controller/libtwroute.a $(TW_MODEL_LIBS) \
	$(CUNIT_LIBS)
endif
