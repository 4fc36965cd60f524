#!/usr/bin/env bash
# Checks the whole project: what must pass before a change goes in.
# Needs Maven 3.8 or later and a JDK 25; installs the rest where it may. Runs all steps, then fails if one of them failed.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

# ---- System packages --------------------------------------------------------
# An OpenCL device for machines without one, the simulator that looks at its kernels, a compiler for the native tests, and a
# browser for the test of the report page.
packages=(g++ make unzip ocl-icd-libopencl1 pocl-opencl-icd oclgrind chromium fonts-dejavu-core python3-numpy)
if command -v apt-get >/dev/null && ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
    sudo=$( ((EUID == 0)) || echo sudo)
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
# -----------------------------------------------------------------------------

failed=()
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# step NAME COMMAND...: runs a command, prints how long it took, remembers a failure and keeps what it printed.
step() {
    local name=$1 start=$SECONDS rc=0
    shift
    echo "==> $name"
    "$@" 2>&1 | tee "$logs/now" || rc=$?
    result "$name" "$rc" $((SECONDS - start)) "$logs/now"
}

# result NAME EXIT SECONDS LOG
result() {
    if (($2 == 0)); then
        echo "<== $1: ok, $3 s"
    else
        echo "<== $1: FAILED (exit $2), $3 s"
        mv "$4" "$logs/failed-${#failed[@]}"
        failed+=("$1")
    fi
}

# What the steps that failed said of it, so that the end of the output is enough to begin with.
reasons() {
    local each lines
    for each in "${!failed[@]}"; do
        echo "---- ${failed[each]}"
        lines=$(grep -aE '^(\S*\[\S*ERROR|FAILED|FAIL:|<== .*FAILED)|error:|AddressSanitizer' "$logs/failed-$each" | cut -c1-300 || true)
        if [[ -n $lines ]]; then head -n 40 <<<"$lines"; else tail -n 20 "$logs/failed-$each" | cut -c1-300; fi
    done
}

# beside NAME COMMAND...: as step, while the steps that follow run; its output comes at meet.
besides=()
beside() {
    local log
    log=$(mktemp -p "$logs")
    (
        start=$SECONDS rc=0
        "${@:2}" >"$log" 2>&1 || rc=$?
        echo "$rc $((SECONDS - start))" >"$log.end"
    ) &
    besides+=("$1"$'\t'"$log"$'\t'$!)
}

meet() {
    local each name log pid rc seconds
    for each in "${besides[@]}"; do
        IFS=$'\t' read -r name log pid <<<"$each"
        wait "$pid" || true
        read -r rc seconds <"$log.end"
        echo "==> $name (beside the others)"
        cat "$log"
        result "$name" "$rc" "$seconds" "$log"
    done
    besides=()
}

# The second of the two commands in the first fenced block under "## Quick start".
readme_test_command() {
    local block
    block=$(awk '
        /^## /              { section = ($0 == "## Quick start") }
        section && /^```/   { if (inside) exit; inside = 1; next }
        inside && NF        { print }
    ' README.md)
    if [[ $(grep -c . <<<"$block") != 2 ]]; then
        echo "README.md: the block under '## Quick start' must hold exactly two commands, it holds:" >&2
        echo "$block" >&2
        return 1
    fi
    tail -n 1 <<<"$block"
}

# With every device required: an OpenCL one, and the CUDA backend on the stand-in for NVIDIA's driver.
readme_tests() {
    local command
    command=$(readme_test_command) || return
    command+=" -Dtenon.test.require=opencl,cuda -Dtenon.cuda.driver=$PWD/target/simcuda/libcuda.so.1"
    echo "$command"
    bash -c "$command"
}

main_job() { mvn -q -B test-compile exec:exec -Dargs="--steps 50 $*"; }

stand_in_main_job() {
    mvn -q -B test-compile exec:exec -Dtenon.cuda.driver="$PWD/target/simcuda/libcuda.so.1" \
        -Dargs="--steps 5 --device cuda:0 --layers 1 --embedding 32 --batch 4 --eval-batches 1 --sample-length 20"
}

in_oclgrind() { native-tests/oclgrind.sh && native-tests/faults.sh oclgrind; }

bad_input() {
    local output rc=0 lines
    output=$(mvn -q -B test-compile exec:exec -Dargs="$1" 2>&1) || rc=$?
    # What Maven and the JVM add is not the program's: colours, errors, warnings about modules.
    output=$(sed $'s/\e\\[[0-9;]*m//g' <<<"$output")
    lines=$(grep -v -e '^\[ERROR\]' -e '^WARNING: ' -e '^[[:space:]]*$' <<<"$output" || true)
    echo "$lines"
    if ((rc == 0)); then
        echo "bad input must fail" >&2
        return 1
    fi
    if [[ $(grep -c . <<<"$lines") != 1 ]]; then
        echo "bad input must print exactly one line" >&2
        return 1
    fi
}

step "dependencies: versions and licences" mvn -q -B -Paudit validate
step "PTX is that of the sources" ci/ptx.sh --check
step "formatting" mvn -q -B -Pformat validate exec:exec@check
step "the stand-in CUDA driver, built and tested" native-tests/simcuda/run.sh
beside "kernels on the host, under sanitizers" env JOBS=1 native-tests/run.sh
beside "planted faults, on the host" env JOBS=1 native-tests/faults.sh host
step "tests (the command of README.md)" readme_tests
meet
beside "kernels and planted faults, in Oclgrind" in_oclgrind
step "main job, 50 steps" main_job
step "main job on OpenCL" main_job --device opencl:0
step "main job on the stand-in" stand_in_main_job
step "bundle" bash ci/gpu.sh
step "release: jars twice, and a project that uses them" ci/release.sh
step "bad flag" bad_input "--no-such-flag"
step "absent file" bad_input "--text no/such/file.txt"
step "absent device" bad_input "--device cuda:7"
meet

if ((${#failed[@]} > 0)); then
    reasons
    echo "FAILED: $(printf '%s; ' "${failed[@]}")"
    exit 1
fi
echo "all steps passed in $SECONDS s"
