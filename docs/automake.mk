# SPDX-License-Identifier: Apache-2.0

dist_man_MANS += docs/tollctl.8 docs/tollwayd.8
dist_doc_DATA += \
	docs/api.md \
	docs/architecture.md \
	docs/documents.md \
	docs/operations.md \
	docs/performance.md \
	docs/pipeline.md \
	docs/store.md
