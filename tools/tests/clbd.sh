#!/bin/bash
# SPDX-License-Identifier: MIT
# clbd by itself: its command line, what it says of bad configurations, and
# whether its man pages know all keys, counters and options. Output: TAP.
# CLBD: the program to test; RUN: what runs it, may be empty.

cd "$(dirname "$0")/../clbd" || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0
failed=0

result() { # STATUS NAME OUTPUT
	local word="not ok"

	[ "$1" -ne 0 ] || word=ok
	n=$((n + 1))
	failed=$((failed | ($1 != 0)))
	echo "$word $n - $2"
	[ "$1" -eq 0 ] || printf "# %s\n" "$3"
}

# expect STATUS TEXT WORD...: the output contains TEXT
expect() {
	local want=$1 text=$2 out status

	shift 2
	# shellcheck disable=SC2086 # RUN may be several words
	out=$(${RUN:-} "$CLBD" "$@" 2>&1 </dev/null)
	status=$?
	[ "$status" -eq "$want" ] && [[ $out == *"$text"* ]]
	result $? "clbd $*: $text" "status $status: $out"
}

expect 0 'usage: clbd' --help
expect 0 'usage: clbd' -h
expect 0 'clbd 0.1.0' --version
expect 2 'usage: clbd' --frob
expect 2 "'x': one word too many" --check x
expect 2 'x: not one of status, reload, upgrade, drain, up' x
expect 2 'drain: not ADDRESS:PORT' drain 192.0.2.1
expect 2 'drain: not seconds' drain 192.0.2.1:80 1h
expect 1 '/nonexistent: No such file' -s /nonexistent status
expect 1 '/nonexistent: No such file' -f /nonexistent status
expect 1 '/nonexistent: No such file' --check -f /nonexistent
expect 1 '/nonexistent: No such file' -f /nonexistent

good='groups:
  - name: web
    servers:
      - address: "192.0.2.1:80"
      - address: "192.0.2.2:80"
        weight: 50
listeners:
  - name: site
    address: "127.0.0.1:80"
    group: web
    rules:
      - domain: a.example
        group: web'
file=$dir/clbd.conf
echo "$good" >"$file"
expect 1 "has no 'control'" -f "$file" reload

# refused LINE TEXT FROM TO: the configuration with TO instead of FROM
refused() {
	local line=$1 text=$2

	echo "${good/"$3"/"$4"}" >"$file"
	expect 1 "clbd.conf:$line: $text" --check -f "$file"
}

echo "$good" >"$file"
expect 0 good --check -f "$file"
: >"$file"
expect 1 'is empty' -c -f "$file"
refused 2 'groups[0].nam: there is no such key' 'name: web' 'nam: web'
refused 14 'listeners[0].rules[0].chekc: there is no such key' \
	$'example\n        group: web' \
	$'example\n        group: web\n        chekc:\n          url: /'
refused 6 'groups[0].servers[1].weight: more than 100' 50 101
refused 6 'groups[0].servers[1].weight: ' 50 x
refused 6 'groups[0].servers[1].weight: ' 50 -1
refused 6 'groups[0].servers[1].weight: ' 50 '[1]'
refused 4 'groups[0].servers[0].address: not ADDRESS:PORT' 192.0.2.1:80 192.0.2.1
refused 4 'groups[0].servers[0].address: not ADDRESS:PORT' 192.0.2.1:80 a:80
refused 5 'groups[0].servers[1].address: already in this group' 192.0.2.2 192.0.2.1
refused 5 'groups[0].servers[1].address: already in this group' \
	192.0.2.2:80 192.0.2.1:080
refused 10 'listeners[0].group: no group has this name' \
	$'80"\n    group: web' $'80"\n    group: wbe'
refused 13 'listeners[0].rules[0].group: no group has this name' \
	$'example\n        group: web' $'example\n        group: wbe'
for name in '*' '*.' 'a.*' '*a.b' .a a. a..b '*..a' a:80; do
	refused 12 'listeners[0].rules[0].domain: not a name or *.NAME' \
		a.example "\"$name\""
done
refused 12 'listeners[0].rules[0].url: does not begin with a slash' \
	'domain: a.example' 'url: img'
refused 14 'listeners[0].rules[1]: another rule has this domain' \
	$'a.example\n        group: web' \
	$'a.example\n        group: web\n      - {domain: A.example, group: web}'
