# SPDX-License-Identifier: MIT
"""The systems of l7.py: how each is configured and started, and what it uses."""
import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
CLBD = os.environ.get("CLBD", str(TOP / "build/tools/clbd"))
SYSTEMS = ("clbd", "nginx", "haproxy")
PORT, SERVER = 8000, 9000
PATIENCE = 20
RULES = 10000

# What each is tried with where bodies are large; clbd splices these by itself.
# "splice": the kernel moves bodies, where HAProxy need not see them.
BUFFERS = {
    "clbd": ("",),
    "nginx": ("16k", "64k", "128k"),
    "haproxy": ("16k", "128k", "16k splice"),
}


@dataclasses.dataclass
class Setup:
    """How all of them are configured; buffers: one of BUFFERS."""

    log: bool = False
    rules: bool = False
    connections: int = 2000
    buffers: str = "16k"
    port: int = PORT

    @property
    def http2_port(self):
        """Without TLS."""
        return self.port + 1


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

    def __init__(self, processor, command, port, output=os.devnull):
        with open(output, "wb") as file:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(processor), *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=file,
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
        """Bytes of all processes; what several have is split among them."""
        total = 0
        for pid in tree(self.process.pid):
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            for line in rollup.splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total


def write(directory, name, text):
    path = pathlib.Path(directory, name)
    path.write_text(text)
    return path


def nginx_command(directory, name, connections, http):
    config = write(directory, f"{name}.conf", f"""
worker_processes 1;
daemon off;
pid {directory}/{name}.pid;
error_log stderr;
events {{ worker_connections {connections}; }}
http {{
    keepalive_requests 1000000000;
{http}
}}
""")
    return ["nginx", "-c", config]


class Backend(System):
    """The server: always on the other processor."""

    def __init__(self, directory):
        pathlib.Path(directory, "64k").write_bytes(b"x" * 65536)
        super().__init__(1, nginx_command(directory, "server", 4096, f"""
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    server {{
        listen 127.0.0.1:{SERVER} backlog=4096;
        root {directory};
        location = /small {{ default_type text/plain; return 200 "0123456789"; }}
    }}"""), SERVER)


def clbd_text(directory, setup):
    log = f"log: {directory}/clbd.log\n" if setup.log else ""
    rules = ""
    if setup.rules:
        rules = "    rules:\n" + "".join(
            f"      - {{domain: {domain}, group: web}}\n"
            for domain in domains())
    return f"""
workers: 1
limits: {{connections: {setup.connections}}}
{log}groups:
  - name: web
    servers:
      - {{address: "127.0.0.1:{SERVER}"}}
listeners:
  - name: site
    address: "127.0.0.1:{setup.port}"
    group: web
    timeouts: {{idle: 60}}
{rules}  - name: h2
    address: "127.0.0.1:{setup.http2_port}"
    group: web
    http2: yes
"""


def clbd(directory, setup):
    config = write(directory, "clbd.conf", clbd_text(directory, setup))
    return [CLBD, "-f", config]


NGINX_LOG = r"""
    log_format json escape=json '{"time":"$time_iso8601","listener":"site",'
        '"vip_addr":"$server_addr:$server_port","slb_vport":$server_port,'
        '"client_ip":"$remote_addr",'
        '"client_port":$remote_port,"scheme":"$scheme",'
        '"request_method":"$request_method","request_uri":"$request_uri",'
        '"server_protocol":"$server_protocol","host":"$host",'
        '"http_host":"$http_host",'
        '"http_referer":"$http_referer","http_user_agent":"$http_user_agent",'
        '"http_x_forwarded_for":"$http_x_forwarded_for","request_length":'
        '$request_length,"status":$status,"body_bytes_sent":$body_bytes_sent,'
        '"request_time":$request_time,"tcpinfo_rtt":$tcpinfo_rtt,'
        '"upstream_connect_time":"$upstream_connect_time",'
        '"upstream_header_time":"$upstream_header_time",'
        '"upstream_addr":"$upstream_addr",'
        '"upstream_status":"$upstream_status","upstream_response_time":'
        '"$upstream_response_time","ending":"$request_completion"}';
"""


def nginx(directory, setup):
    log, names = "    access_log off;", ""
    if setup.log:
        log = (f"{NGINX_LOG}    access_log {directory}/nginx.log json "
               "buffer=16k flush=1s;")
    if setup.rules:
        names = "server_name " + " ".join(domains()) + ";"
    size = int(setup.buffers.removesuffix("k"))
    # It closes idle ones where less than a sixteenth of the room is left.
    connections = setup.connections * 16 // 15 + 1
    return nginx_command(directory, "nginx", connections, f"""
{log}
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;
    proxy_buffer_size {size}k;
    proxy_buffers 8 {size}k;
    proxy_busy_buffers_size {2 * size}k;
    upstream web {{
        server 127.0.0.1:{SERVER};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{setup.port} backlog=4096;
        listen 127.0.0.1:{setup.http2_port} backlog=4096 http2;
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
    }}""")


# To standard output, which is a file here: HAProxy opens none by itself.
HAPROXY_LOG = r"""
    log stdout len 4096 format raw local0
    capture request header Host len 256
    capture request header Referer len 256
    capture request header User-Agent len 256
    capture request header X-Forwarded-For len 256
    log-format '{"time":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]","listener":"%f","vip_addr":"%fi:%fp","slb_vport":%fp,"client_ip":"%ci","client_port":%cp,"scheme":"http","request_method":"%HM","request_uri":"%[capture.req.uri,json(utf8s)]","server_protocol":"%HV","host":"%[capture.req.hdr(0),field(1,:),json(utf8s)]","http_host":"%[capture.req.hdr(0),json(utf8s)]","http_referer":"%[capture.req.hdr(1),json(utf8s)]","http_user_agent":"%[capture.req.hdr(2),json(utf8s)]","http_x_forwarded_for":"%[capture.req.hdr(3),json(utf8s)]","request_length":%U,"status":%ST,"body_bytes_sent":%B,"request_time":%Ta,"read_request_time":%TR,"write_response_time":%Td,"tcpinfo_rtt":%[fc_rtt(us)],"upstream_addr":"%si:%sp","upstream_status":"%ST","upstream_response_time":"%Tr","ending":"%ts"}'
"""


def haproxy(directory, setup):
    use = "default_backend web"
    if setup.rules:
        table = write(directory, "haproxy.map", "".join(
            f"{domain} web\n" for domain in domains()))
        use = f"use_backend %[req.hdr(host),lower,map_str({table},web)]"
    size, _, splice = setup.buffers.partition(" ")
    config = write(directory, "haproxy.cfg", f"""
global
    nbthread 1
    maxconn {setup.connections}
    tune.bufsize {int(size.removesuffix("k")) * 1024}
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
    option forwardfor
    {"option splice-response" if splice else ""}
frontend site
    bind 127.0.0.1:{setup.port} backlog 4096
    bind 127.0.0.1:{setup.http2_port} backlog 4096 proto h2
    {HAPROXY_LOG if setup.log else ""}
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port {setup.port}
    {use}
backend web
    server s 127.0.0.1:{SERVER} pool-max-conn 64
""")
    return ["haproxy", "-db", "-f", config]


def start(kind, directory, setup):
    """A system on the first processor, with files of its own, those of the one
    before gone."""
    own = pathlib.Path(directory, str(setup.port))
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(mode=0o755)
    command = {"clbd": clbd, "nginx": nginx, "haproxy": haproxy}[kind]
    return System(0, command(own, setup), setup.port, own / "out.log")
