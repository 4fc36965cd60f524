#!/usr/bin/env bash
# The formatting of all Java sources: checks it, or with --fix corrects it.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p target
git ls-files --cached --others --exclude-standard '*.java' > target/format.files
mode="--dry-run --set-exit-if-changed"
if [ "${1:-}" = "--fix" ]; then mode="--replace"; fi
mvn -q -Pformat validate exec:exec -Dargs="$mode @target/format.files"
