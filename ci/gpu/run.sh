#!/usr/bin/env bash
# Unpacks bundle.tar.gz next to this script (or into $TENON_UNPACK) and runs a class of it:
#   bash run.sh [JVM FLAGS] MAIN_CLASS [ARGUMENTS]
#   bash run.sh [JVM FLAGS] tests                    all tests
#   bash run.sh [JVM FLAGS] tests --select-class=... options of the JUnit console launcher
#   bash run.sh [JVM FLAGS] plain-tests              the tests tagged "plain", without the Vector API
#   bash run.sh [NAME=VALUE] [JVM FLAGS] report      all that a GPU proves, and a report of it in report.txt
#   bash run.sh [NAME=VALUE] [JVM FLAGS] PART...     some parts of it, in report-PART.txt: devices contract backend large
#                                                    opencl native sanitizer job bench
# JVM FLAGS are those that start with -D or -X, such as -Dtenon.device=... or -Xmx4g. For reports:
#   LIMIT=600       the most seconds that one step takes
#   BUDGET=1800     the most that all take: a step that finds less than it needs is cut, the rest is not run
#   REPORT=FILE     another name for the report
#   NVRTC=PATH      CUDA's libnvrtc, for ops of users, where it is not in its usual folder
#   DRIVER=PATH     a stand-in for NVIDIA's driver: the report says so, and tells no speed
# A report ends with a summary. Exit code: 0 all went well, 1 something failed or was not run, 3 there is no CUDA device.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${TENON_UNPACK:-$here/unpacked}

if [[ ! -e $dir/complete || $here/bundle.tar.gz -nt $dir/complete ]]; then
    rm -rf "$dir"
    mkdir -p "$dir"
    tar -C "$dir" -xzf "$here/bundle.tar.gz"
    touch "$dir/complete"
fi

while [[ ${1:-} == [A-Z]*=* ]]; do
    export "${1?}"
    shift
done
flags=(--enable-native-access=ALL-UNNAMED)
while [[ ${1:-} == -[DX]* ]]; do
    flags+=("$1")
    shift
done
if [[ $# == 0 ]]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
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
    *.*) ;;
    *) exec bash "$dir/report.sh" "${flags[@]}" "$what" "$@" ;;
esac
exec "$dir/runtime/bin/java" "${vector[@]}" "${flags[@]}" \
    -classpath "$dir/classes:$dir/test-classes:$dir/lib/*" "${main[@]}" "$@"
