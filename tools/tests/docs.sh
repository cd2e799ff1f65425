#!/bin/bash
# SPDX-License-Identifier: MIT
# Help, man page and completion know the same commands, options, keywords,
# values and counters: those of the program's help. Output: TAP.
# CLBCTL: the program to test.

cd "$(dirname "$0")/../clbctl" || exit 1
# shellcheck source=tools/clbctl/clbctl.bash-completion
. ./clbctl.bash-completion

n=0
failed=0

# complete_list NAME WANTED WORD...: each of WANTED, of which there must be some,
# is among the words.
complete_list() {
	local name=$1 wanted=$2 word missing=

	shift 2
	for word in $wanted; do
		[[ " $* " == *" $word "* ]] || missing+=" $word"
	done
	n=$((n + 1))
	if [ -n "$wanted" ] && [ -z "$missing" ]; then
		echo "ok $n - $name"
	else
		failed=1
		echo "not ok $n - $name"
		echo "# missing:${missing:- anything to look for}"
	fi
}

# suggested WORD...: what the completion offers behind these words.
suggested() {
	local COMP_WORDS=(clbctl "$@" "") COMP_CWORD=$(($# + 1)) COMPREPLY=()

	_clbctl
	echo "${COMPREPLY[*]}"
}
# options_of VERB: what it offers for a dash.
suggested_options() {
	local COMP_WORDS=(clbctl "$@" --) COMP_CWORD=$(($# + 1)) COMPREPLY=()

	_clbctl
	echo "${COMPREPLY[*]}"
}

man() { mandoc -T utf8 clbctl.8 | col -b; }
# The words of the man page, and those that stand in it as commands.
man_words=$(man | tr -cs 'a-z0-9-' '\n' | sort -u | xargs)

help_verbs=$("$CLBCTL" help | awk '/^  [a-z]/ {print $1}' | xargs)
# shellcheck disable=SC2086 # words are meant to split
complete_list "man page: commands" "$help_verbs" $man_words
# shellcheck disable=SC2046 # words are meant to split
complete_list "completion: commands" "$help_verbs" $(suggested)

for verb in $help_verbs; do
	[ "$verb" != help ] || continue
	help=$("$CLBCTL" help "$verb")
	# usage: and the lines below it
	subcommands=$(awk -v verb="$verb" '
		/^$/ { exit }
		{
			sub(/^usage:/, ""); sub(/\(.*/, "")
			word = $3
			gsub(/[][]/, "", word)
			if (word ~ /^[a-z][a-z-]*$/) print word
			if (word ~ /^[a-z]+[|][a-z]+$/) {
				gsub(/[|]/, "\n", word); print word
			}
		}' <<<"$help" | sort -u | xargs)
	keywords=$(awk '/^  [a-z]/ {print $1}' <<<"$help" | xargs)
	options=$(grep -o -- '--[a-z]*' <<<"$help" | sort -u | xargs)
	# shellcheck disable=SC2086,SC2046 # words are meant to split
	{
		[ -z "$subcommands" ] || {
			complete_list "man page: $verb: subcommands" \
				"$subcommands" $man_words
			complete_list "completion: $verb: subcommands" \
				"$subcommands" $(suggested "$verb")
		}
		[ -z "$options" ] || {
			complete_list "man page: $verb: options" \
				"${options//--/}" ${man_words//--/ }
			complete_list "completion: $verb: options" \
				"$options" $(suggested_options "$verb")
		}
		[ -n "$keywords" ] || continue
		complete_list "man page: $verb: keywords" "$keywords" \
			$man_words
		case $verb in
		listener|server) before="$verb set tcp 192.0.2.1:80" ;;
		settings) before="settings set" ;;
		local) before="local add 192.0.2.1" ;;
		sync) before="sync start" ;;
		*) before="$verb show" ;;
		esac
		complete_list "completion: $verb: keywords" "$keywords" \
			$(suggested $before)
		# NAME {a|b|c} and NAME a|b
		while read -r name values; do
			complete_list "man page: $verb: values of $name" \
				"$values" $man_words
			complete_list "completion: $verb: values of $name" \
				"$values" $(suggested $before $name)
		done < <(awk '/^  [a-z-]+ +[{]?[a-z]+[|]/ {
			gsub(/[{}]/, "", $2); gsub(/[|]/, " ", $2)
			print $1, $2
		}' <<<"$help")
	}
done

states=$("$CLBCTL" session show state x 2>&1 | sed 's/.*not one of //; s/,//g' |
	head -n 1)
# shellcheck disable=SC2086,SC2046 # words are meant to split
{
	complete_list "man page: states of sessions" "$states" $man_words
	complete_list "completion: states of sessions" "$states" \
		$(suggested session show state)
}

# The interface tells them all: enum clb_stats_attr.
counters=$(sed -n '/^enum clb_stats_attr/,/^}/p' ../../include/uapi/linux/clb.h |
	sed -n 's/^\tCLB_STATS_A_\(.*\),$/\1/p' | tr 'A-Z_' 'a-z-' |
	grep -vx -e unspec -e pad | xargs)
# shellcheck disable=SC2086 # words are meant to split
complete_list "man page: counters" "$counters" $man_words

counters=$(sed -n '/^enum clb_sync_attr/,/^}/p' ../../include/uapi/linux/clb.h |
	sed -n 's/^\tCLB_SYNC_A_\(.*\),$/\1/p' | tr 'A-Z_' 'a-z-' |
	grep -vx -e unspec -e pad | xargs)
# shellcheck disable=SC2086 # words are meant to split
complete_list "man page: sync" "$counters" $man_words

n=$((n + 1))
# Pages of others, which it refers to, are no fault of this one.
if mandoc -T lint clbctl.8 2>&1 | grep -v 'mandoc.db lacks'; then
	failed=1
	printf 'not '
fi
echo "ok $n - man page: mandoc finds no fault"
echo "1..$n"
exit $failed
