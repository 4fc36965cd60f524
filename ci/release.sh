#!/usr/bin/env bash
# What a release would publish, put into a repository in target/repository: jars of the library, its sources, its Javadoc and
# the test support, and the list of what the library depends on. Builds them twice, here and in a copy of the tree elsewhere,
# and fails where a byte differs, or where a jar lacks its licence; then builds and runs the projects in src/samples from what
# was published alone, one on the class path and one on the module path.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD/target/repository
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
# Of the Javadoc too: pages of classes that are no more would go along.
rm -rf "$repository" target/reports/apidocs
mvn -q -B -Prelease deploy -DskipTests -DaltDeploymentRepository="built::file://$repository"
(cd "$copy" && mvn -q -B -Prelease package -DskipTests)

differ=0
for jar in target/tenon-*.jar target/tenon-*.json; do
    if ! cmp -s "$jar" "$copy/$jar"; then
        echo "two builds differ: $jar" >&2
        differ=1
    fi
done
jars=(target/tenon-*.jar)
if ((${#jars[@]} != 4)); then
    echo "expected four jars, of the library, its sources, its Javadoc and the test support; found: ${jars[*]}" >&2
    exit 1
fi
for jar in "${jars[@]}"; do
    names=$(unzip -Z1 "$jar")
    for name in META-INF/LICENSE META-INF/NOTICE; do
        if ! grep -qx "$name" <<<"$names"; then
            echo "$jar has no $name" >&2
            differ=1
        fi
    done
done
((differ == 0))
echo "the same bytes twice: ${jars[*]#target/}"

mvn -q -B -U -f src/samples/device-test test -Dtenon.repository="file://$repository"
mvn -q -B -U -f src/samples/modules compile exec:exec -Dtenon.repository="file://$repository"
