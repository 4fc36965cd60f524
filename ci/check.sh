#!/usr/bin/env bash
# All that must hold before a change lands. Each step prints its name and how long it took; the first failure ends the run.
set -euo pipefail
cd "$(dirname "$0")/.."

step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    if ! "$@"; then
        echo "== $name FAILED after $((SECONDS - start)) s"
        exit 1
    fi
    echo "== $name: ok, $((SECONDS - start)) s"
}

# The commands of README's quick start, so that the two cannot drift apart.
quick_start() {
    sed -n '/^## Quick start/,/^## /p' README.md | sed -n '/^```/,/^```/p' | grep '^mvn ' | sed -n "${1}p"
}

run_tests() {
    bash -c "$(quick_start 2)"
}

run_main_job() {
    bash -c "$(quick_start 1) -Dargs='--steps 60'" | tee target/main-job.txt
    grep -q 'validation loss' target/main-job.txt
}

# A bad flag ends with code 2 and a line that says so; Maven reports the code.
refuses_bad_input() {
    local log=target/bad-input.txt
    if bash -c "$(quick_start 1) -Dargs='$1'" > "$log" 2>&1; then
        echo "accepted: $1"
        return 1
    fi
    grep -q "$2" "$log" && grep -q 'Exit value: 2' "$log"
}

mkdir -p target
step "formatting" ci/format.sh
step "tests" run_tests
step "main job" run_main_job
step "bad flag" refuses_bad_input --no-such-flag 'no-such-flag'
step "absent file" refuses_bad_input '--text no/such/file' 'no/such/file'
step "javadoc" mvn -q validate javadoc:javadoc
echo "== all checks passed, $SECONDS s"
