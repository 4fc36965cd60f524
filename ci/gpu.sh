#!/usr/bin/env bash
# Makes a bundle that runs the examples and the tests on a machine of the same platform
# that has no JDK, no Maven and no network:
#   ci/gpu.sh [FOLDER]      (default: target/gpu)
# FOLDER then holds bundle.tar.gz and run.sh; copy both, and call run.sh.
set -euo pipefail
mkdir -p "${1:-"$(dirname "$0")/../target/gpu"}"
out=$(cd "${1:-"$(dirname "$0")/../target/gpu"}" && pwd)
cd "$(dirname "$0")/.."
exec </dev/null

limit=$((64 * 1024 * 1024))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "compiling and copying the libraries"
mvn -q -B test-compile dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$work/lib"
cp -R target/classes target/test-classes "$work/"
# What compiles sources or looks for them cannot run there.
rm -rf "$work/test-classes/org/tenon/compile" "$work/test-classes/org/tenon/architecture"

echo "linking a Java runtime"
modules=java.base,java.logging,java.management,jdk.management,jdk.incubator.vector,jdk.unsupported
mvn -q -B validate exec:exec@tool -Dtool=jlink -Dargs="--add-modules $modules --compress zip-6 \
--no-header-files --no-man-pages --strip-debug --output '$work/runtime'"

rm -f "$out/bundle.tar.gz" "$out/run.sh"
tar -C "$work" -czf "$out/bundle.tar.gz" runtime lib classes test-classes
cat >"$out/run.sh" <<'RUN'
#!/usr/bin/env bash
# Unpacks bundle.tar.gz next to this script (or into $TENON_UNPACK) and runs a class of it:
#   bash run.sh [JVM FLAGS] MAIN_CLASS [ARGUMENTS]
#   bash run.sh [JVM FLAGS] tests                    all tests
#   bash run.sh [JVM FLAGS] tests --select-class=... options of the JUnit console launcher
#   bash run.sh [JVM FLAGS] plain-tests              the tests tagged "plain", without the Vector API
# JVM FLAGS are those that start with -D or -X, such as -Dtenon.device=... or -Xmx4g.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${TENON_UNPACK:-$here/unpacked}

if [[ ! -e $dir/complete || $here/bundle.tar.gz -nt $dir/complete ]]; then
    rm -rf "$dir/runtime" "$dir/lib" "$dir/classes" "$dir/test-classes"
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

exec "$dir/runtime/bin/java" "${vector[@]}" "${flags[@]}" \
    -classpath "$dir/classes:$dir/test-classes:$dir/lib/*" "${main[@]}" "$@"
RUN
chmod +x "$out/run.sh"

size=$(($(wc -c <"$out/bundle.tar.gz") + $(wc -c <"$out/run.sh")))
kib() { du -sk "$1" | cut -f1; }
echo "$out: $((size / 1024)) KiB (before packing: runtime $(kib "$work/runtime"), libraries $(kib "$work/lib") KiB)"
if ((size > limit)); then
    echo "the bundle must stay under $((limit / 1024)) KiB" >&2
    exit 1
fi
