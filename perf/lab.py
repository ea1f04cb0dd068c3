# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmarks of whole programs share: huge pages borrowed and given back, programs started
pinned and ended by pid, work counted per CPU second, results written as perf/doc.h has them.

A shared machine gives a program a core for part of the time only. So packets are counted per second of
CPU that the worker's thread had, which the kernel keeps in nanoseconds (schedstat), and programs that
are compared take turns: all run, all but one are stopped (SIGSTOP).
"""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("TG_BUILD", os.path.join(TOP, "build")))
OUT = os.path.join(BUILD, "bench")
WORK = os.path.join(OUT, "work-%d" % os.getpid())
RUNS = int(os.environ.get("TG_BENCH_RUNS", "7"))
CORES = os.cpu_count()
CORE = int(os.environ.get("TG_BENCH_CORE", CORES - 1))
HUGE = "/sys/kernel/mm/hugepages/hugepages-2048kB/"


def tool(name, *args):
    return subprocess.run([os.path.join(BUILD, "perf", name), *map(str, args)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def say(text):
    print(text, flush=True)


def before_others():
    """On a machine that is busy with other work: real-time priority for this program and what it starts,
    for latency by the clock cannot leave out what others take. Returns what holds, for the record."""
    if os.getloadavg()[0] < CORES / 2:
        return "SCHED_OTHER"
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:
        return "SCHED_OTHER"
    return "SCHED_RR"


class Lab:
    """A work folder, huge pages and programs; all gone when the `with` ends, however it ends."""

    def __init__(self, huge_mb):
        self.huge = huge_mb // 2
        self.borrowed = 0
        self.programs = []

    def __enter__(self):
        for sig in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, lambda *_: sys.exit(1))
        os.makedirs(WORK, exist_ok=True)
        if os.geteuid() == 0:
            self._borrow()
        return self

    @staticmethod
    def _read(name):
        with open(HUGE + name, encoding="ascii") as f:
            return int(f.read())

    def _borrow(self):
        before = self._read("nr_hugepages")
        with open(HUGE + "nr_hugepages", "w", encoding="ascii") as f:
            f.write(str(before + self.huge))
        self.borrowed = self._read("nr_hugepages") - before

    @property
    def eal_memory(self):
        """EAL arguments: huge pages where there are enough, else none for all that are compared."""
        if self.borrowed >= self.huge:
            return ["-m", "160", "--in-memory"]
        return ["--no-huge", "-m", "512"]

    @property
    def pages(self):
        return "2 MiB" if self.borrowed >= self.huge else "4 KiB"

    def start(self, name, argv, **kwargs):
        p = Program(name, argv, **kwargs)
        self.programs.append(p)
        return p

    def __exit__(self, *_):
        for p in self.programs:
            p.stop()
        shutil.rmtree(WORK, ignore_errors=True)
        if self.borrowed:
            with open(HUGE + "nr_hugepages", "w", encoding="ascii") as f:
                f.write(str(max(0, self._read("nr_hugepages") - self.borrowed)))


class Program:
    def __init__(self, name, argv, prefix=None, cwd=None):
        self.name, self.prefix = name, prefix
        self.log = os.path.join(WORK, name.replace(" ", "_") + ".log")
        with open(self.log, "wb") as log:
            # testpmd ends at a line on standard input, hence a pipe that stays open.
            self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=cwd,
                                          start_new_session=True)
        self.stopped = self.ended = False

    @property
    def pid(self):
        return self.popen.pid

    def give_up(self, why):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            tail = f.read()[-2000:]
        raise SystemExit("%s: %s\n%s" % (self.name, why, tail))

    def pause(self):
        self.popen.send_signal(signal.SIGSTOP)
        self.stopped = True

    def resume(self):
        self.popen.send_signal(signal.SIGCONT)
        self.stopped = False

    def stop(self):
        if self.ended:
            return  # the pid may be another's by now
        self.ended = True
        if self.popen.poll() is None:
            if self.stopped:
                self.resume()
            self.popen.send_signal(signal.SIGINT)
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        # Children that outlive their parent: the session is theirs alone, its number the program's pid.
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if self.prefix:
            shutil.rmtree("/var/run/dpdk/" + self.prefix, ignore_errors=True)

    def telemetry(self, command):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(5)
            s.connect("/var/run/dpdk/%s/dpdk_telemetry.v2" % self.prefix)
            size = json.loads(s.recv(1024))["max_output_len"]
            s.send(command.encode())
            answer = next(iter(json.loads(s.recv(size)).values()))
            if answer is None:
                self.give_up("no answer to " + command)
            return answer

    def wait_ready(self, seconds=60):
        """Until packets flow: more and more, for net_pcap counts those that it reads in advance."""
        end, seen = time.monotonic() + seconds, None
        while time.monotonic() < end:
            if self.popen.poll() is not None:
                self.give_up("ended with %s" % self.popen.returncode)
            try:
                now = self.packets()
                if seen is not None and now > seen:
                    return self
                seen = now
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.1)
        return self.give_up("no packets after %d s" % seconds)

    def packets(self):
        return self.telemetry("/ethdev/stats,0")["ipackets"]

    def thread_ns(self):
        """CPU time of each thread so far."""
        out = {}
        for tid in os.listdir("/proc/%d/task" % self.pid):
            try:
                with open("/proc/%d/task/%s/schedstat" % (self.pid, tid), encoding="ascii") as f:
                    out[tid] = int(f.read().split()[0])
            except OSError:
                pass
        return out


def rate(program, seconds=1.0, workers=1):
    """Packets per second of CPU a worker, million; and per second by the clock."""
    cpu, packets, clock = program.thread_ns(), program.packets(), time.monotonic()
    time.sleep(seconds)
    packets, clock = program.packets() - packets, time.monotonic() - clock
    after = program.thread_ns()
    busy = sorted((after[t] - cpu.get(t, 0) for t in after), reverse=True)[:workers]
    return packets / (sum(busy) / workers / 1e9) / 1e6, packets / clock / 1e6


def alternate(programs, runs=RUNS, seconds=1.0, workers=None):
    """{name: [rate, ...]} and {name: [rate by the clock, ...]}, each program in turn, others stopped."""
    cpu, clock = {p.name: [] for p in programs}, {p.name: [] for p in programs}
    for p in programs:
        p.pause()
    for run in range(runs + 1):
        for p in programs:
            p.resume()
            time.sleep(0.1)
            a, b = rate(p, seconds if run else 0.3, (workers or {}).get(p.name, 1))
            p.pause()
            if run:
                cpu[p.name].append(a)
                clock[p.name].append(b)
    for p in programs:
        p.resume()
    return cpu, clock


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratio(over, under):
    """The median of the ratios of neighbours in time."""
    return statistics.median(a / b for a, b in zip(over, under))


def first_line(path, key=""):
    try:
        with open(path, encoding="ascii", errors="replace") as f:
            for line in f:
                if line.startswith(key):
                    return line.split(":", 1)[-1].strip()
    except OSError:
        pass
    return ""


def machine():
    cache = "/sys/devices/system/cpu/cpu0/cache/index%d/size"
    return {"cpu": first_line("/proc/cpuinfo", "model name"), "cores": CORES,
            "l1d": first_line(cache % 0), "l2": first_line(cache % 2), "l3": first_line(cache % 3),
            "memory": first_line("/proc/meminfo", "MemTotal"), "kernel": os.uname().release,
            "load_average": os.getloadavg()[0]}


class Doc:
    def __init__(self, name, about):
        self.doc = {"name": name, "machine": machine(), "about": about, "runs": RUNS, "rows": [],
                    "marks": []}

    def row(self, **fields):
        self.doc["rows"].append(fields)

    def mark(self, sense, limit, got, text):
        met = got <= limit if sense == "at most" else got >= limit
        self.doc["marks"].append({"mark": text, "limit": limit, "got": round(got, 4), "sense": sense,
                                  "met": met})
        say("%-7s %-78s %s %g  got %.3g" % ("met" if met else "MISSED", text, sense, limit, got))

    def skip(self, why):
        self.doc["skipped"] = why
        say("%s: skipped: %s" % (self.doc["name"], why))

    def write(self):
        os.makedirs(OUT, exist_ok=True)
        with open(os.path.join(OUT, self.doc["name"] + ".json"), "w", encoding="utf-8") as f:
            json.dump(self.doc, f, indent=1)
