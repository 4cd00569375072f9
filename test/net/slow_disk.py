"""A disk whose reads can be held up: a file system of this process, by the kernel's FUSE
protocol, of which it speaks just enough to be read. Only root can mount it.

What the protocol's numbers mean is in the kernel's include/uapi/linux/fuse.h.
"""
import ctypes
import errno
import mmap
import os
import pathlib
import select
import stat
import struct
import subprocess
import threading
import time

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS = 1, 2, 3, 14, 15, 17
RELEASE, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR = 18, 25, 26, 27, 28, 29
ACCESS, INTERRUPT, BATCH_FORGET = 34, 36, 42
READ_ONLY, NO_SUID, DETACH = 1, 2, 2

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                      ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def is_possible():
    return os.geteuid() == 0 and os.path.exists("/dev/fuse")


class SlowDisk:
    """A folder with these files, {name: bytes}. hold(NAME) holds up the reads of one
    until let_go(); fail(NAME) answers them with EIO."""

    def __init__(self, path, files):
        self.path = pathlib.Path(path)
        self.names = list(files)
        self.files = list(files.values())
        self.held, self.failing = set(), set()
        self.parked = []  # of reads: (unique, number, offset, size)
        self.lock = threading.Condition()
        self.born = int(time.time()) - 3600

    def __enter__(self):
        self.fd = os.open("/dev/fuse", os.O_RDWR)
        options = (f"fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other,"
                   "default_permissions").encode()
        if libc.mount(b"slow", os.fsencode(self.path), b"fuse", READ_ONLY | NO_SUID,
                      options) != 0:
            raise OSError(ctypes.get_errno(), "mount")
        self.stopping, self.told = os.pipe()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        with self.lock:
            self.held.clear()
            self.release()
        libc.umount2(os.fsencode(self.path), DETACH)
        os.write(self.told, b"x")
        self.thread.join(10)
        for fd in (self.fd, self.stopping, self.told):
            os.close(fd)

    # ---- for the test ----

    def hold(self, name):
        with self.lock:
            self.held.add(self.names.index(name))

    def let_go(self):
        with self.lock:
            self.held.clear()
            self.release()

    def fail(self, name):
        with self.lock:
            self.failing.add(self.names.index(name))
            self.held.clear()
            self.release()

    def wait_for_parked(self, seconds=20):
        """Until a read is held up."""
        with self.lock:
            assert self.lock.wait_for(lambda: self.parked, seconds), "nobody reads"

    def forget(self, name):
        """The kernel's copy of it goes."""
        with open(self.path / name, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    # ---- the protocol ----

    def answer(self, unique, data=b"", error=0):
        packet = struct.pack("<IiQ", 16 + len(data), -error, unique) + data
        try:
            os.write(self.fd, packet)
        except OSError:
            pass  # it was interrupted, or unmounted

    def release(self):
        for read in self.parked:
            self.answer_read(*read)
        self.parked = []

    def answer_read(self, unique, number, offset, size):
        if number in self.failing:
            self.answer(unique, error=errno.EIO)
        else:
            self.answer(unique, self.files[number][offset:offset + size])

    def attributes(self, node):
        is_folder = node == 1
        size = 0 if is_folder else len(self.files[node - 2])
        mode = (stat.S_IFDIR | 0o755) if is_folder else (stat.S_IFREG | 0o644)
        return struct.pack("<6Q10I", node, size, (size + 511) // 512, *[self.born] * 3,
                           0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def folder(self, offset, size):
        out = b""
        for i, name in list(enumerate(self.names))[offset:]:
            entry = struct.pack("<QQII", i + 2, i + 1, len(name), 8) + name.encode()
            entry += b"\0" * (-len(entry) % 8)
            if len(out) + len(entry) > size:
                break
            out += entry
        return out

    def on_request(self, opcode, unique, node, body):
        if opcode == INIT:
            self.answer(unique, struct.pack("<4I2H2I2H8I", 7, 31, 131072, 0, 64, 48,
                                            131072, 1, 0, 0, *[0] * 8))
        elif opcode == LOOKUP:
            name = body.split(b"\0")[0].decode()
            if name not in self.names:
                self.answer(unique, error=errno.ENOENT)
                return
            node = self.names.index(name) + 2
            self.answer(unique, struct.pack("<4Q2I", node, 0, 3600, 3600, 0, 0) +
                        self.attributes(node))
        elif opcode == GETATTR:
            self.answer(unique, struct.pack("<Q2I", 3600, 0, 0) + self.attributes(node))
        elif opcode in (OPEN, OPENDIR):
            self.answer(unique, struct.pack("<Q2I", 0, 2 if opcode == OPEN else 0, 0))
        elif opcode in (READ, READDIR):
            offset, size = struct.unpack_from("<QI", body, 8)
            if opcode == READDIR:
                self.answer(unique, self.folder(offset, size))
                return
            with self.lock:
                if node - 2 in self.held:
                    self.parked.append((unique, node - 2, offset, size))
                    self.lock.notify_all()
                    return
            self.answer_read(unique, node - 2, offset, size)
        elif opcode == STATFS:
            self.answer(unique, struct.pack("<5Q4I6I", *[0] * 5, 4096, 255, 4096, 0,
                                            *[0] * 6))
        elif opcode in (RELEASE, RELEASEDIR, FLUSH, ACCESS):
            self.answer(unique)
        elif opcode == INTERRUPT:
            (which,) = struct.unpack_from("<Q", body)
            with self.lock:
                for read in [r for r in self.parked if r[0] == which]:
                    self.parked.remove(read)
                    self.answer(which, error=errno.EINTR)
        elif opcode not in (FORGET, BATCH_FORGET):
            self.answer(unique, error=errno.ENOSYS)

    def serve(self):
        while True:
            ready, _, _ = select.select([self.fd, self.stopping], [], [])
            if self.stopping in ready:
                return
            try:
                request = os.read(self.fd, 1 << 18)
            except OSError:
                return  # unmounted
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            self.on_request(opcode, unique, node, request[40:])


class SlowBlocks:
    """The same below a real file system: ext4 on a loop device on such a disk. Here the
    kernel knows whether a read would wait. What is not to wait has to be read before."""

    def __init__(self, folder, files):
        folder = pathlib.Path(folder)
        self.below, self.path = folder / "below", folder / "slow"
        tree = folder / "tree"
        for made in (self.below, self.path, tree):
            made.mkdir(exist_ok=True)
        for name, data in files.items():
            (tree / name).write_bytes(data)
        image = folder / "disk.img"
        size = sum(map(len, files.values())) + (16 << 20)
        with open(image, "wb") as out:
            out.truncate(size)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d",
                        tree, image], check=True)
        self.names = list(files)
        self.locked = []
        self.disk = SlowDisk(self.below, {"disk.img": image.read_bytes()})

    def __enter__(self):
        self.disk.__enter__()
        try:
            subprocess.run(["mount", "-o", "loop,ro,noload", self.below / "disk.img",
                            self.path], check=True, capture_output=True)
        except BaseException:
            self.disk.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.disk.let_go()
        for address, length in self.locked:
            libc.munmap(address, length)
        subprocess.run(["umount", "-l", self.path], check=False)
        self.disk.__exit__()

    def hold(self, name):
        for other in self.names:  # into memory, names and all
            (self.path / other).read_bytes()
            if other != name:
                self.lock(other)
        self.forget(name)
        self.disk.hold("disk.img")

    def lock(self, name):
        """What is not to wait must not be taken out of memory meanwhile, either."""
        with open(self.path / name, "rb") as file:
            length = os.fstat(file.fileno()).st_size
            address = libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED,
                                file.fileno(), 0)
        assert libc.mlock(address, length) == 0, os.strerror(ctypes.get_errno())
        self.locked.append((address, length))

    def forget(self, name):
        with open(self.path / name, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.disk.forget("disk.img")

    def let_go(self):
        self.disk.let_go()

    def fail(self, unused):
        self.disk.fail("disk.img")

    def wait_for_parked(self, seconds=20):
        self.disk.wait_for_parked(seconds)
