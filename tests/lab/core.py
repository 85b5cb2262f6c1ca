# SPDX-License-Identifier: Apache-2.0
"""The ground everything else in the lab stands on: names, processes, network
namespaces, waiting, and leaving nothing behind.

A Lab owns every namespace, process and file that it made.  All of their names
start with the lab's own prefix (tw<pid>-), so that several labs, and a system
Open vSwitch or FRR, live side by side on one machine and never meet.

What is made is written to a journal first.  Teardown runs on leaving the
`with` block, on SIGTERM, SIGINT and SIGHUP, and at exit; if the Python process
itself is killed, a small watcher (reaper.py) sees its pipe close and cleans up
from the journal.  Teardown may run any number of times.

Nothing here sleeps for a fixed time: state is polled with a short interval and
a deadline (wait_for)."""

import atexit
import concurrent.futures
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PYTHON = "/usr/bin/python3"
NETNS_DIR = "/var/run/netns"
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))


class LabError(Exception):
    """Something in the lab did not do what was asked of it."""


class ProcessEnded(Exception):
    """A process that should run does not.  (Not a LabError: waiting longer
    does not help, so wait_for() passes it on.)"""


def now():
    """Monotonic time in seconds."""
    return time.monotonic()


def wait_for(what, condition, timeout=10.0, interval=0.02):
    """Polls `condition` until it returns something true and returns that.

    An exception from `condition` counts as false; the last one is quoted when
    the deadline passes.  `what` completes the sentence "timed out waiting
    for"."""
    deadline = now() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = None
        except (LabError, OSError, KeyError, IndexError, ValueError,
                subprocess.SubprocessError) as error:
            last = error
        if now() >= deadline:
            raise LabError("timed out after %.1f s waiting for %s%s" % (
                timeout, what, ": %s" % last if last else ""))
        time.sleep(interval)


def netns_argv(netns, argv):
    """The command line that runs `argv` inside a namespace.  nsenter replaces
    itself by the command, so the process ID is the command's own."""
    if netns is None:
        return list(argv)
    return ["nsenter", "--net=%s/%s" % (NETNS_DIR, netns), "--"] + list(argv)


def run(argv, netns=None, check=True, timeout=30, input=None, env=None,
        cwd=None):
    """Runs a command to its end; returns the CompletedProcess with text
    output.  With `check`, an exit code other than 0 is a LabError that quotes
    the command and its output."""
    argv = shlex.split(argv) if isinstance(argv, str) else [str(a) for a in argv]
    try:
        done = subprocess.run(netns_argv(netns, argv), input=input, text=True,
                              stdin=None if input is not None
                              else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout, env=env, cwd=cwd,
                              errors="replace")
    except subprocess.TimeoutExpired:
        raise LabError("no end after %s s: %s" % (timeout, shlex.join(argv)))
    if check and done.returncode != 0:
        raise LabError("%s: exit code %d\n%s%s" % (
            shlex.join(argv), done.returncode, done.stdout, done.stderr))
    return done


def sh(argv, **kwargs):
    """run(), but returns standard output only."""
    return run(argv, **kwargs).stdout


def ip_batch(netns, lines):
    """Many `ip` commands in one process; stops at the first that fails."""
    argv = ["ip"] + (["-n", netns] if netns else []) + ["-batch", "-"]
    done = run(argv, check=False, input="\n".join(lines) + "\n")
    if done.returncode != 0:
        raise LabError("ip -batch in %s: %s\n%s" % (
            netns or "the machine's own namespace", done.stderr.strip(),
            "\n".join(lines)))