refused 8 'listeners[0].name: ' 'name: site' 'name: a b'
refused 9 'listeners[0].address: not ADDRESS:PORT' 127.0.0.1:80 80
refused 1 'limits.head: more than 15360' groups: $'limits: {head: 15361}\ngroups:'
refused 1 'workers: more than 256' groups: $'workers: 257\ngroups:'
refused 11 'listeners[0].timeouts.idle: more than 60' rules: \
	$'timeouts: {idle: 61}\n    rules:'
refused 11 'listeners[0].limits.streams: more than 1000' rules: \
	$'limits: {streams: 1001}\n    rules:'
refused 3 'groups[0].scheduler: ' servers: $'scheduler: x\n    servers:'
refused 11 'listeners[0].redirect: there is a group' rules: \
	$'redirect: /x\n    rules:'
refused 10 'listeners[0].redirect: needs a host before ' \
	$'group: web\n    rules:' $'redirect: $uri\n    rules:'
refused 14 'listeners[0].rules[0].redirect-code: not one of' \
	$'example\n        group: web' $'example\n        redirect: /\n        redirect-code: 200'
refused 12 'listeners[0].rules[0]: needs a group or' \
	$'a.example\n        group: web' 'a.example'
refused 3 'groups[0].check.fall: more than 10' servers: \
	$'check: {fall: 11}\n    servers:'
refused 3 'groups[0].cookie: needs a secret' servers: \
	$'cookie: S\n    servers:'
refused 11 'listeners[0].proxy-from[1]: not ADDRESS' rules: \
	$'proxy-from: [10.0.0.0/8, x]\n    rules:'
refused 11 'listeners[0].client-address-from[0]: not ADDRESS' rules: \
	$'client-address-from: [10.0.0.0/33]\n    rules:'
refused 11 'listeners[0].gzip.level: more than 9' rules: \
	$'gzip: {level: 10}\n    rules:'
refused 11 'listeners[0].gzip.types[1]: not a media type' rules: \
	$'gzip: {types: [text/html, "html"]}\n    rules:'
refused 12 'listeners[0].error-pages[0].status: not 400' rules: \
	$'error-pages:\n    - {status: 302, file: /x}\n    rules:'
refused 12 'listeners[0].error-pages[0].file: does not begin' rules: \
	$'error-pages:\n    - {status: 502, file: x}\n    rules:'
refused 12 'listeners[0].error-pages[0].file: No such file' rules: \
	$'error-pages:\n    - {status: 502, file: /nonexistent}\n    rules:'
refused 3 'groups[0].server-cookie: needs a secret' servers: \
	$'server-cookie: S\n    servers:'
refused 3 'groups[0].slow-start: more than 900' servers: \
	$'slow-start: 901\n    servers:'
refused 3 'groups[0].queue-timeout: more than 180' servers: \
	$'queue-timeout: 181\n    servers:'
refused 6 'groups[0].servers[1].max-connections: more than 1000000' \
	'weight: 50' 'max-connections: 1000001'
refused 14 'listeners[0].rules[0].rate: more than 10000000' \
	$'example\n        group: web' \
	$'example\n        group: web\n        rate: 10000001'
refused 14 'listeners[0].rules[0].cookie: needs a secret' \
	$'example\n        group: web' \
	$'example\n        group: web\n        cookie: S'
refused 12 'listeners[0].rules[0]: has a scheduler, cookie or check without' \
	$'example\n        group: web' \
	$'example\n        redirect: /\n        scheduler: rr'
refused 11 'listeners[0].headers' rules: $'headers: [x]\n    rules:'

# Each of these has a key more: what is told of which, and the line with it
in_top() { refused 1 "$1" groups: "$2"$'\ngroups:'; }
in_group() { refused 3 "groups[0].$1" servers: "$2"$'\n    servers:'; }
in_listener() { refused 11 "listeners[0].$1" rules: "$2"$'\n    rules:'; }
in_rule() {
	refused 14 "listeners[0].rules[0].$1" $'example\n        group: web' \
		$'example\n        group: web\n        '"$2"
}

