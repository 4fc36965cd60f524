#!/usr/bin/env bash
# Checks the whole project: what must pass before a change goes in.
# Needs Maven 3.8 or later and a JDK 25. Runs all steps, then fails if one of them failed.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

# ---- System packages --------------------------------------------------------
# Install Debian packages here when a step below starts to need one.
# Chromium shows the HTML report to its test, NumPy reads and writes files for its own. Without them those are skipped.
if ((EUID == 0)) && command -v apt-get >/dev/null; then
    wanted=()
    command -v chromium >/dev/null || wanted+=(chromium fonts-liberation)
    python3 -c 'import numpy' 2>/dev/null || /usr/bin/python3 -c 'import numpy' 2>/dev/null || wanted+=(python3-numpy)
    if ((${#wanted[@]} > 0)); then
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            "${wanted[@]}" >/dev/null; } || echo "could not install ${wanted[*]}; some tests will be skipped"
    fi
fi
# -----------------------------------------------------------------------------

failed=()

# step NAME COMMAND...: runs a command, prints how long it took, remembers a failure.
step() {
    local name=$1 start=$SECONDS rc=0
    shift
    echo "==> $name"
    "$@" || rc=$?
    if ((rc == 0)); then
        echo "<== $name: ok, $((SECONDS - start)) s"
    else
        echo "<== $name: FAILED (exit $rc), $((SECONDS - start)) s"
        failed+=("$name")
    fi
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

readme_tests() {
    local command
    command=$(readme_test_command) || return
    echo "$command"
    bash -c "$command"
}

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

step "formatting" mvn -q -B -Pformat validate exec:exec@check
step "tests (the command of README.md)" readme_tests
step "javadoc" mvn -q -B javadoc:javadoc
step "main job, 50 steps" mvn -q -B test-compile exec:exec -Dargs="--steps 50"
step "bundle" bash ci/gpu.sh
step "bad flag" bad_input "--no-such-flag"
step "absent file" bad_input "--text no/such/file.txt"
step "absent device" bad_input "--device cuda:7"

if ((${#failed[@]} > 0)); then
    echo "FAILED: $(printf '%s; ' "${failed[@]}")"
    exit 1
fi
echo "all steps passed in $SECONDS s"
