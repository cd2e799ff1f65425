# SPDX-License-Identifier: MIT
"""Memory runs out, for the tests: system calls in which one allocation of the
kernel, the n-th, fails. Needs a kernel with fault injection and failnth.so,
which programs.sh builds.
"""
import ctypes
import os
import time

import genl

DEBUGFS = "/sys/kernel/debug"
MOST = 3000     # allocations that a system call is believed to make
SLOW = int(os.environ.get("CLB_SLOW", "1"))
SENDTO, RECVFROM, WRITE = 44, 45, 1


def prepare():
    """All allocations may fail; a report of each would look like a splat."""
    for knob, value in (("failslab/verbose", 0),
                        ("failslab/ignore-gfp-wait", 0),
                        ("fail_page_alloc/verbose", 0),
                        ("fail_page_alloc/ignore-gfp-wait", 0),
                        ("fail_page_alloc/ignore-gfp-highmem", 0),
                        ("fail_page_alloc/min-order", 0)):
        with open(f"{DEBUGFS}/{knob}", "w", encoding="ascii") as file:
            file.write(str(value))


class Fault:
    """In with a count: which allocation of the calls to come fails. left: what
    is left of it; 0: an allocation has failed.
    """
    library = None

    def __init__(self, nth=0):
        if not Fault.library:
            Fault.library = ctypes.CDLL(os.environ["FAIL_NTH_SO"])
        # not kept over a fork: the file stands for the thread that opened it
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
        self.arguments = (ctypes.c_long * 6)()
        self.nth = ctypes.c_int(nth)

    def arm(self, nth):
        self.nth.value = nth

    @property
    def left(self):
        return self.nth.value

    def call(self, number, *arguments):
        for index, value in enumerate(arguments):
            self.arguments[index] = value
        result = Fault.library.fail_nth_syscall(
            self.file, ctypes.byref(self.nth), ctypes.c_long(number),
            self.arguments)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result


class Genl(genl.Genl):
    """A netlink client of whose system calls one may fail."""
    BUFFER = 1 << 16

    def __init__(self, fault):
        self.fault = fault
        self.buffer = ctypes.create_string_buffer(self.BUFFER)
        super().__init__()

    def transmit(self, data):
        text = ctypes.create_string_buffer(data, len(data))
        self.fault.call(SENDTO, self.sock.fileno(), ctypes.addressof(text),
                        len(data), 0, 0, 0)

    def datagram(self):
        length = self.fault.call(
            RECVFROM, self.sock.fileno(), ctypes.addressof(self.buffer),
            self.BUFFER, 0, 0, 0)
        return self.buffer.raw[:length]

    def forget(self):
        """What is left of an answer that broke off."""
        self.sock.setblocking(False)
        try:
            while True:
                try:
                    self.sock.recv(self.BUFFER)
                except BlockingIOError:
                    return
                except OSError:
                    pass
        finally:
            self.sock.settimeout(self.timeout)


class OfThread:
    """A thread of the kernel, by its name, of which one allocation may fail."""

    def __init__(self, name):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    found = file.read().strip() == name
            except OSError:
                continue    # it has ended
            if found:
                break
        else:
            raise AssertionError(f"no thread {name}")
        self.file = os.open(f"/proc/{pid}/task/{pid}/fail-nth", os.O_RDWR)

    def arm(self, nth):
        os.pwrite(self.file, str(nth).encode(), 0)

    def left(self):
        """What is left of the count; 0: one has failed."""
        return int(os.pread(self.file, 16, 0))

    def disarm(self):
        left = self.left()
        self.arm(0)
        return left


def wait_for(seconds, condition):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def each(try_one):
    """Calls try_one(n) for n = 1, 2... until it says that there are no n
    allocations; how many there were. In two rounds: now and then the kernel
    allocates something more on the way, and the one after that is passed over.
    """
    def one_round():
        for nth in range(1, MOST):
            if try_one(nth):
                return nth - 1
        raise AssertionError(f"no end after {MOST} allocations")
    return max(one_round() for _ in range(2))
