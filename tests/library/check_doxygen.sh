#!/bin/sh
# The public header documents everything that it declares: doxygen, with every warning an error. And the check itself
# must fail: a copy with one parameter that nobody described.
# usage: check_doxygen.sh SOURCE_DIR SCRATCH_DIR
set -eu
source=$1 scratch=$2
command -v doxygen >/dev/null || { echo "skipped: doxygen is not installed"; exit 77; }
rm -rf "$scratch"
mkdir -p "$scratch/undocumented"

documented() {
	cat >"$scratch/Doxyfile" <<-END
		PROJECT_NAME = libdumptriage
		INPUT = $1/dumptriage.h
		OUTPUT_DIRECTORY = $scratch/out
		OPTIMIZE_OUTPUT_FOR_C = YES
		QUIET = YES
		WARNINGS = YES
		WARN_IF_UNDOCUMENTED = YES
		WARN_IF_INCOMPLETE_DOC = YES
		WARN_NO_PARAMDOC = YES
		WARN_AS_ERROR = FAIL_ON_WARNINGS
		MACRO_EXPANSION = YES
		PREDEFINED = __GNUC__ DT_API_MUST_USE=
		EXPAND_AS_DEFINED = DT_API_MUST_USE
		GENERATE_LATEX = NO
		HAVE_DOT = NO
	END
	doxygen "$scratch/Doxyfile"
}

documented "$source/analyzer/include"
sed '/@param hashing/d' "$source/analyzer/include/dumptriage.h" >"$scratch/undocumented/dumptriage.h"
if documented "$scratch/undocumented" 2>"$scratch/found"; then
	echo "a parameter without a word passed"
	exit 1
fi
grep -q hashing "$scratch/found"
test -f "$scratch/out/html/dumptriage_8h.html"
