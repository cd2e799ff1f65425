#!/bin/bash
# SPDX-License-Identifier: MIT
# The KUnit suites of kmod/tests, in a module built with them. Needs a kernel
# with KUnit: check-debug.sh.
. "$(dirname "$0")/lib.sh"

KUNIT_KO=${CLB_KUNIT_KO:-}
[ -e "$KUNIT_KO" ] || skip_all "no module with KUnit: CLB_KUNIT_KO"
[ -d /sys/kernel/debug/kunit ] || skip_all "the kernel has no KUnit"

# ktap FILE: KTAP of the kernel log, nested as it is, as lines for relay:
# "suite: case" or "suite: case: parameter". What a failed case said becomes
# a comment.
ktap() {
	sed -E 's/^\[ *[0-9.]+\] //' "$1" | awk '
	/^ *# Subtest: /	{
		name[match($0, /#/)] = substr($0, index($0, ": ") + 2); next
	}
	/^ *(not )?ok [0-9]+ /	{
		depth = match($0, /[no]/)
		word = /^ *not / ? "not ok" : "ok"
		sub(/^ *(not )?ok [0-9]+ (- )?/, "")
		# what follows its cases, or the parameters of a case, is a sum
		if (depth == 5 && $0 != name[9])
			print word, name[5] ": " $0
		else if (depth == 9)
			print word, name[5] ": " name[9] ": " $0
		if (depth == 5)
			name[9] = ""
		next
	}
	/^ *(KTAP version|[0-9]+\.\.[0-9]+)/	{ next }
	/^ *# .*(pass|Totals):/			{ next }
				{ print "#", $0 }'
}

clb_module_unload
with_suites() { CLB_KO=$KUNIT_KO clb_module_load; }
ok "the module with the suites loads" with_suites
dmesg >"$TMP/before"
echo 1 >/sys/module/clb/parameters/run_tests
dmesg | tail -n "+$(($(wc -l <"$TMP/before") + 1))" >"$TMP/ktap"
clb_module_unload
clb_module_load
relay ktap "$TMP/ktap"
for suite in "$TOP"/kmod/tests/*.c; do
	name=clb_$(basename "$suite" .c)
	case $name in
	clb_main|clb_build|clb_config) ;;
	*)	ok "$name ran to its end" grep -qE "ok [0-9]+ $name\$" "$TMP/ktap" ;;
	esac
done
done_testing
