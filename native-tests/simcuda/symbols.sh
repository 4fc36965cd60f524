#!/usr/bin/env bash
# Makes symbols.txt anew: every function that a driver library of CUDA 12 exports, as far as headers and libraries at hand
# tell. Needs cuda.h (CUDA_INCLUDE, or beside nvcc), and takes JCuda's driver library from the local Maven repository where
# it is there.
#   native-tests/simcuda/symbols.sh          writes symbols.txt
#   native-tests/simcuda/symbols.sh --jcuda  prints the names that JCuda's library needs, or nothing without it
set -euo pipefail
cd "$(dirname "$0")"

jcuda() {
    local repository=${MAVEN_REPOSITORY:-$HOME/.m2/repository} jar work
    for jar in "$repository"/org/jcuda/jcuda-natives/*/jcuda-natives-*-linux-x86_64.jar; do
        [[ -e $jar ]] || continue
        work=$(mktemp -d)
        unzip -q -o "$jar" 'lib/libJCudaDriver-*' -d "$work"
        nm -D --undefined-only "$work"/lib/*.so | awk '$2 ~ /^cu[A-Z]/ { print $2 }'
        rm -rf "$work"
    done | sort -u
}

if [[ ${1:-} == --jcuda ]]; then
    jcuda
    exit
fi

include=${CUDA_INCLUDE:-}
if [[ -z $include ]]; then
    nvcc=$(command -v nvcc || true)
    for include in /usr/local/cuda/include "$(dirname "$(readlink -f "${nvcc:-/x/x}")")/../include"; do
        [[ -e $include/cuda.h ]] && break
    done
fi
{
    # With and without the names of old and of per-thread versions.
    for flags in "" -D__CUDA_API_VERSION_INTERNAL -DCUDA_API_PER_THREAD_DEFAULT_STREAM; do
        # shellcheck disable=SC2086
        printf '#include <cuda.h>\n#if __has_include(<cudaProfiler.h>)\n#include <cudaProfiler.h>\n#endif\n' |
            ${CXX:-g++} -E -P -x c++ $flags -I "$include" - | grep -oE '\bcu[A-Z][A-Za-z0-9_]*\(' | tr -d '('
    done
    jcuda
} | sort -u | grep -v -e '^cuda' >symbols.txt
wc -l symbols.txt
