#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# needs: nothing
# make install DESTDIR= PREFIX=: what is installed works without the tree, is readable by all, twice the same;
# make help names every target that is for people.
set -u
. "$(dirname "$0")/lib.sh"
cd "$LAB_TOP" || exit 1
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
unset MAKEFLAGS MAKELEVEL

for round in 1 2; do
	(umask 077 && make -s B="$LAB_BUILD" install DESTDIR="$dest" PREFIX=/usr) >"$dest.log" 2>&1 ||
		die "make install: $(tail -n 3 "$dest.log")"
	rm -f "$dest.log"
	check "programs" "$(cd "$dest/usr/bin" && echo *)" "tgctl tollgate-dp tollgated"
	check "files that others cannot read" "$(find "$dest/usr" -type f ! -perm -o=r)" ""
	check "folders that others cannot enter" "$(find "$dest/usr" -mindepth 1 -type d ! -perm -o=rx)" ""
	check "outside PREFIX" "$(cd "$dest" && echo *)" usr
	list=$(cd "$dest" && find . -printf '%m %p\n' | sort)
	[ $round = 1 ] || check "twice the same" "$(echo "$list" | cksum)" "$first"
	first=$(echo "$list" | cksum)
done

cp tests/vectors/calls.pcap "$dest/"
cd "$dest" || exit 1
usr/bin/tgctl replay --feed usr/share/tollgate/feed.csv calls.pcap >installed 2>/dev/null || die "replay: exit $?"
"$LAB_BUILD/tgctl" replay --feed "$LAB_TOP/control/samples/feed.csv" calls.pcap 2>/dev/null | cmp - installed ||
	die "the installed program judges otherwise"
for policy in usr/share/tollgate/*.yaml usr/share/tollgate/packs/*.yaml; do
	usr/bin/tgctl policy check "$policy" >/dev/null || die "$policy"
done
for program in tollgated tgctl tollgate-dp; do
	usr/bin/$program --help >help.txt 2>&1 || die "$program --help: exit $?"
	grep -qi 'exit code' help.txt || die "$program --help has no exit codes"
	grep -qE '^(examples:|Two Linux interfaces)' help.txt || [ $program = tgctl ] || die "$program --help has no example"
done
say "ok: the installed programs and samples work"

# A package runs anywhere: what only newer CPUs have stands in files named for it.
if [ "$(uname -m)" = x86_64 ] && make -s -C "$LAB_TOP" print-flags | grep -q -e '-march=corei7 ' && command -v objdump >/dev/null; then
	for object in $(find "$LAB_BUILD/obj/dataplane" "$LAB_BUILD/obj/control" -name '*.o' ! -name '*_avx*.o'); do
		! objdump -d "$object" | grep -q '%ymm' || die "$object has AVX in it"
	done
	objdump -d "$LAB_BUILD"/obj/dataplane/rep/*_avx2.o | grep -q '%ymm' || die "no AVX2 anywhere: this shows nothing"
	for object in $(find "$LAB_BUILD/obj/dataplane" -name '*.o' ! -name '*_avx512.o'); do
		! objdump -d "$object" | grep -q '%zmm' || die "$object has AVX-512 in it"
	done
	objdump -d "$LAB_BUILD"/obj/dataplane/rep/*_avx512.o | grep -q '%zmm' || die "no AVX-512 anywhere: this shows nothing"
	say "ok: AVX2 and AVX-512 only where it is chosen at run time"
fi

cd "$LAB_TOP" || exit 1
for target in all run test asan tsan fuzz bench lint compdb install clean; do
	make -s help | grep -q "^  $target " || die "make help does not name $target"
done
say "ok: make help names them all"
