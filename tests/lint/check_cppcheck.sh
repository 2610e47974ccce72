#!/bin/sh
# cppcheck over analyzer/; findings that are none stand in cppcheck.suppressions, each with its reason. First that it sees something.
# usage: check_cppcheck.sh SOURCE_DIR BUILD_DIR SCRATCH_DIR
set -eu
source=$1 build=$2 scratch=$3
command -v cppcheck >/dev/null || { echo "skipped: cppcheck is not installed"; exit 77; }
mkdir -p "$scratch/kept"
cd "$source"

check() {
	cppcheck -q --error-exitcode=1 --enable=warning,performance,portability --library=posix --inline-suppr \
		--suppress=missingIncludeSystem --suppressions-list="$source/tests/lint/cppcheck.suppressions" "$@" 2>&1
}

printf 'int last(const int *p);\nint last(const int *p) { int a[2] = { *p, 1 }; return a[2]; }\n' >"$scratch/bad.c"
if check "$scratch/bad.c" >"$scratch/found"; then
	echo "a read past the end was not seen"
	exit 1
fi
grep -q arrayIndexOutOfBounds "$scratch/found"

# The build's flags say what is defined (without the sanitizers: as in the program that people run); results of unchanged files are kept.
sed 's/ -fsanitize[^ ]*//g; s/ -DDT_SANITIZED//g' "$build/compile_commands.json" >"$scratch/compile_commands.json"
check -j2 --cppcheck-build-dir="$scratch/kept" --project="$scratch/compile_commands.json" --file-filter='*analyzer/*'
echo "no findings but the explained ones"
