# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Both layers: s1 and s2 of lib.sh as L7 nodes before s3 and s4. Sourced.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
CLBD=${CLBD:-$TOP/build/tools/clbd}

# One server is reached by IPv4, the other by IPv6, whatever clients use. Of
# connections from the node's local addresses, the SYN may tell the client.
clbd_conf() { # NUMBER PORT
	cat <<-CONF
	workers: 2
	groups:
	  - name: red
	    servers: [{address: "$(server4 3):8080"}]
	  - name: blue
	    servers: [{address: "[$(server6 4)]:8080"}]
	listeners:
	  - name: node$1-4
	    address: "0.0.0.0:$2"
	    group: red
	    headers: [listener-name]
	    client-address-from: &nodes ["$NODE_BACK4", "$NODE_BACK6"]
	    rules: &rules
	      - {domain: "*.blue.example", group: blue}
	      - {domain: red.example, url: /server, group: blue}
	  - name: node$1-6
	    address: "[::]:$2"
	    group: red
	    headers: [listener-name]
	    client-address-from: *nodes
	    rules: *rules
	CONF
}

declare -A clbd
start_clbd() { # NUMBER PORT
	clbd_conf "$1" "$2" >"$TMP/clbd.$1"
	spawn in_server "$1" "$CLBD" -f "$TMP/clbd.$1" >"$TMP/clbd.$1.log" 2>&1
	clbd[$1]=$spawned
	wait_for 10 grep -qx "clbd: ready" "$TMP/clbd.$1.log" || {
		diag "clbd of s$1:" "$(cat "$TMP/clbd.$1.log")"
		return 1
	}
}

# All its processes at once, as when the node loses power.
kill_clbd() { # NUMBER
	# shellcheck disable=SC2046 # words are meant to split
	kill -9 "${clbd[$1]}" $(pgrep -P "${clbd[$1]}")
	wait "${clbd[$1]}" 2>/dev/null
	return 0
}