def in_netns(netns, function):
    """Calls `function` on a thread that has moved into a namespace: sockets
    that it opens, and /proc/sys/net as it sees it, belong there."""
    import ctypes
    result = []

    def body():
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            fd = os.open("%s/%s" % (NETNS_DIR, netns), os.O_RDONLY)
            try:
                if libc.setns(fd, 0x40000000) != 0:  # CLONE_NEWNET
                    number = ctypes.get_errno()
                    raise OSError(number, os.strerror(number), netns)
            finally:
                os.close(fd)
            result.append((True, function()))
        except BaseException as error:  # handed to the caller below
            result.append((False, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    good, value = result[0]
    if not good:
        raise value
    return value


def sysctl(netns, settings):
    """Writes net.* settings (a dict) inside a namespace."""
    def write():
        for key, value in settings.items():
            path = "/proc/sys/" + key.replace(".", "/")
            if os.path.exists(path):
                with open(path, "w") as f:
                    f.write(str(value))
    in_netns(netns, write)


def start_ticks(pid):
    """The start time of a process in clock ticks since boot, which together
    with its ID names it for ever; None if there is no such process."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


class Process:
    """A process that the lab started and stops by its own process ID.

    It runs in the foreground in a session of its own, with its output in
    `log`, so a Ctrl-C at the terminal reaches only the lab."""

    def __init__(self, lab, name, argv, netns=None, env=None, log=None,
                 stdin=subprocess.DEVNULL, stdout=None):
        self.lab = lab
        self.name = name
        self.argv = [str(a) for a in argv]
        self.netns = netns
        self.log = log or os.path.join(lab.dir, name + ".log")
        full_env = dict(os.environ)
        full_env.update(env or {})
        with open(self.log, "ab") as out:
            self.popen = subprocess.Popen(
                netns_argv(netns, self.argv), stdin=stdin,
                stdout=stdout or out, stderr=out, env=full_env,
                start_new_session=True)
        self.pid = self.popen.pid
        lab._started(self)

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.alive():
            self.popen.send_signal(number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        return self.wait(5)

    def stop(self, timeout=5.0):
        """SIGTERM, then SIGKILL at the deadline.  Returns the exit code."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            return self.wait(timeout)
        except LabError:
            self.lab.note("%s ignores SIGTERM for %g s" % (self.name, timeout))
            return self.kill()

    def wait(self, timeout):
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise LabError("%s (process %d) does not end within %g s"
                           % (self.name, self.pid, timeout))
        self.lab._ended(self)
        return code

    def require(self):
        """Raises with the end of the log if the process has ended."""
        if not self.alive():
            raise ProcessEnded("%s ended with code %s:\n%s" % (
                self.name, self.popen.returncode, self.tail()))

    def tail(self, count=15):
        try:
            with open(self.log, errors="replace") as f:
                return "".join(f.readlines()[-count:])
        except OSError:
            return ""


class Lab:
    """Everything made during one test, demo or measurement.

        with Lab() as lab:
            h1, h2 = lab.hosts("h1", "h2")
    """

    _count = 0

    def __init__(self, underlay_mtu=1600, create_br_int=False, verbose=False,
                 keep=None):
        """`underlay_mtu`: of the wire between hosts.  `create_br_int`: the lab
        makes br-int itself (its own self-test; otherwise tollwayd does).
        `keep`: directory that logs are copied to before teardown."""
        Lab._count += 1
        serial = "" if Lab._count == 1 else "x%d" % Lab._count
        self.prefix = "tw%d%s-" % (os.getpid(), serial)
        self.underlay_mtu = underlay_mtu
        self.create_br_int = create_br_int
        self.verbose = verbose
        self.keep = keep
        self.dir = tempfile.mkdtemp(prefix=self.prefix, dir="/tmp")
        os.chmod(self.dir, 0o755)
        self.processes = []         # in the order of their start
        self.netns_names = []       # full names, in the order of their birth
        self.paths = []             # directories outside self.dir
        self.undo = []              # callables, run first and in reverse
        self.notes = []
        self.measured = []          # lines for the report of a test
        self._lock = threading.RLock()
        self._closed = False
        self._saved_signals = {}
        self._t0 = now()
        self._switch = None
        self._host_count = 0
        self._fresh_db = None
        self._journal = open(os.path.join(self.dir, "journal"), "w",
                             buffering=1)
        self._start_reaper()
        atexit.register(self.close)

    # Life and death.

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                self._saved_signals[number] = signal.signal(
                    number, self._on_signal)
        return self

    def __exit__(self, *exc_info):
        self.close()

    @staticmethod
    def _on_signal(number, frame):
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def _start_reaper(self):
        # The watcher holds the read end of this pipe; when the write end goes
        # without the word "done" having been said, the lab died.
        read_end, self._reaper_pipe = os.pipe()
        self._reaper = subprocess.Popen(
            [PYTHON, "-I", "-S", os.path.join(HERE, "reaper.py"), self.dir],
            stdin=read_end, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(read_end)

    def close(self):
        """Takes everything down, in reverse.  Harmless when repeated."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        block = threading.current_thread() is threading.main_thread()
        if block:
            old_mask = signal.pthread_sigmask(
                signal.SIG_BLOCK,
                {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
        try:
            self._teardown()
        finally:
            for number, handler in self._saved_signals.items():
                signal.signal(number, handler)
            if block:
                signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)
            atexit.unregister(self.close)

    def _teardown(self):
        for function in reversed(self.undo):
            try:
                function()
            except Exception as error:  # teardown goes on whatever happens
                self.note("teardown: %s" % error)
        if self.keep:
            self.save_logs(self.keep)
        processes = list(reversed(self.processes))
        for process in processes:
            process.signal(signal.SIGKILL)
        for process in processes:
            try:
                process.wait(5)
            except LabError as error:
                self.note("teardown: %s" % error)
        kill_strangers(self.netns_names)
        for name in reversed(self.netns_names):
            run(["ip", "netns", "del", name], check=False)
        for path in self.paths:
            shutil.rmtree(path, ignore_errors=True)
        self._journal.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        try:
            os.write(self._reaper_pipe, b"done")
        except OSError:
            pass
        os.close(self._reaper_pipe)
        self._reaper.wait()

    def save_logs(self, directory):
        """Copies all logs and configurations (not sockets) to a directory."""
        os.makedirs(directory, exist_ok=True)
        for top, _, files in os.walk(self.dir):
            for name in files:
                path = os.path.join(top, name)
                relative = os.path.relpath(path, self.dir).replace("/", "_")
                if os.path.isfile(path):
                    shutil.copy(path, os.path.join(directory, relative))
        with open(os.path.join(directory, "lab.notes"), "w") as f:
            f.write("".join("%8.3f %s\n" % n for n in self.notes))

    # Records.

    def _started(self, process):
        with self._lock:
            self._journal.write("pid %d %s\n" % (
                process.pid, start_ticks(process.pid)))
            self.processes.append(process)

    def _ended(self, process):
        with self._lock:
            if process in self.processes:
                self.processes.remove(process)

    def measure(self, text, *values):
        """A line that is printed with the test's result."""
        self.measured.append(text % values if values else text)

    def note(self, text):
        """Remembers what happened when, for the logs of a failed test."""
        at = now() - self._t0
        self.notes.append((at, text))
        if self.verbose:
            print("%8.3f %s" % (at, text), file=sys.stderr, flush=True)

    # Making things.

    def netns(self, name, forwarding=False):
        """Makes a namespace, with IPv6 off and loopback up; returns its full
        name."""
        full = self.prefix + name
        with self._lock:
            self._journal.write("netns %s\n" % full)
            self.netns_names.append(full)
        run(["ip", "netns", "add", full])
        sysctl(full, {
            "net.ipv6.conf.all.disable_ipv6": 1,
            "net.ipv6.conf.default.disable_ipv6": 1,
            "net.ipv4.ip_forward": 1 if forwarding else 0,
            "net.ipv4.conf.all.rp_filter": 0,
            "net.ipv4.conf.default.rp_filter": 0,
            "net.ipv4.conf.all.send_redirects": 0,
            "net.ipv4.conf.default.send_redirects": 0,
            "net.ipv4.conf.all.accept_redirects": 0,
            "net.ipv4.conf.default.accept_redirects": 0,
            "net.ipv4.icmp_ratelimit": 0,
            "net.ipv4.fib_multipath_hash_policy": 1,
        })
        ip_batch(full, ["link set lo up"])
        return full

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def outside_path(self, path):
        """Records a directory outside the lab's own, for removal."""
        with self._lock:
            self._journal.write("path %s\n" % path)
            self.paths.append(path)
        return path

    def parallel(self, *functions):
        """Runs functions side by side; returns their results in order, or
        raises the first error after all have ended."""
        with concurrent.futures.ThreadPoolExecutor(len(functions) or 1) as pool:
            futures = [pool.submit(f) for f in functions]
        return [f.result() for f in futures]

    @property
    def switch(self):
        """The namespace in which the lab's Ethernet segments live."""
        with self._lock:
            if self._switch is None:
                self._switch = self.netns("sw")
            return self._switch

    def fresh_vswitch_db(self, path):
        """A new Open_vSwitch database file (made once, then copied)."""
        with self._lock:
            if self._fresh_db is None:
                self._fresh_db = self.path("vswitch.db")
                run(["ovsdb-tool", "create", self._fresh_db,
                     "/usr/share/openvswitch/vswitch.ovsschema"])
        shutil.copy(self._fresh_db, path)

    def hosts(self, *names):
        """Hosts, started side by side."""
        from .host import Host
        hosts = [Host(self, name) for name in names]
        self.switch
        self.parallel(*[h.start for h in hosts])
        return hosts


def unix_accepts(path):
    """True if somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(1)
        s.connect(path)
        return True


def kill_strangers(netns_names):
    """SIGKILL for whatever still runs in our own namespaces (a ping that a
    test left, for instance).  Nothing else can be in them."""
    inodes = set()
    for name in netns_names:
        try:
            inodes.add(os.stat("%s/%s" % (NETNS_DIR, name)).st_ino)
        except OSError:
            pass
    if not inodes:
        return
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                if os.stat("/proc/%s/ns/net" % entry).st_ino in inodes:
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                pass
