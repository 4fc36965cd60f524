#!/usr/bin/env bash
# Builds the stand-in CUDA driver with every kernel of kernels/catalog.tsv, and its tests:
#   native-tests/simcuda/build.sh [--asan] [FOLDER]     (default: target/simcuda, with --asan target/simcuda-asan)
# FOLDER then holds libcuda.so.1 and simcuda_test. What has not changed is not compiled again. Needs g++ (or $CXX), nm, awk.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec </dev/null

flags=(-std=c++17 -fPIC -fvisibility=hidden -pthread)
kernel_flags=(-O1 -ffp-contract=off -fno-strict-aliasing -w)
driver_flags=(-O2 -g -Wall -Wextra -Werror)
out=target/simcuda
if [[ ${1:-} == --asan ]]; then
    shift
    out=target/simcuda-asan
    flags+=(-fsanitize=address -fno-omit-frame-pointer -g1)
fi
out=${1:-$out}
chunk=120
jobs=${JOBS:-$(nproc)}
mkdir -p "$out/sources" "$out/objects"
here=native-tests/simcuda
host=native-tests/host
cxx=${CXX:-g++}
start=$SECONDS

# Compiles SOURCE to OBJECT unless it was done with the same text, headers, flags and compiler. The sources of kernels
# see the headers of the executor alone.
compile() {
    local source=$1 object=$2 stamp
    shift 2
    local headers=("$host"/*.h)
    if [[ $source == "$here"/* ]]; then
        headers+=("$here"/*.h "$here"/*.inc "$here"/test/*.h)
    fi
    stamp=$({
        cat "$source" "${headers[@]}"
        echo "$@"
        "$cxx" --version
    } | sha256sum)
    if [[ -e $object && -e $object.stamp && $(<"$object.stamp") == "$stamp" ]]; then
        return
    fi
    rm -f "$object.stamp"
    "$cxx" "$@" -I "$host" -c "$source" -o "$object"
    echo "$stamp" >"$object.stamp"
}

# Runs commands given as lines "SOURCE OBJECT FLAGS..." a few at once.
compile_all() {
    local line rc=0
    while read -r line; do
        while (($(jobs -rp | wc -l) >= jobs)); do
            wait -n || rc=1
        done
        # shellcheck disable=SC2086
        compile $line &
    done
    while (($(jobs -rp | wc -l) > 0)); do
        wait -n || rc=1
    done
    wait || rc=1
    return $rc
}

# One source for every hundred kernels or so, since the largest file would keep one processor busy to the end.
rm -f "$out"/sources/*.cc "$out/sources/list"
for file in $(cut -f2 kernels/catalog.tsv | sort -u); do
    awk -F'\t' -v file="$file" '$2 == file { print $1 }' kernels/catalog.tsv |
        split -l $chunk -d - "$out/sources/names.$file."
    for names in "$out/sources/names.$file."*; do
        part=${names##*/names.}
        "$host/expand.sh" "$file" "^($(paste -sd'|' "$names"))\$" >"$out/sources/$part.cc"
        echo "$out/sources/$part.cc $out/objects/$part.o ${flags[*]} ${kernel_flags[*]}" >>"$out/sources/list"
        rm "$names"
    done
done

objects=()
{
    for source in "$here"/*.cc "$here"/kernels/*.cc "$host"/executor.cpp "$host"/fiber.cpp "$host"/switch.S; do
        echo "$source $out/objects/$(basename "$source").o ${flags[*]} ${driver_flags[*]}"
    done
    cat "$out/sources/list"
} >"$out/sources/all"
compile_all <"$out/sources/all"
mapfile -t objects < <(cut -d' ' -f2 "$out/sources/all")

# Every other function of the driver answers that it is not supported.
nm --defined-only "${objects[@]}" 2>/dev/null | awk '$2 == "T" && $3 ~ /^cu[A-Z]/ { print $3 }' | sort -u >"$out/sources/defined"
{
    echo '#include "../../../native-tests/simcuda/driver.h"'
    comm -23 <(LC_ALL=C sort -u "$here/symbols.txt") <(LC_ALL=C sort -u "$out/sources/defined") |
        sed 's/.*/API &() { static Call call("&"); return not_supported(call); }/'
} >"$out/sources/stubs.cc"
compile "$out/sources/stubs.cc" "$out/objects/stubs.o" "${flags[@]}" -O1 -I "$here"
"$cxx" "${flags[@]}" -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic \
    -o "$out/libcuda.so.1" "${objects[@]}" "$out/objects/stubs.o" -ldl

for source in "$here"/test/*.cc; do
    echo "$source $out/objects/test.$(basename "$source").o ${flags[*]} ${driver_flags[*]}"
done >"$out/sources/tests"
compile_all <"$out/sources/tests"
mapfile -t objects < <(cut -d' ' -f2 "$out/sources/tests")
"$cxx" "${flags[@]}" -o "$out/simcuda_test" "${objects[@]}" "$out/libcuda.so.1" -Wl,-rpath,'$ORIGIN'
echo "$out/libcuda.so.1: $(wc -l <kernels/catalog.tsv) kernels, $(wc -l <"$out/sources/defined") functions and" \
    "$(grep -c ^API "$out/sources/stubs.cc") that answer \"not supported\", in $((SECONDS - start)) s"
