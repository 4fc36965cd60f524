#!/usr/bin/env bash
# Builds kernels/ptx/*.ptx from the kernels' sources with nvcc, for the jar; the files are committed.
#   ci/ptx.sh            writes them
#   ci/ptx.sh --check    fails where a rebuild differs from what is committed
# The text is for compute_80, which every later device runs too; kernels of clusters, which begin with compute_90, have files of
# their own (softmax.sm_90.ptx). The .version is lowered to the least that the instructions
# need, 7.8, which drivers from CUDA 11.8 on know; ptxas must accept that for sm_80 and sm_90, and reports what spills.
# Another nvcc gives another text, so --check asks for the very one that built the files.
set -euo pipefail
cd "$(dirname "$0")/.."
release=13.0
version=7.8
target=kernels/ptx
# Files whose kernels keep rows or sums in registers, and so must not spill.
never_spills='attention epilogue loss softmax softmax.sm_90 matmul norm nllgrad reduce'

if ! command -v nvcc >/dev/null; then
    echo "ptx: there is no nvcc here; kernels/ptx is not built or checked"
    exit 0
fi
if ! nvcc --version | grep -q "release $release,"; then
    echo "ptx: nvcc here is not release $release; kernels/ptx is not built or checked"
    exit 0
fi
ptxas=$(nvcc --dryrun -ptx -x cu /dev/null 2>&1 | sed -n 's/^#\$ _HERE_=//p')/ptxas

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
{
    cut -f2 kernels/catalog.tsv
    awk -F'\t' '$1 ~ /__CLUSTER_/ { print $2 ".sm_90" }' kernels/catalog.tsv
} | sort -u >"$work/files"
xargs -P 2 -I FILE bash -c 'set -euo pipefail; build FILE "$0"' "$work" <"$work/files"

wanted=$(wc -l <kernels/catalog.tsv)
built=$(cat "$work"/*.ptx | grep -c '^\.visible \.entry')
if ((built != wanted)); then
    echo "ptx: $built kernels were built of the $wanted in kernels/catalog.tsv" >&2
    exit 1
fi

for file in $never_spills; do
    for arch in sm_80 sm_90; do
        [[ $file == *.sm_90 && $arch == sm_80 ]] && continue
        "$ptxas" -v -arch=$arch -o "$work/$file.cubin" "$work/$file.ptx" 2>"$work/$file.$arch"
        kernels=$(grep -c 'bytes spill stores' "$work/$file.$arch")
        if spills=$(grep 'bytes spill stores' "$work/$file.$arch" | grep -v ' 0 bytes spill stores, 0 bytes spill loads'); then
            echo "ptx: kernels of $file.ptx spill registers on $arch:" "$spills" >&2
            exit 1
        fi
        echo "ptx: $file.ptx on $arch: $kernels kernels, none spills registers"
    done
done

if [[ ${1:-} == --check ]]; then
    mkdir -p "$target"
    if ! diff -rq <(cd "$work" && sha256sum ./*.ptx) <(cd "$target" && sha256sum ./*.ptx) >/dev/null; then
        diff -q "$work" "$target" | grep '\.ptx' >&2
        echo "ptx: kernels/ptx differs from a rebuild; run ci/ptx.sh and commit what it writes" >&2
        exit 1
    fi
    echo "ptx: $built kernels, as committed"
else
    rm -rf "$target"
    mkdir -p "$target"
    cp "$work"/*.ptx "$target/"
    echo "ptx: $built kernels, $(du -sk "$target" | cut -f1) KiB in $target"
fi
