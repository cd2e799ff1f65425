# SPDX-License-Identifier: MIT
"""What tests of clbd need: clbd itself, servers and clients, all on loopback.

    client, raw sockets -> clbd on 127.0.0.1:PORT -> servers on 127.0.0.1:PORT

A server is a thread that answers by a function of the test; it keeps what it
was sent, byte for byte. Nothing here sleeps: what is waited for is asked for until
it is there or PATIENCE is over.
"""
import contextlib
import ctypes
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
CLBD = os.environ.get("CLBD", str(TOP / "build/tools/san/clbd"))
PLAIN = os.environ.get("PLAIN", str(TOP / "build/tools/clbd"))
PATIENCE = 30


class Tap:
    """Cases of a file; the end of the program is its exit status."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, name, why=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for line in str(why).splitlines() if not good else ():
            print(f"#   {line}")
        sys.stdout.flush()

    def run(self, cases):
        """Each case is a function whose docstring is its name."""
        wanted = os.environ.get("CASES", "").split()
        for case in cases:
            if wanted and case.__name__ not in wanted:
                continue
            name = " ".join(case.__doc__.split())
            try:
                case()
                self.ok(True, name)
            except Exception as error:  # a case may fail in any way
                where = error.__traceback__
                while where.tb_next:
                    where = where.tb_next
                self.ok(False, name,
                        f"line {where.tb_lineno}: {error!r}")
        print(f"1..{self.count}")
        sys.exit(self.failed > 0)


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for: {what}")
        time.sleep(0.01)


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def reply(body=b"", fields="", status="200 OK"):
    return (f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
            .encode() + body)


PORTS = iter(range(10000 + os.getpid() % 1000 * 20, 32768))


def free_port():
    """None is given twice, nor by the kernel, whose own begin at 32768."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Reader:
    """Reads messages from a socket, by length or chunks."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.data = bytearray()

    def more(self):
        data = self.sock.recv(65536)
        self.data += data
        return bool(data)

    def until(self, mark):
        while mark not in self.data:
            if not self.more():
                return None
        head, mark, self.data = self.data.partition(mark)
        return bytes(head + mark)

    def exactly(self, size):
        while len(self.data) < size:
            if not self.more():
                raise EOFError(f"{len(self.data)} of {size} bytes")
        body = bytes(self.data[:size])
        del self.data[:size]
        return body

    def rest(self):
        while self.more():
            pass
        data, self.data = bytes(self.data), bytearray()
        return data

    def chunks(self):
        """Data and trailers."""
        body = b""
        while True:
            line = self.until(b"\r\n")
            if line is None:
                raise EOFError("within chunks")
            size = int(line, 16)
            if not size:
                break
            body += self.exactly(size)
            equal(self.exactly(2), b"\r\n", "end of a chunk")
        trailers = b""
        while True:
            line = self.until(b"\r\n")
            if line == b"\r\n":
                return body, trailers
            trailers += line


class Message:
    """A head taken apart, and its body."""

    def __init__(self, head, body=b"", trailers=b""):
        self.head, self.body, self.trailers = head, body, trailers
        lines = head.decode("latin-1").split("\r\n")
        self.first = lines[0]
        self.fields = [tuple(line.split(": ", 1)) if ": " in line
                       else (line.rstrip(":"), "")
                       for line in lines[1:] if line]

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name):
        return ", ".join(self.all(name)) if self.all(name) else None

    @property
    def status(self):
        return int(self.first.split()[1])


def read_message(reader, bodiless=False):
    """The next message; None at the end of the connection."""
    head = reader.until(b"\r\n\r\n")
    if head is None:
        return None
    message = Message(head)
    response = message.first.startswith("HTTP/")
    if bodiless or (response and (message.status < 200 or
                                  message.status in (204, 304))):
        return message
    if message.get("Transfer-Encoding"):
        message.body, message.trailers = reader.chunks()
    elif message.get("Content-Length"):
        message.body = reader.exactly(int(message.get("Content-Length")))
    elif response:
        message.body = reader.rest()
    return message


class Server:
    """answer(server, sock, reader, request) sends; False: close the connection.

    Without answer, the response tells which server it was."""

    def __init__(self, answer=None, name="server", port=0):
        self.answer = answer or Server.plain
        self.name = name
        self.requests = []
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", port),
                                           backlog=512)
        self.port = self.socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def plain(self, sock, reader, request):
        body = self.name.encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" %
                     (len(body), body))

    def accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(sock)
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()

    def serve(self, sock):
        reader = Reader(sock)
        sock.settimeout(None)   # it would be that of all that is sent
        with contextlib.suppress(OSError, EOFError):
            while True:
                request = self.read(reader)
                if request is None:
                    break
                self.requests.append(request)
                if self.answer(self, sock, reader, request) is False:
                    break
        self.open.discard(sock)
        with contextlib.suppress(OSError):
            sock.close()

    def read(self, reader):
        return read_message(reader)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.drop()

    def drop(self):
        """Closes the connections that there are."""
        for sock in list(self.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class HeadServer(Server):
    """Reads heads alone; the answer reads the body, if it likes."""

    def read(self, reader):
        head = reader.until(b"\r\n\r\n")
        return None if head is None else Message(head)


def reset_at_close(sock):
    """Instead of an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


