# SPDX-License-Identifier: Apache-2.0

# The IDL of the store: schemas/tollway.ovsschema -> ovs-glue/tollway-idl.[ch],
# generated in the build tree.  (The hosts' IDL, lib/vswitch-idl.h, comes with
# libopenvswitch.)  A module that includes it lists $(TOLLWAY_IDL_FILES) in its
# nodist_..._SOURCES.
OVSDB_IDLC = PYTHONPATH=$(OVS_SOURCE)/python PYTHONDONTWRITEBYTECODE=1 \
	$(PYTHON3) $(OVS_SOURCE)/ovsdb/ovsdb-idlc.in
TOLLWAY_IDL_FILES = ovs-glue/tollway-idl.c ovs-glue/tollway-idl.h
EXTRA_DIST += ovs-glue/tollway-idl.ann

ovs-glue/tollway-idl.ovsidl: schemas/tollway.ovsschema ovs-glue/tollway-idl.ann
	$(AM_V_GEN)$(MKDIR_P) ovs-glue && \
	$(OVSDB_IDLC) annotate $(srcdir)/schemas/tollway.ovsschema \
		$(srcdir)/ovs-glue/tollway-idl.ann > $@.tmp && mv $@.tmp $@
ovs-glue/tollway-idl.c: ovs-glue/tollway-idl.ovsidl
	$(AM_V_GEN)$(OVSDB_IDLC) c-idl-source $< > $@.tmp && mv $@.tmp $@
ovs-glue/tollway-idl.h: ovs-glue/tollway-idl.ovsidl
	$(AM_V_GEN)$(OVSDB_IDLC) c-idl-header $< > $@.tmp && mv $@.tmp $@
CLEANFILES += $(TOLLWAY_IDL_FILES) ovs-glue/tollway-idl.ovsidl
