#!/usr/bin/env bash
# Makes a bundle that runs the examples, the tests and the benchmarks on a machine of the same platform
# that has no JDK, no Maven and no network:
#   ci/gpu.sh [FOLDER]      (default: target/gpu)
# FOLDER then holds bundle.tar.gz and run.sh; copy both, and call run.sh. On a machine with a GPU,
#   bash run.sh report
# runs all that only a GPU can prove and writes one report.
set -euo pipefail
mkdir -p "${1:-"$(dirname "$0")/../target/gpu"}"
out=$(cd "${1:-"$(dirname "$0")/../target/gpu"}" && pwd)
cd "$(dirname "$0")/.."
exec </dev/null

limit=$((60 * 1024 * 1024))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "compiling and copying the libraries"
mvn -q -B test-compile dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$work/lib"
cp -R target/classes target/test-classes "$work/"
cp -R kernels native-tests "$work/"
rm -rf "$work/kernels/ptx"
# What compiles sources or looks for them cannot run there.
rm -rf "$work/test-classes/org/tenon/compile" "$work/test-classes/org/tenon/architecture"
# What looks at pictures needs a module that the small runtime lacks.
rm -f "$work"/test-classes/org/tenon/data/PicturesTest*.class "$work"/test-classes/org/tenon/metrics/HtmlReportTest*.class

echo "linking a Java runtime"
modules=java.base,java.logging,java.management,jdk.management,jdk.incubator.vector,jdk.unsupported
mvn -q -B validate exec:exec@tool -Dtool=jlink -Dargs="--add-modules $modules --compress zip-6 \
--no-header-files --no-man-pages --strip-debug --output '$work/runtime'"

rm -f "$out/bundle.tar.gz" "$out/run.sh"
(cd "$work" && tar -czf "$out/bundle.tar.gz" *)
cat >"$out/run.sh" <<'RUN'
#!/usr/bin/env bash
# Unpacks bundle.tar.gz next to this script (or into $TENON_UNPACK) and runs a class of it:
#   bash run.sh [JVM FLAGS] MAIN_CLASS [ARGUMENTS]
#   bash run.sh [JVM FLAGS] tests                    all tests
#   bash run.sh [JVM FLAGS] tests --select-class=... options of the JUnit console launcher
#   bash run.sh [JVM FLAGS] plain-tests              the tests tagged "plain", without the Vector API
#   bash run.sh [JVM FLAGS] report [FILE]            all that a GPU proves, and a report of it (default: report.txt)
# JVM FLAGS are those that start with -D or -X, such as -Dtenon.device=... or -Xmx4g.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${TENON_UNPACK:-$here/unpacked}

if [[ ! -e $dir/complete || $here/bundle.tar.gz -nt $dir/complete ]]; then
    rm -rf "$dir"
    mkdir -p "$dir"
    tar -C "$dir" -xzf "$here/bundle.tar.gz"
    touch "$dir/complete"
fi

flags=(--enable-native-access=ALL-UNNAMED)
while [[ ${1:-} == -[DX]* ]]; do
    flags+=("$1")
    shift
done
if [[ $# == 0 ]]; then
    echo "usage: bash run.sh [JVM FLAGS] MAIN_CLASS|tests|plain-tests [ARGUMENTS]" >&2
    exit 2
fi
what=$1
shift

vector=(--add-modules jdk.incubator.vector)
main=("$what")
scan=(--scan-classpath="$dir/test-classes")
for argument in "$@"; do
    case $argument in --select-* | --scan-* | -c* | -p* | -m* | -d* | -f* | -r* | -u*) scan=() ;; esac
done
console=(org.junit.platform.console.ConsoleLauncher execute --disable-banner --details=summary)
case $what in
    tests) main=("${console[@]}" "${scan[@]}") ;;
    plain-tests)
        vector=()
        flags+=(-Dtenon.test.plain=true)
        main=("${console[@]}" "${scan[@]}" --include-tag=plain)
        ;;
esac

java() {
    "$dir/runtime/bin/java" "${vector[@]}" "${flags[@]}" -classpath "$dir/classes:$dir/test-classes:$dir/lib/*" "$@"
}

