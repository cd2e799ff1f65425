# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Test files in several virtual machines side by side. Sourced by check*.sh,
# after suite.sh, at the top of the checkout.
#
# Each machine takes the next file when it is done with the one before, so
# that all of them end at about the same time: it claims the file by making a
# directory of that name where all of them see it.

# What takes long begins first; the order of the others does not matter.
readonly LONG="faults stress endurance lifecycle sync limits transaction packets
nat fnat tun timeouts schedulers server_life fast dump metering"

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

# Which of the test files are wanted; all, if NAMEs are empty.
wanted_tests() { # NAME...
	local file name

	for file in selftests/test_*.sh; do
		name=$(basename "$file" .sh)
		name=${name#test_}
		[ $# -gt 0 ] && [[ " $* " != *" $name "* ]] || echo "$name"
	done
}

# One of the machines, its number in $1, and what it is told.
_run_vm() { # NUMBER VARIABLE=VALUE...
	SHARE=$_claims selftests/vm/boot.sh "${prefix:-}vm$1" \
		env "${@:2}" CLAIMS=/run/share selftests/run.sh
}

# The output of one that was started before, as it comes, and its exit code.
_follow_vm() { # NUMBER
	tail --pid="${_vms[$1]}" -n +1 -f "build/log/${prefix:-}vm$1.out"
	return "$(cat "build/log/${prefix:-}vm$1.rc")"
}

# run_vms COUNT VARIABLE=VALUE... -- TEST...: the suites vm0, vm1... The
# guests also get what is set of the variables named in it.
run_vms() {
	local count=$1 i name guest=()

	shift
	while [ "$1" != -- ]; do
		guest+=("$1")
		shift
	done
	shift
	[ $# -gt 0 ] || return 0
	[ "$count" -le $# ] || count=$#
	for name in TEST_TIMEOUT CLB_SLOW PARTS "${!FUZZ_@}" \
			ENDURANCE_SESSIONS ENDURANCE_FLOOD \
			STRESS_SECONDS STRESS_SEED; do
		[ -z "${!name:-}" ] || guest+=("$name=${!name}")
	done
	_claims=$PWD/build/log/${prefix:-}claims
	rm -rf "$_claims"
	mkdir -p "$_claims"
	guest+=("TESTS=$(long_first "$@" | tr '\n' ' ')")
	_vms=()
	for ((i = 0; i < count; i++)); do
		echo 1 >"build/log/${prefix:-}vm$i.rc"
		{
			_run_vm "$i" "${guest[@]}" \
				>"build/log/${prefix:-}vm$i.out" 2>&1
			echo "$?" >"build/log/${prefix:-}vm$i.rc"
		} &
		_vms+=("$!")
	done
	for ((i = 0; i < count; i++)); do
		suite "vm$i" _follow_vm "$i"
	done
	# a machine that ended early left the rest to the others, or to nobody
	suite files all_claimed "$@"
}

all_claimed() { # TEST...
	local name

	for name in "$@"; do
		[ -d "$_claims/$name" ] || {
			echo "not ok 1 - $name: was not run"
			return 1
		}
	done
	echo "ok 1 - each test file was run"
}