in_top 'limits.connections: more than 10000000' 'limits: {connections: 10000001}'
in_top 'timeouts.connect: more than 60' 'timeouts: {connect: 61}'
in_top 'timeouts.stop: more than 86400' 'timeouts: {stop: 86401}'
in_top 'log: more than 100 characters' "log: syslog:$(printf '%0100d' 0)"
in_top 'syslog.facility: ' 'syslog: {facility: kern}'
in_top 'syslog.format: ' 'syslog: {format: rfc1}'
in_group 'keepalive: more than 10000' 'keepalive: 10001'
in_group 'keepalive-timeout: more than 3600' 'keepalive-timeout: 3601'
in_group 'cookie: no name' 'cookie: a b'
in_group 'server-cookie: no name' 'server-cookie: a=b'
in_group 'cookie-lifetime: more than 86400' 'cookie-lifetime: 86401'
in_group 'eject-time: more than 3600' 'eject-time: 3601'
in_group 'queue: more than 1000000' 'queue: 1000001'
in_group 'check.interval: more than 50' 'check: {interval: 51}'
in_group 'check.timeout: more than 300' 'check: {timeout: 301}'
in_group 'check.rise: more than 10' 'check: {rise: 11}'
in_group 'check.port: more than 65535' 'check: {port: 65536}'
in_group 'check.url: not a path' 'check: {url: a}'
in_group 'check.host: not a host' 'check: {host: a b}'
in_group 'check.expect: ' 'check: {expect: [1xx]}'
in_listener 'timeouts.request: more than 180' 'timeouts: {request: 181}'
in_listener 'timeouts.tunnel: more than 86400' 'timeouts: {tunnel: 86401}'
in_listener 'limits.rate: more than 10000000' 'limits: {rate: 10000001}'
in_listener 'limits.burst: more than 10000000' 'limits: {burst: 10000001}'
in_listener 'metrics: there is a group' 'metrics: yes'
in_rule 'redirect: there is a group' 'redirect: "http://a/"'
in_rule 'burst: more than 10000000' 'burst: 10000001'
in_rule 'cookie: no name' 'cookie: a;b'
in_rule 'cookie-lifetime: more than 86400' 'cookie-lifetime: 86401'
in_rule 'check.url: not a path' 'check: {url: b}'
# another LINE TEXT NAME PORT: a listener more, before the one that there is
another() {
	refused "$1" "listeners[1].$2" listeners: "listeners:
  - name: $3
    address: \"127.0.0.1:$4\"
    group: web"
}
another 11 'name: another listener has this name' site 81
another 12 'address: another listener has this address' next 080
refused 7 'groups[1].name: another group has this name' listeners: \
	$'  - name: web\n    servers: [{address: "192.0.2.3:80"}]\nlisteners:'

man() { mandoc -T utf8 "$1" | col -b | tr -cs 'a-z0-9_-' '\n' | sort -u; }
# known NAME PAGE WORD...: each of the words is in the page
known() {
	local name=$1 page=$2 words word missing=

	shift 2
	words=" $(man "$page" | xargs) "
	for word in "$@"; do
		[[ $words == *" $word "* ]] || missing+=" $word"
	done
	[ "$#" -gt 0 ] && [ -z "$missing" ]
	result $? "$name" "missing:$missing"
}

# shellcheck disable=SC2046 # words are meant to split
{
	known 'clbd.conf(5) has all keys' clbd.conf.5 $(
		grep -oE '(TEXT|NUMBER|CYAML_FIELD_[A-Z_]+)\("[a-z-]+"' schema.c |
			sed 's/.*"\(.*\)"/\1/')
	known 'clbd.conf(5) has all values' clbd.conf.5 $(
		sed -n 's/^\t{ "\([a-z-]*\)", CLBD_.*/\1/p' schema.c)
	known 'clbd(8) has all counters' clbd.8 $(
		sed -n 's/^\tX(\([a-z0-9_]*\),.*/\1/p' stats.h)
	known 'clbd(8) has all metrics' clbd.8 $(
		grep -oE '"(listener|server)_[a-z_]+"' metrics.c | tr -d '"')
	known 'clbd(8) has all that a line of the log has' clbd.8 $(
		grep -oE 'put_(string|number|time|field)\([a-z&]+, "[a-z_]+"' log.c |
			sed 's/.*"\(.*\)"/\1/')
}
for page in clbd.8 clbd.conf.5; do
	out=$(mandoc -T lint "$page" 2>&1 |
		grep -vE 'mandoc.db lacks|referenced manual not found')
	[ -z "$out" ]
	result $? "$page: mandoc finds no fault" "$out"
done
sed -n '/^\.Bd -literal/,/^\.Ed/p' clbd.conf.5 | sed '1d;$d' >"$file"
expect 0 good --check -f "$file"
echo "1..$n"
exit $failed
