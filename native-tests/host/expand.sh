#!/usr/bin/env bash
# Prints the C++ source for the host of the kernels of a file, as kernels/expand.sh ($EXPAND) does, with shared arrays that
# belong to a block:
#   native-tests/host/expand.sh FILE [PATTERN]      such as: native-tests/host/expand.sh reduce '__OP_SUM__'
set -euo pipefail
"${EXPAND:-$(dirname "$0")/../../kernels/expand.sh}" host "$@" |
    sed -E -e 's/\bLOCAL ([A-Za-z_0-9]+) ([A-Za-z_0-9]+)((\[[^]]*\])+);/LOCAL_ARRAY(\1, \2, \3);/' \
        -e 's/\(LOCAL ([A-Za-z_0-9]+) \*\)/(\1 *)/g'
