#!/usr/bin/env bash
# Builds kernels/ptx/*.ptx from the kernels' sources with nvcc, for the jar; the files are committed.
#   ci/ptx.sh               writes those whose sources are not what they were built from
#   ci/ptx.sh --all         writes all of them, and says which a rebuild changes
#   ci/ptx.sh --check       fails where a file is not what was built from these sources; needs no nvcc
# kernels/ptx.sums holds of each file the digest of all it was built from, and its own. Another nvcc gives another text, so files are
# built by one release alone.
# The text is for compute_80, which every later device runs too; kernels of clusters, which begin with compute_90, have files of
# their own (softmax.sm_90.ptx). The .version is lowered to the least that the instructions
# need, 7.8, which drivers from CUDA 11.8 on know; ptxas must accept that for sm_80 and sm_90, and reports what spills.
set -euo pipefail
cd "$(dirname "$0")/.."
release=13.0
version=7.8
target=kernels/ptx
sums=kernels/ptx.sums
# Files whose kernels keep rows, sums or several elements in registers, and so must not spill.
never_spills=' attention copy epilogue loss softmax softmax.sm_90 matmul norm nllgrad reduce update where '
mode=${1:-}
if [[ $mode != "" && $mode != --all && $mode != --check ]]; then
    echo "ptx: $mode is not known; ci/ptx.sh [--all|--check]" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build() {
    local file=$1 work=$2 arch=80 pattern=. except=__CLUSTER_
    if [[ $file == *.sm_90 ]]; then
        arch=90 pattern=__CLUSTER_ except=
    fi
    kernels/expand.sh cuda "${file%.sm_*}" "$pattern" "$except" >"$work/$file.cu"
    # Products are not fused into sums, as on other devices: where fma is meant, it is written.
    nvcc -ptx -arch=compute_$arch -fmad=false -diag-suppress 177,1835 -o "$work/$file.raw" "$work/$file.cu"
    sed -e "s/^\.version .*/.version $version/" -e 's|[[:space:]]*//.*||' -e '/^[[:space:]]*$/d' \
        "$work/$file.raw" >"$work/$file.ptx"
    rm "$work/$file.raw"
}
export -f build
export version

# The kernels of a file, as the catalog lists them.
kernels() {
    awk -F'\t' -v file="${1%.sm_*}" -v cluster="$([[ $1 == *.sm_90 ]] && echo 1 || echo 0)" \
        '$2 == file && ($1 ~ /__CLUSTER_/) == cluster' kernels/catalog.tsv
}

# The digest of all that a file is built from: its kernels, its source with what that includes, and how it is built.
source_sum() {
    local file=${1%.sm_*} each seen=' ' queue
    queue=("$file.k" common.h portable.cuda.h)
    [[ -e kernels/$file.cuda.k ]] && queue[0]=$file.cuda.k
    while ((${#queue[@]} > 0)); do
        each=${queue[0]}
        queue=("${queue[@]:1}")
        [[ $seen == *" $each "* ]] && continue
        seen+="$each "
        mapfile -t -O ${#queue[@]} queue < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "kernels/$each")
    done
    {
        kernels "$1"
        (cd kernels && cat expand.sh $seen)
        echo "$release $version"
        declare -f build
    } | sha256sum | cut -d' ' -f1
}

text_sum() { sha256sum <"$target/$1.ptx" | cut -d' ' -f1; }

mapfile -t files < <({
    cut -f2 kernels/catalog.tsv
    awk -F'\t' '$1 ~ /__CLUSTER_/ { print $2 ".sm_90" }' kernels/catalog.tsv
} | sort -u)
old=()
for file in "${files[@]}"; do
    if [[ ! -e $target/$file.ptx || ! -e $sums ]] || ! grep -q -x "$file $(source_sum "$file") $(text_sum "$file")" "$sums"; then
        old+=("$file")
    fi
done
extra=$(comm -13 <(printf '%s.ptx\n' "${files[@]}" | sort) <(ls $target 2>/dev/null | sort))

if [[ $mode == --check ]]; then
    if [[ ${#old[@]} != 0 || -n $extra ]]; then
        echo "ptx: not built from these sources:" ${old[*]:-} $extra "; run ci/ptx.sh and commit what it writes" >&2
        exit 1
    fi
    echo "ptx: ${#files[@]} files are what was built from these sources"
    exit 0
fi
for each in $extra; do
    rm "$target/$each"
done
[[ $mode == --all ]] && old=("${files[@]}")
if ((${#old[@]} == 0)); then
    echo "ptx: nothing has changed"
    exit 0
fi
if ! command -v nvcc >/dev/null || ! nvcc --version | grep -q "release $release,"; then
    echo "ptx: these are to be built, with nvcc of release $release, which is not here: ${old[*]}" >&2
    exit 1
fi
ptxas=$(nvcc --dryrun -ptx -x cu /dev/null 2>&1 | sed -n 's/^#\$ _HERE_=//p')/ptxas
printf '%s\n' "${old[@]}" | xargs -P 2 -I FILE bash -c 'set -euo pipefail; build FILE "$0"' "$work"

for file in "${old[@]}"; do
    wanted=$(kernels "$file" | wc -l)
    built=$(grep -c '^\.visible \.entry' "$work/$file.ptx")
    if ((built != wanted)); then
        echo "ptx: $built kernels of $file were built of the $wanted in kernels/catalog.tsv" >&2
        exit 1
    fi
    [[ $never_spills == *" $file "* ]] || continue
    for arch in sm_80 sm_90; do
        [[ $file == *.sm_90 && $arch == sm_80 ]] && continue
        "$ptxas" -v -arch=$arch -o "$work/$file.cubin" "$work/$file.ptx" 2>"$work/$file.$arch"
        if spills=$(grep 'bytes spill stores' "$work/$file.$arch" | grep -v ' 0 bytes spill stores, 0 bytes spill loads'); then
            echo "ptx: kernels of $file.ptx spill registers on $arch:" "$spills" >&2
            exit 1
        fi
        echo "ptx: $file.ptx on $arch: $(grep -c 'bytes spill stores' "$work/$file.$arch") kernels, none spills registers"
    done
done

mkdir -p "$target"
for file in "${old[@]}"; do
    cmp -s "$work/$file.ptx" "$target/$file.ptx" || echo "ptx: $file.ptx is another"
    cp "$work/$file.ptx" "$target/"
done
for file in "${files[@]}"; do
    echo "$file $(source_sum "$file") $(text_sum "$file")"
done >"$sums"
echo "ptx: ${#old[@]} files written, $(du -sk "$target" | cut -f1) KiB in $target"
