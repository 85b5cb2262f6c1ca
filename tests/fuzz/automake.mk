# SPDX-License-Identifier: Apache-2.0
#
# Fuzzers are built by tests/fuzz/run, with clang, from the sources that each
# tests/fuzz/fuzz-*.c names: nothing to add here for a new one but its files in
# a release.

EXTRA_DIST += tests/fuzz/run tests/fuzz/fuzz-base.c tests/fuzz/corpus

# What tests/fuzz/run compiles and links with.
print-fuzz-flags:
	@echo "CPPFLAGS='$(DEFAULT_INCLUDES) -I$(abs_builddir) -I$(abs_srcdir) $(subst ',,$(AM_CPPFLAGS)) $(XML_CFLAGS)'"
	@echo "LIBS='$(XML_LIBS) $(OVSDB_LIBS) $(OVS_LIBS)'"
.PHONY: print-fuzz-flags
