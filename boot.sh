#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Generates configure and what it needs, from a fresh checkout.
cd "$(dirname "$0")" && exec autoreconf --install --force --warnings=all,no-portability
