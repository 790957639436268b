"""Waits for what another process does to the files of a folder: the kernel tells, nothing asks again and again."""

import ctypes
import os
import select

IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE = 0x2, 0x40, 0x80, 0x100, 0x200
ANY_CHANGE = IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE

libc = ctypes.CDLL(None, use_errno=True)


def wait_until(condition, folder, process):
    """Returns once the condition holds, which the process brings about by a change in the folder; whether it
    holds, for the process may end first."""
    changes = libc.inotify_init1(os.O_CLOEXEC)
    if changes < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    end = os.pidfd_open(process.pid)
    try:
        if libc.inotify_add_watch(changes, os.fsencode(folder), ANY_CHANGE) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch", str(folder))
        # Looked at after the watch has begun, so that no change falls between the two.
        while not condition():
            ready, _, _ = select.select([changes, end], [], [])
            if changes not in ready:
                return condition()
            os.read(changes, 65536)
        return True
    finally:
        os.close(changes)
        os.close(end)
