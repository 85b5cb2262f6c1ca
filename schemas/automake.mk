# SPDX-License-Identifier: Apache-2.0

dist_pkgdata_DATA += \
	schemas/tollway-config.xsd \
	schemas/tollway-fabric.xsd \
	schemas/tollway-metrics.xsd \
	schemas/tollway.ovsschema
