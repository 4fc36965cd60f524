#!/usr/bin/env bash
# Writes the report of a bundle, for run.sh, which says what may be asked for: report.sh [JVM FLAGS] report|PART...
set -euo pipefail
exec </dev/null
dir=$(cd "$(dirname "$0")" && pwd)
all=(devices contract backend large opencl native sanitizer job bench)

flags=()
while [[ ${1:-} == -* ]]; do
    flags+=("$1")
    shift
done
parts=("$@")
file=${REPORT:-report-$(IFS=-; echo "$*").txt}
if [[ $* == report ]]; then
    parts=("${all[@]}")
    file=${REPORT:-report.txt}
fi
for part in "${parts[@]}"; do
    if [[ " ${all[*]} " != *" $part "* ]]; then
        echo "run.sh: there is no part $part; there are: report ${all[*]}" >&2
        exit 2
    fi
done
for value in "${LIMIT:=600}" "${BUDGET:=0}"; do
    if [[ ! $value =~ ^[0-9]+$ ]]; then
        echo "run.sh: LIMIT and BUDGET are seconds, and $value is not" >&2
        exit 2
    fi
done
stand_in=
if [[ -n ${DRIVER:-} ]]; then
    if [[ ! -f $DRIVER ]]; then
        echo "run.sh: DRIVER names no file: $DRIVER" >&2
        exit 2
    fi
    DRIVER=$(cd "$(dirname "$DRIVER")" && pwd)/$(basename "$DRIVER")
    flags+=(-Dtenon.cuda.driver="$DRIVER")
fi
[[ -d /usr/local/cuda/bin ]] && PATH=$PATH:/usr/local/cuda/bin
java=("$dir/runtime/bin/java" --add-modules jdk.incubator.vector "${flags[@]}"
    -classpath "$dir/classes:$dir/test-classes:$dir/lib/*")
suite=(org.junit.platform.console.ConsoleLauncher execute --disable-banner --details=none --fail-if-no-tests)
contract=("${suite[@]}" --select-class=org.tenon.contract.ContractTest)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
summary=() ok=0 failed=0 skipped=0 left_out=0
: >"$file"

say() { echo "$*" >>"$file"; }

# done_with STATE NAME [NOTE]: a line of the summary, at once to who waits.
done_with() {
    summary+=("$(printf '%-8s %s' "$1" "$2${3:+: $3}")")
    echo "${summary[-1]}"
    say
}

skip() {
    say "## $1"
    say "skipped: $2"
    skipped=$((skipped + 1))
    done_with skipped "$1" "$2"
}

# What a program found out, for the summary: the counts of the contract suite, or of JUnit.
note() {
    sed -n -E 's/^contract: ((cuda|opencl):[0-9]+: [0-9].*)/\1/p; s/^\[ *([0-9]+ tests (successful|failed)) *\]/\1/p' "$log" |
        awk '/cases/ { cases = cases sep $0; sep = "; " } /tests/ { tests = tests comma $0; comma = ", " }
             END { print cases != "" ? cases : tests }'
}

# step NAME COMMAND...: runs it within its time, with its output in the report.
step() {
    local name=$1 rc=0 seconds=$LIMIT start=$SECONDS took
    shift
    if ((BUDGET > 0 && BUDGET - SECONDS < seconds)); then
        seconds=$((BUDGET - SECONDS))
    fi
    say "## $name"
    if ((seconds <= 0)); then
        say "not run: no time is left of $BUDGET s"
        left_out=$((left_out + 1))
        done_with "not run" "$name" "no time is left of $BUDGET s"
        return
    fi
    say "\$ $*"
    timeout -k 10 "$seconds" "$@" >"$log" 2>&1 || rc=$?
    # Bars that redraw themselves are left out.
    tr '\r' '\n' <"$log" | sed '/^training .*%/d' >>"$file"
    took=$(note)
    [[ -n $stand_in ]] || took+="${took:+, }$((SECONDS - start)) s"
    if ((rc == 0)); then
        ok=$((ok + 1))
        done_with ok "$name" "$took"
    else
        failed=$((failed + 1))
        ((rc != 124 && rc != 137)) || took="not done after $seconds s"
        say "exit code $rc"
        done_with FAILED "$name" "exit code $rc${took:+, $took}"
        tail -n 5 "$log" | sed 's/^/    /'
    fi
}

# One thing that a machine may lack, and whether it is there.
has() { command -v "$1" >/dev/null; }
has_cuda() { grep -q '^found cuda:0:' <<<"$devices"; }

devices() {
    if [[ -z $stand_in ]]; then
        if has nvidia-smi; then
            step "the GPU" nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv
        else
            skip "the GPU" "nvidia-smi is not in PATH"
        fi
    fi
    step "devices" "${java[@]}" org.tenon.core.Report all
}

