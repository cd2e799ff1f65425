# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What a machine of boot.sh or uml.sh left in $log, for the machine $name.
# Sourced by both.
# shellcheck disable=SC2154 # they set what is used here

# TAP on standard output: the number continues what the guest printed.
fail() {
	local n=0

	[ ! -e "$log/result" ] ||
		n=$(grep -cE '^(not )?ok [0-9]' "$log/result") || true
	echo "not ok $((n + 1)) - vm $name: $1"
	if [ -s "$log/console" ]; then
		tail -n "${TAIL:-40}" "$log/console" | stdbuf -o0 tr -d '\r' |
			sed 's/^/# console: /'
	fi
	echo "# logs: $log"
	exit 1
}

# The guest's output as it comes, but for the verdict, while it runs.
follow() { # PID
	tail -s 0.2 --pid="$1" -n +1 -f "$log/result" | stdbuf -o0 tr -d '\r' |
		sed -u '/^# verdict /d' || true
}

# Does not return: succeeds only if the verdict arrived and is good.
judge() { # EXIT-CODE-OF-EMULATOR ITS-MESSAGE
	local verdict

	sed -i 's/\r$//' "$log/result"
	verdict=$(tail -n 1 "$log/result")
	case $verdict in
	'# verdict exit 0 splats 0')
		exit 0 ;;
	'# verdict exit '*' splats 0')
		# What failed is said by the command itself; if not, here.
		grep -q '^not ok' "$log/result" ||
			fail "command failed: $verdict"
		echo "# logs: $log"
		exit 1 ;;
	'# verdict exit '*)
		sed -n '1,40s/^/# splat: /p' "$log/splats"
		TAIL=0 fail "kernel log is not clean" ;;
	esac
	case $1 in
	0)	;;
	124|137) fail "no verdict within $timeout s" ;;
	*)	fail "exit code $1: $2" ;;
	esac
	if grep -q 'Kernel panic' "$log/console"; then
		fail "kernel panic"
	fi
	fail "guest ended without a verdict"
}
