# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += \
	tests/sim/mutants \
	tests/sim/run \
	tests/sim/with-bridge

# The simulated switch, and the real one that it is compared with.
noinst_LIBRARIES += tests/sim/libtwsim.a
tests_sim_libtwsim_a_SOURCES = \
	tests/sim/realbridge.c \
	tests/sim/realbridge.h \
	tests/sim/simrand.h \
	tests/sim/simswitch-bytes.c \
	tests/sim/simswitch-msg.c \
	tests/sim/simswitch-private.h \
	tests/sim/simswitch-xlate.c \
	tests/sim/simswitch.c \
	tests/sim/simswitch.h \
	tests/sim/simtable.c \
	tests/sim/simtable.h

TW_SIM_LIBS = tests/sim/libtwsim.a \
	controller/libtwengine.a controller/libtwflow.a \
	controller/libtwroute.a controller/libtwospf.a \
	controller/libtwcost.a $(TW_MODEL_LIBS)

check_PROGRAMS += tests/sim/bridge-compare
tests_sim_bridge_compare_SOURCES = tests/sim/bridge-compare.c
tests_sim_bridge_compare_LDADD = tests/sim/libtwsim.a $(OVS_LIBS)

check_PROGRAMS += tests/sim/sim
tests_sim_sim_SOURCES = \
	tests/sim/sim.c \
	tests/sim/simoracle.c \
	tests/sim/simoracle.h \
	tests/sim/simpeer.c \
	tests/sim/simplan.c \
	tests/sim/simplan.h \
	tests/sim/simprobe.c \
	tests/sim/simworld.c \
	tests/sim/simworld.h
tests_sim_sim_LDADD = $(TW_SIM_LIBS)

# How tests/sim/mutants compiles one changed source and links it before the
# libraries.
print-sim-compile:
	@echo '$(CC) $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -Wno-error'
print-sim-link:
	@echo '$(CC) $(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) $(LDFLAGS) OBJECT $(tests_sim_sim_OBJECTS) $(TW_SIM_LIBS) $(LIBS)'
.PHONY: print-sim-compile print-sim-link
