#!/usr/bin/env bash
# Builds the kernels for the host and tests them under AddressSanitizer and UndefinedBehaviorSanitizer:
#   native-tests/run.sh [FILTER]        FILTER: a part of a group's name, such as reduce
# JOBS=N compiles with N processes; KERNELS=FOLDER tests other sources; OUT=FOLDER keeps what is built elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
export OUT=${OUT:-target/native-tests} KERNELS=${KERNELS:-kernels}
for tool in g++ cpp make awk; do
    if ! command -v "$tool" >/dev/null; then
        echo "native-tests: $tool is missing; install the Debian packages g++ and make" >&2
        exit 1
    fi
done
mkdir -p "$OUT"
make -s -f native-tests/build.mk -j"${JOBS:-$(nproc)}" "$OUT/host_test" "$OUT/kernels_test"
export ASAN_OPTIONS=detect_stack_use_after_return=0:${ASAN_OPTIONS:-} UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
if [[ $# == 0 ]]; then
    echo "the executor:"
    "$OUT/host_test"
    echo "the kernels:"
fi
"$OUT/kernels_test" "${1:-}" "$KERNELS/catalog.tsv"
