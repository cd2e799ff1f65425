# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Test files in several virtual machines side by side. Sourced by check*.sh,
# after suite.sh, at the top of the checkout.
#
# Each machine takes the next file when it is done with the one before, so
# that all of them end at about the same time: it claims the file by making a
# directory of that name where all of them see it.
#
# All machines have two processors, which take turns, each until it waits or a
# tenth of a second has passed. Files about what happens at the same moment have
# a machine whose processors do run at the same moment; its place is another
# one's afterwards.

# What takes long begins first; the order of the others does not matter.
readonly LONG="faults stress endurance lifecycle sync sync_move sync_join limits
transaction packets nat fnat tun timeouts schedulers server_life fast dump
metering"

# What is about things that happen at the same moment; in turns, who waits for a
# lock waits for a tenth of a second.
readonly PARALLEL="stress transaction lifecycle sync sync_move sync_join dump
endurance"

# The given test files, long ones first.
long_first() { # TEST...
	local name

	for name in $LONG; do
		[[ " $* " != *" $name "* ]] || echo "$name"
	done
	for name in "$@"; do
		[[ " ${LONG//$'\n'/ } " == *" $name "* ]] || echo "$name"
	done
}

# The given test files that are, or are not, among PARALLEL, long ones first.
parallel() { long_first "$@" | grep -xF "${PARALLEL// /$'\n'}"; }
in_turns() { long_first "$@" | grep -vxF "${PARALLEL// /$'\n'}"; }

# Which of the test files are wanted; all, if NAMEs are empty.
wanted_tests() { # NAME...
	local file name

	for file in selftests/test_*.sh; do
		name=$(basename "$file" .sh)
		name=${name#test_}
		[ $# -gt 0 ] && [[ " $* " != *" $name "* ]] || echo "$name"
	done
}

# One machine in its place, once another that had it has ended, if there is one.
_vm() { # NUMBER PLACE OTHER THREADS TESTS VARIABLE=VALUE...
	if [ -n "$3" ]; then
		tail --pid="$3" -f /dev/null
		# shellcheck disable=SC2086 # each its own word
		if [ -z "$(left_over $5)" ] || no_time_left; then
			echo "ok 1 - nothing was left to run, or no time"
			return
		fi
	fi
	CPU=$2 THREADS=$4 SHARE=$_claims "${BOOT:-selftests/vm/boot.sh}" \
		"${prefix:-}vm$1" env "TESTS=$5" "THREADS=$4" "${@:6}" CLAIMS=/run/share \
		selftests/run.sh
}

# run_vms COUNT VARIABLE=VALUE... -- TEST...: the suites vm0, vm1..., COUNT of
# them at a time, by $BOOT, boot.sh unless set. The guests also get what is set
# of the variables named in it.
run_vms() {
	local count=$1 i name other guest=() together turns vms=0

	shift
	while [ "$1" != -- ]; do
		guest+=("$1")
		shift
	done
	shift
	[ $# -gt 0 ] || return 0
	for name in TEST_TIMEOUT CLB_SLOW PARTS UNTIL "${!FUZZ_@}" \
			ENDURANCE_SESSIONS ENDURANCE_FLOOD \
			STRESS_SECONDS STRESS_SEED; do
		[ -z "${!name:-}" ] || guest+=("$name=${!name}")
	done
	_claims=$PWD/build/log/${prefix:-}claims
	rm -rf "$_claims"
	mkdir -p "$_claims"
	mapfile -t together < <(parallel "$@")
	mapfile -t turns < <(in_turns "$@")
	if [ "${#together[@]}" -gt 0 ]; then
		begin vm0 _vm 0 0 "" multi "${together[*]}" "${guest[@]}"
		vms=1
	fi
	for ((i = 0; i < count && i < ${#turns[@]}; i++)); do
		# the place of vm0 is free later
		[ "$i" -gt 0 ] && other='' || other=${_begun[vm0]:-}
		begin "vm$vms" _vm "$vms" "$i" "$other" single "${turns[*]}" \
			"${guest[@]}"
		vms=$((vms + 1))
	done
	for ((i = 0; i < vms; i++)); do
		follow "vm$i"
	done
	# a machine that ended early left the rest to the others, or to nobody
	suite files all_claimed "$@"
}

no_time_left() { [ "$EPOCHSECONDS" -ge "${UNTIL:-9999999999}" ]; }

# Those of the test files that no machine has begun.
left_over() { # TEST...
	local name

	for name in "$@"; do
		[ -d "$_claims/$name" ] || echo "$name"
	done
}

all_claimed() { # TEST...
	local left name n=0

	mapfile -t left < <(left_over "$@")
	if [ "${#left[@]}" -eq 0 ]; then
		echo "ok 1 - each test file was run"
		return
	fi
	for name in "${left[@]}"; do
		n=$((n + 1))
		if no_time_left || [ -e "$_claims/.late" ]; then
			echo "ok $n - $name # SKIP no time was left"
		else
			echo "not ok $n - $name: was not run"
		fi
	done
}
