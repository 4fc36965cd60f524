#!/usr/bin/env bash
# Builds the kernels with nvcc and tests them on this machine's GPU against long double, with the tests of the host:
#   native-tests/cuda.sh [GROUP]        such as reduce; default: all
# ARCH=sm_90 names the device's architecture (default: native), OUT a folder for what is built, SANITIZER a command before the
# program, such as "compute-sanitizer --tool memcheck". BUILD_ONLY=1 needs no GPU, but an ARCH.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${ARCH:-native} out=${OUT:-target/native-tests-cuda}
for tool in nvcc cpp awk; do
    command -v "$tool" >/dev/null || { echo "native-tests: $tool is missing" >&2; exit 1; }
done
mkdir -p "$out"
flags=(-std=c++17 -arch="$arch" -I native-tests/host -I native-tests/kernels)
# float32 in full, of the other types of softmax a few: as on the host.
softmax=$(sed -n 's/^SOFTMAX_[A-Z]* := //p' native-tests/build.mk | paste -sd"|")

# Clusters begin with sm_90.
capability=$arch
[[ $arch == native ]] && capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1)
capability=${capability//[^0-9]/}
except=
((capability < 90)) && except=__CLUSTER_

compile() { # SOURCE OBJECT FLAGS...: unless it is there and newer
    local source=$1 object=$2
    shift 2
    [[ $object -nt $source ]] && return
    # Whoever is stopped on the way leaves nothing that looks finished.
    nvcc "${flags[@]}" "$@" -c -o "$object.new" "$source"
    mv "$object.new" "$object"
}
jobs=()
limit() {
    while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
}
for file in $(cut -f2 kernels/catalog.tsv | sort -u); do
    pattern=.
    [[ $file == softmax ]] && pattern=$softmax
    kernels/expand.sh cuda "$file" "$pattern" "$except" >"$out/$file.cu.new"
    cmp -s "$out/$file.cu.new" "$out/$file.cu" || mv "$out/$file.cu.new" "$out/$file.cu"
    rm -f "$out/$file.cu.new"
    limit
    compile "$out/$file.cu" "$out/kernel_$file.o" -fmad=false -diag-suppress 177,1835 -include native-tests/cuda/entry.h &
    jobs+=($!)
done
for test in native-tests/kernels/*.cpp native-tests/cuda/device.cu; do
    limit
    name=$(basename "$test")
    compile "$test" "$out/test_${name%.*}.o" -O1 &
    jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done
nvcc "${flags[@]}" -o "$out/kernels_test" "$out"/kernel_*.o "$out"/test_*.o
[[ -z ${BUILD_ONLY:-} ]] || exit 0
# shellcheck disable=SC2086
${SANITIZER:-} "$out/kernels_test" "${1:-}" kernels/catalog.tsv
