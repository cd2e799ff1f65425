#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd's access log: what is in it, where it goes, what is lost."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from rig import (PLAIN, Client, Daemon, HeadServer, Server, Tap, ask, config,
                 equal, wait_for)


def access_log():
    """the access log has a line of JSON for each request, with what was asked
    and how it ended"""
    def answer(_server, sock, _reader, request):
        if "cut" in request.first:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
            return False
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        return True
    server = Server(answer)
    with Daemon(config(server, top="log: @LOG@")) as clbd:
        with Client(clbd.port) as client:
            port = client.sock.getsockname()[1]
            client.ask("/a?b=\"c\\", host="a.example:80",
                       fields="User-Agent: a\xe9\"\\\tb\r\n"
                       "Referer: http://x/\r\nX-Forwarded-For: 192.0.2.1\r\n",
                       method="POST", body=b"")
            try:
                client.ask("/cut")
            except (EOFError, ConnectionResetError):
                pass
        with Client(clbd.port) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            equal(client.response().status, 400)
        wait_for("lines", lambda: len(clbd.lines()) == 3)
        first, cut, bad = (json.loads(line) for line in clbd.lines())
        wanted = {
            "listener": "site", "vip_addr": f"127.0.0.1:{clbd.port}",
            "client_ip": "127.0.0.1", "client_port": port, "scheme": "http",
            "request_method": "POST", "request_uri": "/a?b=\"c\\",
            "server_protocol": "HTTP/1.1", "host": "a.example",
            "http_host": "a.example:80", "slb_vport": clbd.port,
            "http_referer": "http://x/", "http_user_agent": "a\xe9\"\\\tb",
            "http_x_forwarded_for": "192.0.2.1", "status": 200,
            "body_bytes_sent": 5, "upstream_addr": server.address,
            "upstream_status": 200, "tries": 1, "ending": "normal"}
        equal({k: first.get(k) for k in wanted}, wanted)
        equal(cut["ending"], "server")
        equal((bad["status"], bad["ending"], bad["reason"]),
              (400, "refused", "no Host"))
        equal(bad["upstream_addr"], "")


def log_of_the_left():
    """the access log has a line for a request that its client left, and for one
    whose fields are long when they are escaped"""
    go = threading.Event()

    def answer(_server, sock, _reader, request):
        if "wait" in request.first:
            go.wait(30)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
    server = Server(answer)
    with Daemon(config(server, top="log: @LOG@")) as clbd:
        client = Client(clbd.port)
        client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the request", lambda: server.requests)
        client.reset()
        wait_for("its line", lambda: len(clbd.lines()) == 1)
        line = json.loads(clbd.lines()[0])
        equal((line["request_uri"], line["ending"], line["status"]),
              ("/wait", "client", 0))
        go.set()
        equal(ask(clbd.port, fields="User-Agent: " + "\"" * 12000 +
                  "\r\n").status, 200)
        wait_for("its line", lambda: len(clbd.lines()) == 2)
        agent = json.loads(clbd.lines()[1])["http_user_agent"]
        equal(agent, "\"" * len(agent))
        equal(clbd.stats()["log_lost"], 0)


def log_of_times():
    """the access log has how long a request took to come, its response to begin
    and to go, and the way to the client"""
    came, go = threading.Event(), threading.Event()
    waited, took = [], []

    def answer(_server, sock, reader, request):
        reader.exactly(2)
        came.set()
        if "/pause" in request.first:
            go.wait(30)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        if "/slow" in request.first:
            go.wait(30)
        sock.sendall(b"b")

    def wait():
        since = time.monotonic()
        threading.Event().wait(0.3)
        waited.append(time.monotonic() - since)
    server = HeadServer(answer)
    with Daemon(config(server, top="log: @LOG@")) as clbd, \
            Client(clbd.port) as client:
        for number, target in enumerate(("/late", "/pause", "/slow")):
            came.clear()
            go.clear()
            since = time.monotonic()
            client.send(f"POST {target} HTTP/1.1\r\nHost: a\r\n"
                        "Content-Length: 2\r\n\r\na".encode())
            wait_for("the request", lambda n=number:
                     len(server.requests) > n)
            if target == "/late":
                wait()
            client.send(b"b")
            came.wait(30)
            if target == "/slow":
                client.sock.recv(1, socket.MSG_PEEK)
            if target != "/late":
                wait()
            go.set()
            equal(client.response().body, b"ab")
            wait_for("a line", lambda n=number: len(clbd.lines()) > n)
            took.append(time.monotonic() - since)
        lines = [json.loads(line) for line in clbd.lines()]
        # What came before the last byte is in the second, too.
        for line, paused, all_of_it, meant in zip(lines, waited, took, (
                ("read_request_time", "upstream_response_time"),
                ("upstream_response_time",), ("write_response_time",))):
            for name in ("read_request_time", "upstream_response_time",
                         "write_response_time"):
                # of the others, what it took beside: times are milliseconds
                equal(line[name] > 0.9 * paused if name in meant else
                      line[name] < all_of_it - paused + 0.01, True, line)
            equal(0.9 * paused < line["request_time"] < all_of_it + 0.01, True,
                  line)
            equal(0 < line["tcpinfo_rtt"] < 1e6, True, line)


