# SPDX-License-Identifier: MIT
"""The systems of l7.py: how each is configured and started, and what it uses."""
import os
import pathlib
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
CLBD = os.environ.get("CLBD", str(TOP / "build/tools/clbd"))
SYSTEMS = ("clbd", "nginx", "haproxy")
PORT, PORT2, SERVER = 8000, 8002, 9000	# 8002: HTTP/2 without TLS
PATIENCE = 20
RULES = 10000


def domains():
    return [f"h{i}.example" for i in range(RULES)]


def tree(pid):
    """A process and all below it."""
    found = [pid]
    for process in found:
        for task in pathlib.Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


class System:
    """A program on one processor, until the end of the block."""

    def __init__(self, processor, command, port):
        self.process = subprocess.Popen(
            ["taskset", "-c", str(processor), *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        self.port = port

    def __enter__(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    raise AssertionError(
                        self.process.stderr.read().decode()) from None
                if time.monotonic() > end:
                    raise AssertionError("nobody listens") from None
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def time(self):
        """Seconds of processor time, of all threads and processes."""
        ns = 0
        for pid in tree(self.process.pid):
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                ns += int((task / "schedstat").read_text().split()[0])
        return ns / 1e9

    def memory(self):
        """Bytes that only these processes have."""
        total = 0
        for pid in tree(self.process.pid):
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            for line in rollup.splitlines():
                if line.startswith("Private_Dirty"):
                    total += int(line.split()[1]) * 1024
        return total


def write(directory, name, text):
    path = pathlib.Path(directory, name)
    path.write_text(text)
    return path


class Backend(System):
    """The server: always on the other processor."""

    def __init__(self, directory):
        pathlib.Path(directory, "64k").write_bytes(b"x" * 65536)
        config = write(directory, "server.conf", f"""
worker_processes 1;
daemon off;
pid {directory}/server.pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    server {{
        listen 127.0.0.1:{SERVER} backlog=4096;
        root {directory};
        location = /small {{ default_type text/plain; return 200 "0123456789"; }}
    }}
}}
""")
        super().__init__(1, ["nginx", "-c", config], SERVER)


def clbd_text(directory, variant, http2):
    log = f"log: {directory}/clbd.log\n" if variant == "log" else ""
    rules = ""
    if variant == "rules":
        rules = "    rules:\n" + "".join(
            f"      - {{domain: {domain}, group: web}}\n"
            for domain in domains())
    text = f"""
workers: 1
limits: {{connections: 8000}}
{log}groups:
  - name: web
    servers:
      - {{address: "127.0.0.1:{SERVER}"}}
listeners:
  - name: site
    address: "127.0.0.1:{PORT}"
    group: web
{rules}"""
    if http2:
        text += f"""  - name: h2
    address: "127.0.0.1:{PORT2}"
    group: web
    http2: yes
"""
    return text


def clbd_has_http2(directory):
    config = write(directory, "clbd.conf", clbd_text(directory, "", True))
    return not subprocess.run([CLBD, "-c", "-f", config], check=False,
                              capture_output=True).returncode


def clbd(directory, variant):
    http2 = clbd_has_http2(directory)
    config = write(directory, "clbd.conf",
                   clbd_text(directory, variant, http2))
    return [CLBD, "-f", config]


NGINX_LOG = r"""
    log_format json escape=json '{"time":"$time_iso8601","vip_addr":'
        '"$server_addr:$server_port","client_ip":"$remote_addr",'
        '"client_port":$remote_port,"scheme":"$scheme","request_method":'
        '"$request_method","request_uri":"$request_uri","server_protocol":'
        '"$server_protocol","http_host":"$http_host","http_referer":'
        '"$http_referer","http_user_agent":"$http_user_agent",'
        '"http_x_forwarded_for":"$http_x_forwarded_for","request_length":'
        '$request_length,"status":$status,"body_bytes_sent":$body_bytes_sent,'
        '"request_time":$request_time,"upstream_addr":"$upstream_addr",'
        '"upstream_status":"$upstream_status","upstream_response_time":'
        '"$upstream_response_time"}';
"""


def nginx(directory, variant):
    log, names = "access_log off;", ""
    if variant == "log":
        log = (f"{NGINX_LOG}    access_log {directory}/nginx.log json "
               "buffer=16k flush=1s;")
    if variant == "rules":
        names = "server_name " + " ".join(domains()) + ";"
    config = write(directory, "nginx.conf", f"""
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 16000; }}
http {{
    {log}
    keepalive_requests 1000000000;
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    proxy_busy_buffers_size 32k;
    upstream web {{
        server 127.0.0.1:{SERVER};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{PORT} backlog=4096;
        listen 127.0.0.1:{PORT2} backlog=4096 http2;
        {names}
        location / {{
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Port $server_port;
        }}
    }}
}}
""")
    return ["nginx", "-c", config]


def haproxy(directory, variant):
    log, use = "", "default_backend web"
    if variant == "log":
        log = ("log stdout format raw local0\n    option httplog")
    if variant == "rules":
        table = write(directory, "haproxy.map", "".join(
            f"{domain} web\n" for domain in domains()))
        use = f"use_backend %[req.hdr(host),lower,map_str({table},web)]"
    config = write(directory, "haproxy.cfg", f"""
global
    nbthread 1
    maxconn 8000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
    option forwardfor
frontend site
    bind 127.0.0.1:{PORT} backlog 4096
    bind 127.0.0.1:{PORT2} backlog 4096 proto h2
    {log}
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port {PORT}
    {use}
backend web
    server s 127.0.0.1:{SERVER} pool-max-conn 64
""")
    return ["haproxy", "-db", "-f", config]


def start(kind, directory, variant=""):
    """A system on the first processor, as the variant wants it."""
    command = {"clbd": clbd, "nginx": nginx, "haproxy": haproxy}[kind]
    return System(0, command(directory, variant), PORT)
