#!/bin/sh
# The binary interface against that of the last tag: what programs built with it count on is still there.
# First that the comparison sees something: a library with a function less must fail.
# usage: check_abi.sh SOURCE_DIR SCRATCH_DIR
set -eu
source=$1 scratch=$2
command -v abidiff >/dev/null || { echo "skipped: abigail-tools are not installed"; exit 77; }
rm -rf "$scratch"
mkdir -p "$scratch"

# bit 3 (8) of abidiff's status: the interface changed in a way that breaks programs
printf 'int dt_one(void); int dt_two(void);\nint dt_one(void) { return 1; }\nint dt_two(void) { return 2; }\n' >"$scratch/two.c"
printf 'int dt_one(void);\nint dt_one(void) { return 1; }\n' >"$scratch/one.c"
for n in one two; do ${CC:-cc} -g -shared -fPIC -Wl,-soname,lib.so.1 "$scratch/$n.c" -o "$scratch/$n.so"; done
status=0
abidiff "$scratch/two.so" "$scratch/one.so" >"$scratch/found" || status=$?
[ $((status & 8)) != 0 ] || { cat "$scratch/found"; echo "a function that went away was not seen"; exit 1; }

tag=$(git -C "$source" describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || tag=
[ -n "$tag" ] || { echo "skipped: there is no tag to compare with"; exit 77; }
mkdir "$scratch/old"
git -C "$source" archive "$tag" | tar -x -C "$scratch/old"
[ -f "$scratch/old/cmake/library.cmake" ] || { echo "skipped: $tag has no library yet"; exit 77; }
# Types are compared by their debug information, which a release does not have.
build() {
	cmake -S "$1" -B "$2" -G Ninja -DBUILD_TESTING=OFF -DCMAKE_C_FLAGS=-g >"$scratch/log" 2>&1 &&
		ninja -C "$2" libdumptriage >>"$scratch/log" 2>&1 || { tail -n 20 "$scratch/log"; exit 1; }
}
build "$scratch/old" "$scratch/before"
build "$source" "$scratch/now"
status=0
abidiff --no-added-syms --headers-dir1 "$scratch/old/analyzer/include" --headers-dir2 "$source/analyzer/include" \
	"$scratch/before/libdumptriage.so.1" "$scratch/now/libdumptriage.so.1" >"$scratch/changes" || status=$?
cat "$scratch/changes"
[ "$status" = 0 ] || { echo "the interface of $tag is not what it was"; exit 1; }
echo "compatible with $tag"