def log_of_many():
    """no line is lost of many requests at once"""
    text = config(Server(), top="log: @LOG@",
                  listener="    redirect: \"https://a/\"\n").replace(
                      "    group: web\n", "", 1)
    request = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (
        b"x" * 2000)
    with Daemon(text) as clbd:
        pid = clbd.hold_worker()
        clients = [Client(clbd.port).send(request * 8) for _ in range(40)]
        os.kill(pid, signal.SIGCONT)
        for client in clients:
            for _ in range(8):
                equal(client.response().status, 301)
            client.close()
        wait_for("lines", lambda: len(clbd.lines()) == 320)
        equal(clbd.stats()["log_lost"], 0)


def log_reopened():
    """USR1 opens the log anew; a reload may name another file"""
    text = config(Server(), top="log: @LOG@")
    with Daemon(text) as clbd:
        ask(clbd.port)
        wait_for("a line", lambda: len(clbd.lines()) == 1)
        os.rename(clbd.log, clbd.log + ".1")
        clbd.process.send_signal(signal.SIGUSR1)
        wait_for("the file", lambda: os.path.exists(clbd.log))
        clbd.stats()    # asked for later: the logger has been told by then
        ask(clbd.port)
        wait_for("a line", lambda: len(clbd.lines()) == 1)
        old, clbd.log = clbd.log, clbd.log + ".2"
        clbd.reload(text)
        ask(clbd.port)
        wait_for("a line", lambda: len(clbd.lines()) == 1)
        equal(len(pathlib.Path(old).read_text().splitlines()), 1)


class Syslog:
    """Who reads the messages that programs send to a socket."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o777)
        self.socket.settimeout(0.1)

    def message(self):
        with contextlib.suppress(TimeoutError):
            return self.socket.recv(65536).decode()
        return None

    def close(self):
        self.socket.close()
        os.unlink(self.path)


def log_to_syslog():
    """log: a message of syslog for each line, in both formats; another who
    listens there is found, and what is lost meanwhile is counted"""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "log")
        syslog = Syslog(path)
        text = config(Server(), top=f"log: syslog:{path}")
        with Daemon(text, program=PLAIN) as clbd:
            ask(clbd.port, "/one")
            ask(clbd.port, "/two")
            for word in "one", "two":
                message = wait_for("a message", syslog.message)
                match = re.fullmatch(
                    r"<134>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d "
                    r"clbd\[\d+\]: (\{.*\})", message)
                equal(json.loads(match[1])["request_uri"], "/" + word)
            clbd.reload(text + "syslog: {format: rfc5424, facility: daemon}\n")
            ask(clbd.port, "/three")
            match = re.fullmatch(
                r"<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ - clbd \d+ "
                r"access - (\{.*\})", wait_for("a message", syslog.message))
            equal(json.loads(match[1])["request_uri"], "/three")
            syslog.close()
            lost = 0
            while not lost:
                ask(clbd.port, "/lost")
                lost = clbd.stats()["log_lost"]
            syslog = Syslog(path)

            def arrives():
                ask(clbd.port, "/again")
                return syslog.message()
            wait_for("a message to the next", arrives)
            syslog.close()


def log_full():
    """log: lines that the disk has no room for are counted"""
    with Daemon(config(Server(), top="log: /dev/full"),
                program=PLAIN) as clbd:
        for _ in range(3):
            ask(clbd.port)
        wait_for("3 lost", lambda: clbd.stats()["log_lost"] == 3)


def log_cut():
    """log: a line that had no room begins anew when there is room again"""
    if os.geteuid() != 0:
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none",
                        directory], check=True)
        try:
            fill_disk(os.path.join(directory, "log"))
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


def fill_disk(path):
    asked = 300
    with Daemon(config(Server(), top=f"log: {path}"), program=PLAIN) as clbd:
        with Client(clbd.port) as client:
            for _ in range(asked):
                equal(client.ask().status, 200)
            wait_for("losses", lambda: clbd.stats()["log_lost"])
            text = pathlib.Path(path).read_bytes()
            os.truncate(path, text.rindex(b"\n", 0, 4096) + 1)
            wait_for("another line", lambda: client.ask() and
                     os.path.getsize(path) > 6000)
    lines = pathlib.Path(path).read_text().split("\n")[:-1]
    cut = [line for line in lines if not line.endswith("}")]
    equal(len(cut) <= 2, True, f"{len(cut)} lines are not whole")
    for line in lines:
        if line not in cut:
            json.loads(line)


def log_stuck():
    """a log that nobody takes costs lines, which are counted, and no request"""
    with Daemon(config(Server(), top="log: @LOG@")) as clbd:
        os.unlink(clbd.log)
        os.mkfifo(clbd.log)
        reader = os.open(clbd.log, os.O_RDONLY | os.O_NONBLOCK)
        clbd.process.send_signal(signal.SIGUSR1)
        fields = "User-Agent: " + "x" * 8000 + "\r\n"
        with Client(clbd.port) as client:
            def lost():
                for _ in range(20):
                    equal(client.ask(fields=fields).status, 200)
                return clbd.stats()["log_lost"]
            wait_for("lines to be lost", lost)
            total = clbd.stats()["requests"]
        lines, end = b"", time.monotonic() + 30
        while time.monotonic() < end:
            try:
                data = os.read(reader, 1 << 20)
            except BlockingIOError:
                data = b""
            lines += data
            if not data and lines.count(b"\n") + \
                    clbd.stats()["log_lost"] == total:
                break
        for line in lines.splitlines():
            json.loads(line)
        equal(lines.count(b"\n") + clbd.stats()["log_lost"], total)
        os.close(reader)


if __name__ == "__main__":
    Tap().run([access_log, log_of_the_left, log_of_times, log_of_many, log_reopened,
               log_to_syslog, log_full, log_cut, log_stuck])
