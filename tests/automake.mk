# SPDX-License-Identifier: Apache-2.0

include tests/rules/automake.mk
include tests/unit/automake.mk
include tests/golden/automake.mk
include tests/sim/automake.mk
include tests/cli/automake.mk
include tests/interop/automake.mk
include tests/fuzz/automake.mk
include tests/bench/automake.mk
