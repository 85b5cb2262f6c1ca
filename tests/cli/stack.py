# SPDX-License-Identifier: Apache-2.0
"""What tollctl is tested against: tollwayd with a store of its own and hosts
that don't exist, and a server that answers with whatever it is given."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def find(name, place):
    """A program of the build."""
    for build in (os.environ.get("TOLLWAY_BUILD"),
                  os.path.join(TOP, "_build/release"), TOP):
        path = build and os.path.join(build, place, name)
        if path and os.access(path, os.X_OK):
            return path
    raise SystemExit("%s has not been built" % name)


TOLLCTL = find("tollctl", "controller/cli")


def tollctl(socket_path, *argv, stdin=None, timeout=60):
    """tollctl's CompletedProcess, with text output."""
    return subprocess.run([TOLLCTL] + [str(a) for a in argv], input=stdin,
                          capture_output=True, text=True, timeout=timeout,
                          errors="replace",
                          env=dict(os.environ, TOLLWAY_SOCKET=socket_path, TZ="UTC"))


def wait_until(what, condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("timeout: " + what)
        time.sleep(0.02)


def accepts(path):
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            return True
        except OSError:
            return False


def end_with_parent():
    """Makes a child end with the tests, however these end."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)      # PR_SET_PDEATHSIG


class Stack:
    """A store and tollwayd in a directory of their own."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tollway-cli-")
        self.socket = self.path("api.sock")
        self.processes = []
        self.documents = 0
        try:
            self.begin()
        except BaseException:
            self.stop(keep=True)
            raise

    def begin(self):
        db, remote = self.path("store.db"), "unix:" + self.path("store.sock")
        subprocess.run(["ovsdb-tool", "create", db,
                        os.path.join(TOP, "schemas/tollway.ovsschema")], check=True)
        self.start("ovsdb-server", db, "--remote=p" + remote,
                   "--unixctl=" + self.path("store.ctl"))
        wait_until("the store", lambda: accepts(self.path("store.sock")))
        self.daemon = self.start(
            find("tollwayd", "controller/daemon"), "--db=" + remote,
            "--socket=" + self.socket, "--unixctl=" + self.path("tollwayd.ctl"))
        wait_until("tollwayd", lambda: accepts(self.socket))
        wait_until("the store's contents",
                   lambda: self.run("show").returncode == 0
                   and self.json("status")["store"])

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, *argv):
        log = open(self.path("log"), "a")
        process = subprocess.Popen(
            list(argv) + ["-vsyslog:off"], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, preexec_fn=end_with_parent, env=dict(os.environ, OVS_RUNDIR=self.dir,
                                 TOLLWAY_SCHEMAS=os.path.join(TOP, "schemas")))
        log.close()
        self.processes.append(process)
        return process

    def stop(self, keep=False):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if keep:
            with open(self.path("log"), errors="replace") as f:
                print("".join(f.readlines()[-30:]))
        shutil.rmtree(self.dir)

    def run(self, *argv, **kwargs):
        return tollctl(self.socket, *argv, **kwargs)

    def ctl(self, *argv, **kwargs):
        """tollctl's output; it must succeed and say nothing else."""
        done = self.run(*argv, **kwargs)
        assert done.returncode == 0, (argv, done)
        assert done.stderr == "", (argv, done.stderr)
        return done.stdout

    def json(self, *argv, **kwargs):
        return json.loads(self.ctl(*argv, "--json", **kwargs))

    def write(self, text, name=None):
        self.documents += 1
        path = self.path(name or "document%d.xml" % self.documents)
        with open(path, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        return path

    def alive(self):
        return self.daemon.poll() is None


class FakeServer:
    """A unix socket that answers each connection's request with `answer`:
    bytes, or a list of bytes that are sent one by one; None: never."""

    def __init__(self, answer, read=True):
        self.dir = tempfile.mkdtemp(prefix="tollway-cli-")
        self.socket = os.path.join(self.dir, "fake.sock")
        self.answer, self.read = answer, read
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.socket)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.dir)

    def serve(self):
        held = []
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            if self.read:
                self.requests.append(s.recv(1 << 20).decode(errors="replace"))
            if self.answer is None:
                held.append(s)
                continue
            parts = self.answer if isinstance(self.answer, list) else [self.answer]
            try:
                for part in parts:
                    s.sendall(part)
                    if len(parts) > 1:
                        time.sleep(0.005)
                s.shutdown(socket.SHUT_WR)
                while self.read and s.recv(1 << 20):
                    pass
            except OSError:
                pass
            s.close()


def http(status, body, *headers, length=None):
    """An answer."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = ["HTTP/1.1 %d Whatever" % status,
             "Content-Length: %d" % (len(body) if length is None else length)]
    return "\r\n".join(lines + list(headers) + ["", ""]).encode() + body
