# SPDX-License-Identifier: Apache-2.0

EXTRA_DIST += examples/acme.xml examples/fabric.xml examples/metrics.xml
