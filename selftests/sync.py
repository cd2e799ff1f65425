#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Session sync from outside: the protocol of Documentation/sync-protocol.rst a
second time, to speak it as it should be and as it should not.

usage: sync.py attack NODE INTERFACE GROUP SECRET

Runs beside the nodes, on their link, as somebody who may know the secret (a
file) or not. NODE is a network namespace whose node is talked to; INTERFACE the
device here. Cases are printed as TAP.
"""
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import time

PORT = 8850
CLBCTL = os.environ.get("CLBCTL", "clbctl")
TIMEOUT = 30 * int(os.environ.get("CLB_SLOW", "1"))
HEADER = struct.Struct(">HBBIQQHH")
MAGIC, VERSION = 0xc1b5, 1


def rotate(value, bits):
    return (value << bits | value >> 32 - bits) & 0xffffffff


def quarter(s, a, b, c, d):
    for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8),
                          (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xffffffff
        s[z] = rotate(s[z] ^ s[x], bits)


def chacha_block(key, counter, nonce):
    """RFC 8439, 2.3"""
    start = (*struct.unpack("<4I", b"expand 32-byte k"),
             *struct.unpack("<8I", key), counter,
             *struct.unpack("<3I", nonce))
    s = list(start)
    for _ in range(10):
        for i in range(4):
            quarter(s, i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(s, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return struct.pack("<16I", *((x + y) & 0xffffffff
                                 for x, y in zip(s, start)))


def chacha(key, nonce, data):
    out = bytearray()
    for i in range(0, len(data), 64):
        block = chacha_block(key, 1 + i // 64, nonce)
        out += bytes(x ^ y for x, y in zip(data[i:i + 64], block))
    return bytes(out)


def poly1305(key, data):
    """RFC 8439, 2.5"""
    r = int.from_bytes(key[:16], "little")
    r &= 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for i in range(0, len(data), 16):
        total += int.from_bytes(data[i:i + 16] + b"\1", "little")
        total = total * r % (2**130 - 5)
    total += int.from_bytes(key[16:], "little")
    return (total % 2**128).to_bytes(16, "little")


def pad16(data):
    return data + bytes(-len(data) % 16)


def tag_of(key, nonce, aad, secret_text):
    one_time = chacha_block(key, 0, nonce)[:32]
    return poly1305(one_time, pad16(aad) + pad16(secret_text) +
                    struct.pack("<QQ", len(aad), len(secret_text)))


class Header:
    def __init__(self, node, epoch, seq, cluster=0, to=0, key_id=0,
                 version=VERSION):
        self.node, self.epoch, self.seq = node, epoch, seq
        self.cluster, self.to, self.key_id = cluster, to, key_id
        self.version = version

    def bytes(self):
        return HEADER.pack(MAGIC, self.version, self.key_id, self.cluster,
                           self.epoch, self.seq, self.node, self.to)

    def key(self, secret):
        context = (b"clb sync 1\0\0" +
                   struct.pack(">IQHH", self.cluster, self.epoch, self.node,
                               self.to))
        return hashlib.blake2s(context, key=secret).digest()


def nonce_of(seq):
    return bytes(4) + struct.pack("<Q", seq)


def seal(secret, header, content):
    key, nonce, head = header.key(secret), nonce_of(header.seq), header.bytes()
    text = chacha(key, nonce, content)
    return head + text + tag_of(key, nonce, head, text)


def unseal(secret, datagram):
    """Header and content, or None: not made with the secret."""
    head, text = datagram[:HEADER.size], datagram[HEADER.size:-16]
    _, version, key_id, cluster, epoch, seq, node, to = HEADER.unpack(head)
    header = Header(node, epoch, seq, cluster, to, key_id, version)
    key, nonce = header.key(secret), nonce_of(seq)
    if tag_of(key, nonce, head, text) != datagram[-16:]:
        return None
    return header, chacha(key, nonce, text)


def record(kind, *parts):
    body = b"".join(parts)
    return bytes((kind, len(body))) + body


def records(content):
    while content:
        kind, length = content[0], content[1]
        yield kind, content[2:2 + length]
        content = content[2 + length:]


def heartbeat():
    return record(5, bytes(5))


def peer(node, epoch, seq):
    return record(6, struct.pack(">HQQ", node, epoch, seq))


def session(vip, vip_port, server, server_port, client, client_port,
            state=3, mode=0, born=0, local=None):
    """local: address and port, of FNAT."""
    def packed(address):
        return socket.inet_aton(address)

    fields = b""
    if local:
        mode |= 1 << 3
        fields = struct.pack(">H", local[1]) + packed(local[0])
    return (record(1, b"\6", struct.pack(">H", vip_port), packed(vip)) +
            record(2, b"\0", struct.pack(">H", server_port), packed(server)) +
            record(3, bytes((0, state)),
                   struct.pack(">HIB", client_port, born, mode),
                   packed(client), fields))


class Link:
    """The nodes' link: what is said on it, and what we say."""

    def __init__(self, device, group):
        index = socket.if_nametoindex(device)
        self.address = (group, PORT)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("", PORT))
        mreqn = struct.pack("4s4si", socket.inet_aton(group), bytes(4), index)
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, mreqn)
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                             mreqn)
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)

    def send(self, datagram):
        self.sock.sendto(datagram, self.address)

    def drain(self):
        """What has been said so far is not heard any more."""
        self.sock.setblocking(False)
        try:
            while True:
                self.sock.recv(65535)
        except BlockingIOError:
            pass

    def hear(self, wanted):
        """The first datagram for which wanted() is true."""
        end = time.monotonic() + TIMEOUT
        while True:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            datagram = self.sock.recv(65535)
            if wanted(datagram):
                return datagram


