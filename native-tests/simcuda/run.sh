#!/usr/bin/env bash
# Builds the stand-in CUDA driver and runs its own tests:
#   native-tests/simcuda/run.sh [--asan]
set -euo pipefail
cd "$(dirname "$0")/../.."
exec </dev/null
out=target/simcuda
if [[ ${1:-} == --asan ]]; then
    out=target/simcuda-asan
    # The context that is lost on purpose leaves its objects behind; the driver's own state lives as long as the process.
    export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:detect_stack_use_after_return=0}
fi
native-tests/simcuda/build.sh "$@"

# A missing function would end the process at the first call of it.
missing=$(comm -23 <(native-tests/simcuda/symbols.sh --jcuda | LC_ALL=C sort) \
    <(nm -D --defined-only "$out/libcuda.so.1" | awk '{ print $3 }' | LC_ALL=C sort))
needed=$(native-tests/simcuda/symbols.sh --jcuda | wc -l)
if [[ -n $missing ]]; then
    echo "functions that JCuda needs and the stand-in lacks:" $missing >&2
    exit 1
fi
if ((needed == 0)); then
    echo "JCuda's library is not in the local Maven repository: its functions were not compared"
else
    echo "all $needed functions that JCuda needs are there"
fi
SIMCUDA_DEVICES=2 "$out/simcuda_test"
