#!/usr/bin/env bash
# Proves that the checks of kernels can fail: plants an access outside a buffer and a missing barrier in copies of the
# kernels, and requires that the host run and Oclgrind both catch each; and an element that is never set, which Oclgrind must.
#   native-tests/faults.sh [host|oclgrind]      default: both
set -euo pipefail
cd "$(dirname "$0")/.."
which=${1:-both}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# plant FILE OLD NEW: replaces what must be there exactly once.
plant() {
    local text rest
    text=$(<"$1")
    rest=${text#*"$2"}
    if [[ $rest == "$text" || $rest == *"$2"* ]]; then
        echo "faults: $1 does not hold exactly once: $2" >&2
        exit 1
    fi
    printf '%s%s%s\n' "${text%%"$2"*}" "$3" "$rest" >"$1"
}

copies() {
    mkdir -p "$work/$1"
    cp -R kernels "$work/$1/kernels"
    rm -rf "$work/$1/kernels/ptx"
}

copies clean
# One element after the end of a row.
copies outside
plant "$work/outside/kernels/scan.k" 'sums[0][THREAD] = j < a.length ?' 'sums[0][THREAD] = j <= a.length ?'
copies barrier
plant "$work/barrier/kernels/scan.k" '            from = 1 - from;
            BARRIER();' '            from = 1 - from;'
# The last element of a row of the output, which the backward pass reads.
copies unset
plant "$work/unset/kernels/groups.h" 'int left = clamped(y.length - chunk * CHUNK, 0, CHUNK);' 'int left = clamped(y.length - 1 - chunk * CHUNK, 0, CHUNK);'

failed=0
# expect NAME TEXT COMMAND...: the command must fail and say TEXT; with TEXT empty it must pass.
expect() {
    local name=$1 text=$2 rc=0
    shift 2
    "$@" >"$work/log" 2>&1 || rc=$?
    if [[ -z $text && $rc == 0 ]]; then
        echo "faults: $name: passes, as it must"
    elif [[ -n $text && $rc != 0 ]] && grep -q -E "$text" "$work/log"; then
        echo "faults: $name: caught: $(grep -m 1 -E "$text" "$work/log" | cut -c 1-150)"
    else
        echo "faults: $name: exit $rc, expected ${text:-no failure}; it said:" >&2
        tail -n 30 "$work/log" >&2
        failed=1
    fi
}

# Only the kernels of scan.k and their tests.
host() {
    local out=$work/$1/out
    mkdir -p "$out"
    # What does not come from the kernels is compiled once.
    [[ $1 == clean ]] || cp -p "$work"/clean/out/{test_*,executor,fiber,switch}.o "$out/"
    make -s -f native-tests/build.mk OUT="$out" KERNELS="$work/$1/kernels" FILES=scan CPU_FILES= TESTS="reduce test" \
        "$out/kernels_test" && ASAN_OPTIONS=detect_stack_use_after_return=0 "$out/kernels_test" scan "$work/$1/kernels/catalog.tsv"
}

# simulated COPY CASE
simulated() {
    mkdir -p "$work/$1/overlay/org/tenon"
    ln -sfn "$work/$1/kernels" "$work/$1/overlay/org/tenon/kernels"
    OVERLAY=$work/$1/overlay native-tests/oclgrind.sh "$2"
}

if [[ $which != oclgrind ]]; then
    expect "host, as it is" "" host clean
    expect "host, outside" "heap-buffer-overflow|runtime error" host outside
    expect "host, no barrier" "depends on the order of threads" host barrier
fi
if [[ $which != host ]]; then
    sum="Tensor.cumsum(int) float32 [2, 300] dense"
    softmax="F.softmax(Tensor,int) backward float32 [3, 33] dense"
    expect "oclgrind, as it is" "" simulated clean "$sum"
    expect "oclgrind, outside" "Invalid read" simulated outside "$sum"
    expect "oclgrind, no barrier" "data race" simulated barrier "$sum"
    expect "oclgrind, never set" "Uninitialized" simulated unset "$softmax"
fi
exit $failed
