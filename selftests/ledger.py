# SPDX-License-Identifier: MIT
"""What clb says of itself, and whether it agrees with itself: for tests after
which all must be as if nothing had happened.
"""
import sys

import genl
from genl import A, Cmd

# enum clb_stats_attr, clb_listener_attr, clb_server_attr, clb_session_attr
STATS_SESSIONS, STATS_TABLE_BUCKETS = 2, 3
STATS_RESETS_SENT, STATS_ECHO_REPLIES = 8, 10
STATS_FIRST_DROP, STATS_DROP_NO_MEMORY, STATS_DROP_NO_ROUTE = 13, 26, 27
STATS_CLIENT_ADDRESS_REMOVED, STATS_CLIENT_ADDRESS_OMITTED = 31, 32
LISTENER_SESSIONS, LISTENER_IN, LISTENER_OUT = 23, 25, 27
SERVER_ACTIVE, SERVER_INACTIVE = 8, 9
SESSION_STATE, PERSISTENCE = 2, 11


def number(value):
    return int.from_bytes(value, sys.byteorder)


def stats(client):
    fields = dict(genl.attributes(client.must(Cmd.STATS_GET).records[0][1]))
    return {kind: number(value)
            for kind, value in genl.attributes(fields[A.STATS])}


def records(client, cmd, kind):
    """The fields of each object of a list."""
    answer = client.dump(cmd)
    if answer.error:
        raise OSError(answer.error, f"{cmd.name}: {answer}")
    return [dict(genl.attributes(dict(genl.attributes(record))[kind]))
            for _, record in answer.records]


def listeners(client):
    return records(client, Cmd.LISTENER_GET, A.LISTENER)


def sessions(client):
    """How many flows there are, and how many bindings of clients."""
    states = [number(one[SESSION_STATE])
              for one in records(client, Cmd.SESSION_GET, A.SESSION)]
    bindings = states.count(PERSISTENCE)
    return len(states) - bindings, bindings


def books(client):
    """What it counts at this moment: all in all, and at each listener."""
    return stats(client), listeners(client)


def accounts(counters, those):
    """What became of packets, by its books: how many were sent on or
    answered, and the counters of those that were dropped."""
    sent = sum(number(one[kind]) for one in those
               for kind in (LISTENER_IN, LISTENER_OUT))
    return sent + counters[STATS_ECHO_REPLIES], {
        kind: value for kind, value in counters.items()
        if kind >= STATS_FIRST_DROP and kind not in (
            STATS_CLIENT_ADDRESS_REMOVED, STATS_CLIENT_ADDRESS_OMITTED)}


def mistakes(client, *its_books):
    """Gauges that disagree with the sessions that are listed; nothing may
    change meanwhile, nor since there were these books."""
    counters, those = its_books or books(client)
    flows, bindings = sessions(client)
    servers = records(client, Cmd.SERVER_GET, A.SERVER)
    got = {
        "sessions": (counters[STATS_SESSIONS], flows + bindings),
        "sessions of listeners": (
            sum(number(one[LISTENER_SESSIONS]) for one in those), flows),
        "sessions of servers": (
            sum(number(one[SERVER_ACTIVE]) + number(one[SERVER_INACTIVE])
                for one in servers), flows),
    }
    return [f"{what}: {have}, but {want} are listed"
            for what, (have, want) in got.items() if have != want]