class Connection:
    """What has a socket, closed at the end of a "with"."""

    def close(self):
        self.sock.close()

    def reset(self):
        reset_at_close(self.sock)
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Client(Connection):
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port),
                                             timeout=PATIENCE)
        self.reader = Reader(self.sock)

    def send(self, data):
        self.sock.sendall(data)
        return self

    def ask(self, target="/", method="GET", fields="", body=b"",
            version="1.1", host="a.example"):
        self.send(f"{method} {target} HTTP/{version}\r\nHost: {host}\r\n"
                  f"{fields}\r\n".encode("latin-1") + body)
        return self.response(method == "HEAD")

    def response(self, bodiless=False):
        return read_message(self.reader, bodiless)

    def ended(self):
        """Whether the connection ends, with nothing more."""
        try:
            return self.reader.rest() == b""
        except ConnectionResetError:
            return True

def ask(port, *args, **kwargs):
    with Client(port) as client:
        return client.ask(*args, **kwargs)


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\t(.*)$", text, re.M))


def die_with_test():
    """In the child: a test that is killed leaves nothing behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


class Daemon:
    """clbd with a configuration; text is YAML with @PORT@ for its port."""

    def __init__(self, text, program=None, wait=True):
        self.directory = tempfile.TemporaryDirectory(prefix="clbd-")
        os.chmod(self.directory.name, 0o755)
        self.path = os.path.join(self.directory.name, "clbd.conf")
        self.log = os.path.join(self.directory.name, "access.log")
        self.errors = os.path.join(self.directory.name, "errors")
        self.port = free_port()
        self.kills = 0
        self.write(text)
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [program or CLBD, "-f", self.path], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors,
                preexec_fn=die_with_test)
        if wait:
            self.wait_ready(1)

    def write(self, text):
        text = text.replace("@PORT@", str(self.port))
        text = text.replace("@LOG@", self.log)
        pathlib.Path(self.path).write_text(text)

    def told(self):
        return pathlib.Path(self.errors).read_text(errors="replace")

    def wait_ready(self, times):
        wait_for("clbd: ready", lambda: self.process.poll() is not None or
                 self.told().count("clbd: ready") >= times)
        if self.process.poll() is not None:
            raise AssertionError(self.told())

    def wait_told(self, text):
        wait_for(text, lambda: text in self.told())

    def reload(self, text):
        times = self.told().count("clbd: ready")
        self.write(text)
        self.process.send_signal(signal.SIGHUP)
        self.wait_ready(times + 1)

    def stats(self):
        """Counters, by name."""
        import json

        def tellings():
            return re.findall(r'^\{"workers".*\}$', self.told(), re.M)
        count = len(tellings())
        self.process.send_signal(signal.SIGUSR2)
        wait_for("counters", lambda: len(tellings()) > count)
        return json.loads(tellings()[-1])

    def children(self, name):
        """Process numbers, of those that /proc calls so."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, IndexError):
                stat = (entry / "stat").read_text()
                called, rest = stat.split("(", 1)[1].rsplit(")", 1)
                if (int(rest.split()[1]) == self.process.pid and
                        called == name):
                    found.append(int(entry.name))
        return sorted(found)

    def kill(self, pid):
        """A child, which is no finding when it is over."""
        self.kills += 1
        os.kill(pid, signal.SIGKILL)

    def workers(self):
        return self.children("clbd: worker")

    def hold_worker(self):
        """It takes no step until it is let go on."""
        pid = self.workers()[0]
        os.kill(pid, signal.SIGSTOP)
        wait_for("it to stand", lambda: "T" in status_of(pid)["State"])
        return pid

    def lines(self):
        with contextlib.suppress(FileNotFoundError):
            text = pathlib.Path(self.log).read_text()
            return text[:text.rfind("\n") + 1].splitlines()
        return []

    def stop(self):
        """It ends well, and sanitizers found nothing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("clbd did not stop") from None
        told = self.told()
        self.directory.cleanup()
        if ("Sanitizer" in told or "runtime error" in told or
                told.count("killed by signal") != self.kills):
            raise AssertionError(told[-4000:])
        return status

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            sys.stdout.write("".join(f"# clbd: {line}\n" for line in
                                     self.told().splitlines()[-20:]))
            with contextlib.suppress(AssertionError):
                self.stop()
            return
        status = self.stop()
        equal(status, 0, "exit status of clbd")


def config(*servers, top="", group="", listener=""):
    """One listener, one group, one worker."""
    lines = [f"      - address: \"{s.address}\"" for s in servers]
    return "\n".join([
        "workers: 1", top, "groups:", "  - name: web", group, "    servers:",
        *lines, "listeners:", "  - name: site",
        "    address: \"127.0.0.1:@PORT@\"", "    group: web", listener, ""])