class Attack:
    def __init__(self, netns, device, group, secret):
        self.netns, self.secret = netns, secret
        self.link = Link(device, group)
        self.count = self.failed = 0
        self.known = None
        self.node = self.clb("sync")["node"]

    def clb(self, *words):
        return json.loads(subprocess.run(
            (CLBCTL, "-n", self.netns, "-j", *words), check=True,
            capture_output=True, text=True).stdout)

    def table(self):
        """Its sessions, but for how long they have left."""
        return sorted(json.dumps({k: v for k, v in s.items()
                                  if k != "expires_ms"})
                      for s in self.clb("session"))

    def ok(self, passed, name, why=""):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        if not passed:
            print(f"# {why}", flush=True)

    def tell(self, datagram):
        """What may change something."""
        self.link.send(datagram)
        self.known = None

    def counted(self, name, counter, datagrams):
        """Each is counted as what it is, and the table stays as it is: as the
        case before left it, if nothing else was said since."""
        table, before = self.known or (self.table(), self.clb("sync"))
        for datagram in datagrams:
            self.link.send(datagram)
        want = before[counter] + len(datagrams)
        end = time.monotonic() + TIMEOUT
        while (now := self.clb("sync"))[counter] < want and \
                time.monotonic() < end:
            time.sleep(0.05)
        changed = {k: (v, now[k]) for k, v in before.items()
                   if k.startswith(("drop_", "refused_", "created", "ended"))
                   and now[k] != v and k != counter}
        self.ok(now[counter] == want and not changed,
                f"{name}: counted as {counter}",
                f"{counter} {before[counter]} to {now[counter]}, not {want}; "
                f"{changed}")
        self.known = self.table(), now
        self.ok(self.known[0] == table, f"{name}: the table is unchanged")

    def of_other(self, datagram):
        """Said by a node that is not the one we attack."""
        return datagram[:2] == b"\xc1\xb5" and \
            struct.unpack_from(">H", datagram, 24)[0] != self.node

    def run(self):
        heard = self.link.hear(self.of_other)
        self.forgeries(heard)
        self.insider()
        print(f"1..{self.count}")
        return self.failed > 0

    def forgeries(self, heard):
        opened = unseal(self.secret, heard)
        self.ok(opened is not None and list(records(opened[1])),
                "what a node says opens with the secret, by the document")
        header, content = opened
        self.counted("replay", "drop_replayed", [heard] * 3)
        later = Header(header.node, header.epoch, header.seq + 1000)
        self.counted("forged tag", "drop_forged",
                     [later.bytes() + content + bytes(16)])
        self.counted("another secret", "drop_forged",
                     [seal(bytes(32), later, content)])
        self.counted("flipped bits", "drop_forged",
                     [flip(seal(self.secret, later, content), 8 * byte)
                      for byte in (16, 20, 28, len(heard) - 1)])
        self.counted("truncated", "drop_truncated",
                     [heard[:n] for n in (0, 1, 27, 28, 43)])
        self.counted("cut", "drop_forged", [
            seal(self.secret, later, content)[:-1],
            seal(self.secret, later, content)[:HEADER.size + 16]])
        self.counted("another protocol", "drop_foreign", [b"x" * 100])
        self.counted("another version", "drop_version",
                     [seal(self.secret, Header(9, 1, 1, version=2), content)])
        self.counted("another cluster", "drop_cluster",
                     [seal(self.secret, Header(9, 1, 1, cluster=7), content)])
        self.counted("another key", "drop_key",
                     [seal(self.secret, Header(9, 1, 1, key_id=7), content)])
        self.counted("a past life", "drop_replayed", [seal(
            self.secret, Header(header.node, header.epoch - 1, 1), content)])
        self.counted("its own id", "drop_same_node", [seal(
            self.secret, Header(self.node, header.epoch, 1), content)])
        self.counted("number 0", "drop_malformed",
                     [seal(self.secret, Header(9, 1, 0), content)])
        self.counted("node 0", "drop_malformed",
                     [seal(self.secret, Header(0, 1, 1), content)])
        self.counted("a stream to one node", "drop_foreign",
                     [seal(self.secret, Header(9, 1, 1, to=self.node),
                           content)])
        self.counted("longer than any", "drop_truncated",
                     [seal(self.secret, later, bytes(9000))])

    def insider(self):
        """Who knows the secret may speak; but sense is needed, too."""
        mine = Header(99, time.time_ns(), 0)
        hijack = session("203.0.113.1", 80, "198.51.100.11", 0,
                         "192.0.2.99", 40001)

        def say(content):
            mine.seq += 1
            return seal(self.secret, mine, content)

        self.counted("a stranger", "drop_stranger", [say(hijack)])
        self.counted("a malformed record", "drop_malformed",
                     [say(b"\5\1\0"), say(hijack + b"\3")])
        epoch = self.clb("sync")["epoch"]
        self.tell(say(heartbeat() + peer(self.node, epoch, 1)))
        self.counted("an unknown listener", "refused_listener",
                     [say(hijack.replace(b"\xcb\x00\x71", b"\xcb\x00\x72"))])
        self.counted("an unknown server", "refused_server",
                     [say(hijack.replace(b"\xc6\x33\x64", b"\xc6\x33\x65"))])
        overtaken = say(hijack)
        missed = self.clb("sync")["missed"]
        self.tell(say(heartbeat()))
        self.until(lambda: self.clb("sync")["missed"] != missed)
        self.counted("overtaken by a later one", "drop_late", [overtaken])
        self.counted("and once more", "drop_replayed", [overtaken])
        self.early(mine, say)
        self.last_words(mine, say)
        before = self.clb("sync")["created"]
        self.tell(say(record(200, b"of tomorrow") + hijack))
        self.until(lambda: self.clb("sync")["created"] != before)
        made = [s for s in self.clb("session")
                if (s["client_address"], s["client_port"]) ==
                ("192.0.2.99", 40001)]
        self.ok(len(made) == 1 and made[0]["state"] == "established",
                "a node that is known is believed, whatever else it says",
                f"{made}")
        self.tell(say(peer(self.node, 2**64 - 1, 1)))
        self.counted("after a life that cannot be", "drop_malformed",
                     [say(b"\5\1\0")])
        self.later_life(say, epoch)
        self.set_back(say)
        self.named_when_dead()

    def heard_of(self, node):
        """The last datagram that was heard of another node."""
        return next((p["sequence"] for p in self.clb("sync", "peers")
                     if p["node"] == node), 0)

    def risen(self, mine, say, datagrams, kinds):
        """By how much counters rise when these come. A datagram is heard
        before it is counted: once one behind them is heard, all are."""
        before = self.clb("sync")
        for datagram in (*datagrams, say(heartbeat())):
            self.tell(datagram)
        self.until(lambda: self.heard_of(mine.node) == mine.seq)
        now = self.clb("sync")
        return {k: now[k] - before[k] for k in kinds}

    def early(self, mine, say):
        """Datagrams that came early waited for those before them."""
        kinds = ("early", "drop_replayed", "drop_late", "missed")
        a, b, c = (say(heartbeat()) for _ in range(3))
        risen = self.risen(mine, say, (c, b, c, a), kinds)
        self.ok(risen == dict(zip(kinds, (2, 1, 0, 0))),
                "datagrams that come early wait for those before them",
                f"{risen}")
        say(heartbeat())
        risen = self.risen(mine, say, (say(heartbeat() * 250),), kinds)
        self.ok(risen == dict(zip(kinds, (0, 0, 0, 1))),
                "one that is larger than the node's own does not wait",
                f"{risen}")
        say(heartbeat())
        many = [say(heartbeat()) for _ in range(129)]
        risen = self.risen(mine, say, many, kinds)
        # where that takes long, the time of the first may be over before
        self.ok(0 < risen.pop("early") <= 128 and
                risen == dict(zip(kinds[1:], (0, 0, 1))),
                "nor one for which there is no room", f"{risen}")

    def last_words(self, mine, say):
        """A new life leaves nothing to wait for of the one before."""
        say(heartbeat())
        words = say(session("203.0.113.1", 80, "198.51.100.11", 0,
                            "192.0.2.99", 40002))
        mine.epoch, mine.seq = mine.epoch + 2**20, 0
        risen = self.risen(mine, say, (words, say(heartbeat())),
                           ("early", "created"))
        self.ok(risen == {"early": 1, "created": 1},
                "what waits of a life is done when the next one begins",
                f"{risen}")
        self.tell(say(heartbeat() +
                      peer(self.node, self.clb("sync")["epoch"], 1)))

    def set_back(self, say):
        """A machine that is set back to a snapshot says other words by numbers
        of which its peers remember the first ones."""
        now = self.clb("sync")
        self.tell(say(peer(self.node, now["epoch"], 2**40)))
        self.ok(self.until(lambda: self.clb("sync")["epoch"] > now["epoch"]),
                "told of more of its life than it has said it begins another")

    def named_when_dead(self):
        """By whom it is named a node learns that its clock is too old."""
        def is_dead():
            return not [node for node in self.clb("sync", "peers")
                        if node["node"] == 99][0]["alive"]

        def names_us(datagram):
            if datagram[:2] != b"\xc1\xb5" or self.of_other(datagram):
                return False
            opened = unseal(self.secret, datagram)
            return opened and any(
                kind == 6 and struct.unpack_from(">H", body)[0] == 99
                for kind, body in records(opened[1]))

        self.ok(self.until(is_dead), "a node that is silent is dead")
        self.link.drain()
        try:
            self.link.hear(names_us)
            heard = True
        except TimeoutError:
            heard = False
        self.ok(heard, "what is known of it is said all the same")

    def until(self, done):
        end = time.monotonic() + TIMEOUT
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def later_life(self, say, epoch):
        """Told of a later life of its own, a node begins one above it."""
        told = epoch + 3600 * 10**9
        self.tell(say(peer(self.node, told, 1)))
        self.until(lambda: self.clb("sync")["epoch"] != epoch)
        now = self.clb("sync")["epoch"]
        self.ok(told < now < told + 60 * 10**9,
                "told of a later life of its own it begins one above that",
                f"{now - told} ns above it")


def flip(datagram, bit):
    changed = bytearray(datagram)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def main():
    _, command, netns, device, group, path = sys.argv
    assert command == "attack"
    with open(path, encoding="ascii") as file:
        secret = bytes.fromhex(file.read().strip())
    sys.exit(Attack(netns, device, group, secret).run())


if __name__ == "__main__":
    main()
