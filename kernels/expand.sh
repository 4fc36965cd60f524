#!/usr/bin/env bash
# Prints one C++ source with every kernel of a file that kernels/catalog.tsv names, each under its own name:
#   kernels/expand.sh cuda|host FILE [PATTERN [EXCEPT]]      such as: kernels/expand.sh cuda softmax
# PATTERN, an extended regular expression, chooses among the names, less those that EXCEPT finds. The header of the language comes first
# (portable.LANGUAGE.h), then common.h, then for each kernel its preprocessed source in a namespace of its name. The header
# defines ENTRY_KERNEL, the words before a kernel's definition, and ENTRY(name, block), which follows each; the file's other
# kernels are left as templates that nothing uses, with OTHER_KERNEL before them.
# An override, FILE.cuda.k, takes the place of FILE.k where it exists, on the host too: the catalog is CUDA's. Of its kernels
# the compiler is told how many threads a block has, and how many blocks a cluster (-DCLUSTER=). Needs awk and a C preprocessor
# ($CPP, or cpp).
set -euo pipefail
language=$1 file=$2 pattern=${3:-.} except=${4:-}
cd "$(dirname "$0")"
source=$file.k
[[ -e $file.cuda.k ]] && source=$file.cuda.k

printf '#define FP64\n#define LANES 1\n'
cat "portable.$language.h"
printf '#line 1 "kernels/common.h"\n'
cat common.h

# Of the headers only the macros are wanted again. KERNEL marks what follows for the last awk program.
macros=$(mktemp)
trap 'rm -f "$macros"' EXIT
{
    printf '#define FP64\n'
    cat "portable.$language.h" common.h
    printf '#undef KERNEL\n#define KERNEL KERNEL_MARK\n'
} >"$macros"

# The source once for each kernel, with its options defined before and all its macros forgotten after.
awk -F'\t' -v file="$file" -v pattern="$pattern" -v except="$except" -v source="$source" '
    function remember(source,    line, word) {
        while ((getline line <source) > 0) {
            if (match(line, /^[ \t]*#[ \t]*define[ \t]+[A-Za-z_0-9]+/)) {
                word = substr(line, RSTART, RLENGTH)
                sub(/.*[ \t]/, "", word)
                forget = forget "#undef " word "\n"
            } else if (match(line, /^#include "[^"]*"/)) {
                remember(substr(line, RSTART + 10, RLENGTH - 11))
            }
        }
    }
    BEGIN { remember(source) }
    $2 == file && $1 ~ pattern && (except == "" || $1 !~ except) {
        cluster = source ~ /\.cuda\.k$/ ? 1 : 0
        if (cluster && match($5, /-DCLUSTER=[0-9]+/)) {
            cluster = substr($5, RSTART + 10, RLENGTH - 10)
        }
        # Of small blocks, but for numbers of two registers, a multiprocessor should hold four, unless -DRESIDENT= says how
        # many. Without a word of it the compiler aims higher, and now and then spills for it.
        resident = $5 ~ /-DWIDE=f64/ || $4 > 128 ? 1 : 4
        if (match($5, /-DRESIDENT=[0-9]+/)) {
            resident = substr($5, RSTART + 11, RLENGTH - 11)
        }
        print "BEGIN_MARK " $1 " " $3 " " cluster " " $4 "," resident
        undo = ""
        count = split($5, options, " ")
        for (i = 1; i <= count; i++) {
            option = substr(options[i], 3)
            at = index(option, "=")
            word = at ? substr(option, 1, at - 1) : option
            print "#define " word " " (at ? substr(option, at + 1) : "")
            undo = undo "#undef " word "\n"
        }
        printf "#include \"%s\"\n%s%s", source, undo, forget
        print "END_MARK " $1 " " $4 " " cluster
    }' catalog.tsv |
    ${CPP:-cpp} -P -nostdinc -undef -x c++ -iquote . -imacros "$macros" - |
    awk '
    /^BEGIN_MARK/ {
        name = $2; kernel = $3; found = 0
        words = $4 == 0 ? "ENTRY_KERNEL" : $4 == 1 ? "LIMITED_KERNEL(" $5 ")" : "CLUSTER_KERNEL(" $4 ", " $5 ")"
        print "\nnamespace " name " {"
        next
    }
    /^END_MARK/ {
        if (!found) { print "there is no kernel " kernel " for " name >"/dev/stderr"; exit 1 }
        print "}\n" ($4 > 1 ? "ENTRY_CLUSTER(" $2 ", " $3 ", " $4 ")" : "ENTRY(" $2 ", " $3 ")")
        next
    }
    /KERNEL_MARK/ {
        if ($0 ~ "KERNEL_MARK void " kernel " *\\(") {
            sub("KERNEL_MARK void " kernel " *\\(", words " void " name "(")
            found = 1
        } else {
            sub(/KERNEL_MARK void/, "template <int never> OTHER_KERNEL void")
        }
    }
    { print }'