# The cases of these names, such as "F.a F.b", on cuda:0.
cases() {
    local names=" $2"
    step "contract suite on cuda:0, $1" "${java[@]}" -Dtenon.memory=checked -Dtenon.test.require=cuda \
        "-Dtenon.test.case=$(sed 's/ /|cuda:0 /g; s/^|//' <<<"$names")" "${contract[@]}"
}

# In pieces, so that none takes long; together they are all, which OpsPageTest looks after.
contract() {
    if ! has_cuda; then
        skip "contract suite on CUDA" "no CUDA device"
        return
    fi
    cases "Tensor, Device, nn and Swish" "Tensor. Device. nn. Swish."
    cases "F, a to h" "$(echo F.{a..h})"
    cases "F, i to m" "$(echo F.{i..m})"
    cases "F, n to z" "$(echo F.{n..z})"
}

backend() {
    if ! has_cuda; then
        skip "tests of the CUDA backend" "no CUDA device"
        return
    fi
    local package
    for package in cuda autograd nn optim memory capture; do
        step "tests of $package" "${java[@]}" -Dtenon.memory=checked -Dtenon.test.require=cuda "${suite[@]}" \
            --select-package="org.tenon.$package"
    done
    # Ops of users, in C; a machine with the driver alone has no compiler for them.
    local folder library nvrtc=${NVRTC:-}
    for folder in /usr/local/cuda/lib64 /usr/lib/x86_64-linux-gnu; do
        for library in "$folder"/libnvrtc.so.1[23]; do
            [[ -n $nvrtc || ! -e $library ]] || nvrtc=$library
        done
    done
    if [[ -n $nvrtc ]]; then
        step "custom ops by NVRTC" "${java[@]}" -Dtenon.nvrtc="$nvrtc" -Dtenon.test.require=cuda "${suite[@]}" \
            --select-class=org.tenon.custom.CustomOpTest --select-class=org.tenon.cuda.NvrtcTest
    else
        skip "custom ops by NVRTC" "there is no libnvrtc.so.12 or .13; NVRTC=PATH names one"
    fi
}

large() {
    step "copies, kernels and files beyond 2 GiB" "${java[@]}" -XX:MaxDirectMemorySize=16g -Dtenon.test.large=true "${suite[@]}" \
        --select-package=org.tenon.large
}

opencl() {
    if grep -q '^found opencl:[0-9]' <<<"$devices"; then
        step "contract suite on OpenCL" "${java[@]}" -Dtenon.memory=checked -Dtenon.test.require=opencl \
            -Dtenon.test.case=opencl "${contract[@]}"
        step "main job on opencl:0" "${java[@]}" org.tenon.examples.CharLm --device opencl:0 --steps 500 \
            --text "$dir/kernels/common.h"
        step "speed of opencl:0" "${java[@]}" org.tenon.bench.DeviceBench opencl:0
    else
        skip "OpenCL" "no OpenCL device: $(sed -n 's/^found opencl: //p' <<<"$devices")"
    fi
}

native() {
    local tool
    for tool in nvcc g++ cpp awk; do
        if ! has $tool; then
            skip "native tests with nvcc" "there is no $tool in PATH"
            return
        fi
    done
    local build=(env "OUT=$dir/native" BUILD_ONLY=1)
    if [[ -n $stand_in ]] || ! has_cuda; then
        step "native tests, built for sm_90" "${build[@]}" ARCH="${ARCH:-sm_90}" bash "$dir/native-tests/cuda.sh"
        skip "native tests with nvcc" "no GPU to run them on"
        return
    fi
    step "native tests, built" "${build[@]}" bash "$dir/native-tests/cuda.sh"
    step "native tests with nvcc" env OUT="$dir/native" bash "$dir/native-tests/cuda.sh"
}

sanitizer() {
    if [[ -n $stand_in ]] || ! has_cuda; then
        skip "compute-sanitizer" "no GPU"
        return
    elif ! has compute-sanitizer; then
        skip "compute-sanitizer" "it is not in PATH"
        return
    fi
    local tool
    for tool in memcheck racecheck; do
        step "softmax cases under compute-sanitizer $tool" compute-sanitizer --tool "$tool" --error-exitcode 9 \
            "${java[@]}" -Dtenon.test.require=cuda \
            "-Dtenon.test.case=cuda:0 F.logSoftmax(Tensor,int) float32" "${contract[@]}"
        if [[ -x $dir/native/kernels_test ]]; then
            step "native tests under compute-sanitizer $tool" env OUT="$dir/native" \
                SANITIZER="compute-sanitizer --tool $tool --error-exitcode 9" bash "$dir/native-tests/cuda.sh"
        else
            skip "native tests under compute-sanitizer $tool" "they are not built: the part native does that"
        fi
    done
}

