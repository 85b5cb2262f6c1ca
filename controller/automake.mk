# SPDX-License-Identifier: Apache-2.0

# In the order in which they may include each other.
include controller/base/automake.mk
include controller/model/automake.mk
include controller/cost/automake.mk
include controller/ospf/automake.mk
include controller/route/automake.mk
include controller/flow/automake.mk
include controller/engine/automake.mk
include controller/daemon/automake.mk
include controller/cli/automake.mk
