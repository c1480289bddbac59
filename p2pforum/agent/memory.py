"""Memory for secrets: a page that is neither swapped nor dumped, and processes that leave no core.

A best effort with what Linux offers without privileges. It does not stop root, or a debugger that was there
before. Python copies the values it computes with, so only bytes that go from one system call to another
through the page have no second copy.
"""

import ctypes
import mmap
import os
import resource
import sys

KEY_SIZE = 32  # bytes
_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def forbid_dumps() -> None:
    """No core file of this process, no debugger of the same account on it, and no look into /proc/PID/mem.

    It can't be undone. Programs started by exec inherit only the limit on core files.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


class SecretPage:
    """KEY_SIZE bytes in a page of their own. `is_locked`: the system promised never to swap it out."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        libc = ctypes.CDLL(None)
        # Only the page: mlockall() would count every later allocation against a limit of some MiB.
        self.is_locked = libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE)) == 0
        for advice in ("MADV_DONTDUMP", "MADV_DONTFORK"):
            if hasattr(mmap, advice):
                self._page.madvise(getattr(mmap, advice))

    def fill_from(self, fd: int) -> None:
        """Read KEY_SIZE bytes from a pipe, straight into the page. Raises EOFError if there are fewer."""
        done = 0
        while done < KEY_SIZE:
            with memoryview(self._page) as view, view[done:KEY_SIZE] as rest:
                size = os.readv(fd, [rest])
            if not size:
                raise EOFError
            done += size

    def view(self) -> memoryview:
        """The key without a copy, for one system call. Use it in a `with`, so that it is released."""
        return memoryview(self._page)[:KEY_SIZE]

    def wipe(self) -> None:
        self._page[:] = bytes(mmap.PAGESIZE)