# part NAME COMMAND...: runs a command with its output in the report, and says in the summary how it ended.
part() {
    local name=$1 start=$SECONDS rc=0
    shift
    echo "## $name"
    echo "\$ $*"
    "$@" 2>&1 || rc=$?
    echo
    summary+=("$(if ((rc == 0)); then echo ok; else echo "FAILED ($rc)"; fi): $name, $((SECONDS - start)) s")
    ((rc == 0)) || failures=$((failures + 1))
}

skip() {
    echo "## $1"
    echo "skipped: $2"
    echo
    summary+=("skipped: $1 ($2)")
}

report() {
    local summary=() failures=0 tool
    local suite=(org.junit.platform.console.ConsoleLauncher execute --disable-banner --details=none)
    local contract=("${suite[@]}" --select-class=org.tenon.contract.ContractTest)
    echo "# Tenon on $(uname -srm), $(date -u +%Y-%m-%dT%H:%MZ)"
    part "the GPU" nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv
    part "devices" java org.tenon.core.Report all
    part "contract suite on CUDA" java -Dtenon.memory=checked -Dtenon.test.require=cuda -Dtenon.test.case=cuda "${contract[@]}"
    if java org.tenon.core.Report all 2>/dev/null | grep '^found opencl:' >/dev/null; then
        part "contract suite on OpenCL" java -Dtenon.memory=checked -Dtenon.test.require=opencl -Dtenon.test.case=opencl "${contract[@]}"
        part "speed of opencl:0" java org.tenon.bench.DeviceBench opencl:0
        part "main job on opencl:0" java org.tenon.examples.CharLm --device opencl:0 --text "$dir/kernels/common.h"
    else
        skip "OpenCL" "no OpenCL device here"
    fi
    part "tests of the CUDA backend" java -Dtenon.test.require=cuda "${suite[@]}" --select-package=org.tenon.cuda --select-package=org.tenon.autograd --select-package=org.tenon.nn --select-package=org.tenon.optim --select-package=org.tenon.memory
    local tools=()
    if command -v compute-sanitizer >/dev/null; then
        tools=(memcheck racecheck)
    else
        skip "compute-sanitizer" "it is not in PATH"
    fi
    for tool in "${tools[@]}"; do
        part "softmax cases under compute-sanitizer $tool" compute-sanitizer --tool "$tool" --error-exitcode 9 \
            "$dir/runtime/bin/java" "${vector[@]}" "${flags[@]}" -classpath "$dir/classes:$dir/test-classes:$dir/lib/*" \
            -Dtenon.test.require=cuda "-Dtenon.test.case=cuda:0 F.logSoftmax(Tensor,int) float32" "${contract[@]}"
    done
    if command -v nvcc >/dev/null; then
        part "native tests with nvcc" env OUT="$dir/native" bash "$dir/native-tests/cuda.sh"
        for tool in "${tools[@]}"; do
            part "native tests under compute-sanitizer $tool" env OUT="$dir/native" \
                SANITIZER="compute-sanitizer --tool $tool --error-exitcode 9" bash "$dir/native-tests/cuda.sh"
        done
    else
        skip "native tests with nvcc" "there is no nvcc"
    fi
    part "main job on cuda:0" java org.tenon.examples.CharLm --device cuda:0 --text "$dir/kernels/common.h"
    part "main job on the CPU, the same seed" java org.tenon.examples.CharLm --device cpu --text "$dir/kernels/common.h"
    part "speed of cuda:0" java org.tenon.bench.DeviceBench cuda:0
    echo "## Summary"
    printf '%s\n' "${summary[@]}"
    return "$failures"
}

case $what in
    report)
        file=${1:-report.txt}
        rc=0
        report >"$file" || rc=$?
        sed -n '/^## Summary/,$p' "$file"
        echo "the report is in $file"
        exit "$rc"
        ;;
esac
java "${main[@]}" "$@"
RUN
chmod +x "$out/run.sh"

size=$(($(wc -c <"$out/bundle.tar.gz") + $(wc -c <"$out/run.sh")))
kib() { du -sk "$1" | cut -f1; }
echo "$out: $((size / 1024)) KiB (before packing: runtime $(kib "$work/runtime"), libraries $(kib "$work/lib") KiB)"
if ((size > limit)); then
    echo "the bundle must stay under $((limit / 1024)) KiB" >&2
    exit 1
fi