job() {
    local job=(org.tenon.examples.CharLm --text "$dir/kernels/common.h") steps=12000
    if [[ -n $stand_in ]]; then
        steps=5
        job+=(--layers 1 --embedding 32 --batch 4 --eval-batches 1 --sample-length 20)
    fi
    if has_cuda; then
        step "main job on cuda:0" "${java[@]}" "${job[@]}" --device cuda:0 --steps $steps
    else
        skip "main job on cuda:0" "no CUDA device"
    fi
    step "main job on the CPU, the same seed" "${java[@]}" "${job[@]}" --device cpu --steps $steps
    step "losses follow the CPU's" "${java[@]}" "${suite[@]}" --select-class=org.tenon.examples.LossesFollowTheCpuTest
}

bench() {
    local kernel=("$dir/classes/org/tenon/kernels/ptx/fill.ptx" fill__fill__T_u32__BLOCK_256)
    if ! has_cuda; then
        skip "speed of cuda:0" "no CUDA device"
        return
    fi
    local c="$dir/launches"
    if has gcc && gcc -O2 -o "$dir/launches-here" "$dir/bench/launches.c" -ldl 2>/dev/null; then
        c=$dir/launches-here
    fi
    if [[ -x $c ]]; then
        step "bare launches in C" "$c" "${kernel[@]}" ${DRIVER:+"$DRIVER"}
    else
        skip "bare launches in C" "the bundle was made without a C compiler, and there is none here"
    fi
    step "launches from Java" "${java[@]}" org.tenon.bench.DeviceBench cuda:0 launches
    if [[ -n $stand_in ]]; then
        skip "speed of cuda:0" "a stand-in has none"
        return
    fi
    step "matrix products on cuda:0" "${java[@]}" org.tenon.bench.DeviceBench cuda:0 products
    step "matrix products on cuda:0, without cuBLAS" "${java[@]}" -Dtenon.cublas=off \
        org.tenon.bench.DeviceBench cuda:0 products
    step "optimizer steps on cuda:0" "${java[@]}" org.tenon.bench.DeviceBench cuda:0 steps
    step "training steps on cuda:0, captured" "${java[@]}" org.tenon.bench.DeviceBench cuda:0 captured
    local reason rows=(--samples 7 --lengths 10,256,1024,4096,50257,131072 -- "${java[@]}")
    if ! has python3; then
        skip "ops along rows, and PyTorch" "there is no python3 in PATH"
        return
    fi
    # torch.compile takes seconds a shape: float32 with all ops, in two steps, of the other types what is bound by memory alone.
    step "ops along rows of float32" python3 "$dir/bench/row_ops.py" --out "$PWD/rows-float32" --types float32 \
        --ops logSoftmaxForward,logSoftmaxBackward,softmaxForward,softmaxBackward,crossEntropy,layerNormForward,layerNormBackward,attentionForward,attention \
        "${rows[@]}"
    step "training steps beside PyTorch" python3 "$dir/bench/steps.py" --out "$PWD/steps" -- "${java[@]}"
    step "ops along rows of bfloat16" python3 "$dir/bench/row_ops.py" --out "$PWD/rows-bfloat16" --types bfloat16 \
        --ops logSoftmaxForward,logSoftmaxBackward,attentionForward,attention "${rows[@]}"
    step "reductions and KL divergence of float32" python3 "$dir/bench/row_ops.py" --out "$PWD/reductions-float32" --types float32 \
        --ops sum,max,klDiv "${rows[@]}"
    step "attention of float16" python3 "$dir/bench/row_ops.py" --out "$PWD/attention-float16" --types float16 \
        --ops attentionForward,attention "${rows[@]}"
    if ! reason=$(timeout 120 python3 "$dir/bench/products.py" --check 2>&1); then
        skip "matrix products in PyTorch" "$(tail -n 1 <<<"$reason")"
    else
        step "matrix products in PyTorch" python3 "$dir/bench/products.py"
    fi
}

say "# Tenon on $(uname -srm), $(date -u +%Y-%m-%dT%H:%MZ)"
devices=$(timeout "$LIMIT" "${java[@]}" org.tenon.core.Report all 2>&1 | sed -n '/^found /p') || true
if grep -q '^found cuda:0: Tenon stand-in' <<<"$devices"; then
    stand_in="NO GPU: the CUDA parts ran on a stand-in for NVIDIA's driver, ${DRIVER:-which took its place}; no speed is told."
elif ! has_cuda; then
    none="NO GPU: $(sed -n 's/^found cuda: /cuda: /p' <<<"$devices" | head -n 1)"
fi
say "${stand_in:-${none:-$(sed -n 's/^found \(cuda:0: .*\)/\1/p' <<<"$devices")}}"
say
for part in "${parts[@]}"; do
    "$part"
done
{
    echo "## Summary"
    echo "${stand_in:-${none:-}}" | sed '/^$/d'
    printf '%s\n' "${summary[@]}"
    echo "$ok ok, $failed failed, $skipped skipped, $left_out not run"
} >>"$file"
sed -n '/^## Summary/,$p' "$file"
echo "the report is in $file"
((failed + left_out == 0)) || exit 1
has_cuda || exit 3
