# SPDX-License-Identifier: Apache-2.0

sbin_PROGRAMS += controller/daemon/tollwayd
controller_daemon_tollwayd_SOURCES = \
	controller/daemon/api.c \
	controller/daemon/http.c \
	controller/daemon/http.h \
	controller/daemon/load.c \
	controller/daemon/main.c \
	controller/daemon/sessions.c \
	controller/daemon/stats.c \
	controller/daemon/submit.c \
	controller/daemon/tollwayd.c \
	controller/daemon/tollwayd.h
controller_daemon_tollwayd_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS) \
	$(MICROHTTPD_CFLAGS)
controller_daemon_tollwayd_LDADD = \
	ovs-glue/libtwglue.a \
	controller/libtwengine.a \
	controller/libtwflow.a \
	controller/libtwroute.a \
	controller/libtwospf.a \
	controller/libtwcost.a \
	controller/libtwmodel.a \
	controller/libtwbase.a \
	$(OVSDB_LIBS) $(OVS_LIBS) $(XML_LIBS) $(MICROHTTPD_LIBS)
