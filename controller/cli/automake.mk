# SPDX-License-Identifier: Apache-2.0

bin_PROGRAMS += controller/cli/tollctl
controller_cli_tollctl_SOURCES = \
	controller/cli/answer.c \
	controller/cli/answer.h \
	controller/cli/call.c \
	controller/cli/client.c \
	controller/cli/client.h \
	controller/cli/documents.c \
	controller/cli/show-counters.c \
	controller/cli/show-hosts.c \
	controller/cli/show-net.c \
	controller/cli/show-ospf.c \
	controller/cli/table.c \
	controller/cli/table.h \
	controller/cli/tollctl.c \
	controller/cli/tollctl.h
controller_cli_tollctl_LDADD = controller/libtwbase.a \
	$(OVS_BUILD)/lib/.libs/libopenvswitch.a $(OVS_DEPS_STATIC) -lpthread

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = controller/cli/completion/tollctl
