#!/usr/bin/env bash
# Runs a subset of the contract suite on OpenCL in Oclgrind, which looks at every access to memory: none may be outside
# its buffer, of a value that was never set, or in a race. Kernels have the shapes of a GPU, with blocks of 64 threads.
#   native-tests/oclgrind.sh [CASE]...      CASE: a part of a case's name; default: those of oclgrind-cases.txt
# Each buffer is new and exactly as long as what it holds (-Dtenon.memory=exact): Oclgrind then sees one element too many, and
# reads of what a buffer before had set; of memory that is used again it says wrong things (ci/decisions/016-oclgrind.md).
# OVERLAY=FOLDER puts other kernels (org/tenon/kernels/*.k) before those of the build.
# Needs Debian's package oclgrind.
set -euo pipefail
cd "$(dirname "$0")/.."

library=
for each in /usr/lib/oclgrind /usr/lib/*/oclgrind /usr/local/lib/oclgrind; do
    [[ -e $each/liboclgrind-rt-icd.so ]] && library=$each/liboclgrind-rt-icd.so
done
if [[ -z $library ]]; then
    echo "oclgrind: there is no liboclgrind-rt-icd.so here; install Debian's package oclgrind" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The only platform, so that no other is taken.
mkdir "$work/vendors"
echo "$library" >"$work/vendors/oclgrind.icd"

if (($# > 0)); then
    cases=("$@")
else
    mapfile -t cases < <(grep -v '^#' native-tests/oclgrind-cases.txt)
fi
filter=$(printf '|opencl:0 %s' "${cases[@]}")

mvn -q -B ${MVN_FLAGS:-} test-compile dependency:build-classpath -DincludeScope=test -Dmdep.outputFile="$work/classpath"
cat >"$work/arguments" <<ARGUMENTS
--enable-native-access=ALL-UNNAMED
-Xmx1g
-XX:TieredStopAtLevel=1
-Dtenon.cache=$work/cache
-Dtenon.opencl.block=64
-Dtenon.opencl.copies=blocking
-Dtenon.memory=exact
-Dtenon.profile=true
-Dtenon.test.require=opencl
-Dtenon.test.case="${filter#|}"
-classpath ${OVERLAY:+$OVERLAY:}target/test-classes:target/classes:$(cat "$work/classpath")
org.junit.platform.console.ConsoleLauncher
execute --disable-banner --disable-ansi-colors --details=testfeed --select-class=org.tenon.contract.ContractTest
ARGUMENTS

# Its counts of instructions write beyond their own memory for kernels of many functions: which ran our profile tells.
# Without optimisation: the optimiser makes instructions that Oclgrind 21.10 does not know, and removes reads.
export OCL_ICD_VENDORS=$work/vendors OCLGRIND_BUILD_OPTIONS=-cl-opt-disable OCLGRIND_DATA_RACES=1 \
    OCLGRIND_UNINITIALIZED=1 OCLGRIND_MAX_ERRORS=100
rc=0
mvn -q -B ${MVN_FLAGS:-} validate exec:exec@tool -Dtool=java -Dargs="@$work/arguments" >"$work/log" 2>&1 || rc=$?

problem=0
findings='Invalid (read|write)|data race|Uninitialized|Unaligned|divergence|FATAL ERROR'
if grep -q -E "$findings" "$work/log"; then
    echo "oclgrind: findings:"
    grep -A 12 -E "$findings" "$work/log" | head -60
    problem=1
fi
# The closing counts, and what each kernel was run for.
grep -E '^contract: (device opencl|opencl|FAILED)' "$work/log" || true
launches=$(sed -n 's/.* opencl:0 [a-z_0-9]*\/[a-z_0-9]*: \([0-9]*\) launches.*/\1/p' "$work/log" | awk '{ n += $1 } END { print n + 0 }')
mapfile -t kernels < <(sed -n 's/.* opencl:0 \([a-z_0-9]*\/[a-z_0-9]*\): [0-9]* launches.*/\1/p' "$work/log" | sort -u)
echo "oclgrind: $launches launches of ${#kernels[@]} kernels: ${kernels[*]:-}"
if ((launches == 0)); then
    echo "oclgrind: no kernel was run" >&2
    problem=1
fi
if ((rc != 0)); then
    echo "oclgrind: the tests failed (exit $rc)" >&2
    tail -n 40 "$work/log" >&2
    problem=1
fi
for each in "${cases[@]}"; do
    if ! grep -q -F "opencl:0 $each" "$work/log"; then
        echo "oclgrind: no case is called \"$each\"" >&2
        problem=1
    fi
done
if (($# == 0)); then
    # Steps of optimizers are no cases of the contract: they are tested on the host.
    for file in kernels/*.k; do
        [[ $file == kernels/update.k || $file == *.*.k ]] && continue
        found=0
        for kernel in "${kernels[@]:-}"; do
            [[ kernels/${kernel%%/*}.k == "$file" ]] && found=1
        done
        if ((found == 0)); then
            echo "oclgrind: no kernel of $file was run" >&2
            problem=1
        fi
    done
fi
((problem == 0)) && echo "oclgrind: no findings"
exit $problem
