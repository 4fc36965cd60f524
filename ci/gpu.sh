#!/usr/bin/env bash
# Makes a bundle that runs the examples, the tests and the benchmarks on a machine of the same platform
# that has no JDK, no Maven and no network:
#   ci/gpu.sh [FOLDER]      (default: target/gpu)
# FOLDER then holds bundle.tar.gz and run.sh; copy both, and call run.sh, which says how. On a machine with a GPU,
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
cp ci/gpu/report.sh "$work/"
# What PyTorch and plain C do on the same device; the machine may have no compiler.
mkdir "$work/bench"
cp src/bench/c/launches.c src/bench/python/*.py "$work/bench/"
if command -v gcc >/dev/null; then
    gcc -O2 -o "$work/launches" src/bench/c/launches.c -ldl
else
    echo "there is no gcc: the bundle has its launches in C as a source only"
fi
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
cp ci/gpu/run.sh "$out/run.sh"
chmod +x "$out/run.sh"

size=$(($(wc -c <"$out/bundle.tar.gz") + $(wc -c <"$out/run.sh")))
kib() { du -sk "$1" | cut -f1; }
echo "$out: $((size / 1024)) KiB (before packing: runtime $(kib "$work/runtime"), libraries $(kib "$work/lib") KiB)"
if ((size > limit)); then
    echo "the bundle must stay under $((limit / 1024)) KiB" >&2
    exit 1
fi
