"""A small NFS client that says exactly what it is told to say, right or wrong."""
import socket
import struct

from conftest import inside

NFS, MOUNT, PORTMAP = 100003, 100005, 100000
(NULL, GETATTR, SETATTR, LOOKUP, ACCESS, READLINK, READ, WRITE, CREATE, MKDIR, SYMLINK,
 MKNOD, REMOVE, RMDIR, RENAME, LINK, READDIR, READDIRPLUS, FSSTAT, FSINFO, PATHCONF,
 COMMIT) = range(22)
OK, NOENT, NOTDIR, ISDIR, INVAL, ROFS, STALE = 0, 2, 20, 21, 22, 30, 70
BADHANDLE, BAD_COOKIE, TOOSMALL, JUKEBOX = 10001, 10003, 10005, 10008
AUTH_NONE = struct.pack("!II", 0, 0)
SERVER = "10.77.0.1"


def opaque(data):
    return struct.pack("!I", len(data)) + data + bytes(-len(data) % 4)


def auth_sys(n_groups=1):
    body = struct.pack("!I", 1) + opaque(b"client") + \
        struct.pack("!III", 0, 0, n_groups) + bytes(4 * n_groups)
    return struct.pack("!I", 1) + opaque(body)


def call(xid, program, version, procedure, arguments=b"", auth=None, rpc=2):
    return struct.pack("!6I", xid, 0, rpc, program, version, procedure) + \
        (auth_sys() if auth is None else auth) + AUTH_NONE + arguments


class Xdr:
    def __init__(self, data):
        self.data, self.at = data, 0

    def u32(self):
        self.at += 4
        return struct.unpack_from("!I", self.data, self.at - 4)[0]

    def u64(self):
        return self.u32() << 32 | self.u32()

    def opaque(self):
        n = self.u32()
        self.at += n + -n % 4
        assert self.at <= len(self.data)
        return self.data[self.at - n - -n % 4:self.at - -n % 4]

    def attributes(self):
        kind, mode, links, _, _ = (self.u32() for _ in range(5))
        size, _, _, _, fileid = (self.u64() for _ in range(5))
        times = [(self.u32(), self.u32()) for _ in range(3)]
        return {"type": kind, "mode": mode, "links": links, "size": size,
                "fileid": fileid, "mtime": times[1]}

    def post_op(self):
        return self.attributes() if self.u32() else None

    def left(self):
        return len(self.data) - self.at


class Refused(Exception):
    """An answer that is no accepted success: (reply_stat, ...)."""


def results(reply, xid):
    x = Xdr(reply)
    assert x.u32() == xid and x.u32() == 1
    if x.u32() != 0:
        raise Refused("denied", x.u32(), x.u32())
    x.u32()
    x.opaque()
    status = x.u32()
    if status:
        raise Refused("accepted", status)
    return x


class Status(Exception):
    pass


class Client:
    """One connection, or one UDP socket."""

    def __init__(self, namespace, port=2049, udp=False, bufsize=None):
        self.xid = 1000
        self.udp = udp
        with inside(namespace):
            kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
            self.sock = socket.socket(socket.AF_INET, kind)
            if bufsize:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, bufsize)
            self.sock.settimeout(20)
            self.sock.connect((SERVER, port))

    def close(self):
        self.sock.close()

    def send(self, data, fragments=1):
        if self.udp:
            self.sock.send(data)
            return
        size = -(-len(data) // fragments)
        pieces = [data[i:i + size] for i in range(0, len(data), size)]
        for i, piece in enumerate(pieces):
            last = (i == len(pieces) - 1) << 31
            self.sock.sendall(struct.pack("!I", last | len(piece)) + piece)

    def exactly(self, n):
        got = b""
        while len(got) < n:
            piece = self.sock.recv(n - len(got))
            assert piece, "the server closed the connection"
            got += piece
        return got

    def reply(self):
        if self.udp:
            return self.sock.recv(65536)
        got = b""
        while True:
            mark, = struct.unpack("!I", self.exactly(4))
            got += self.exactly(mark & 0x7fffffff)
            if mark >> 31:
                return got

    def call(self, program, version, procedure, arguments=b"", fragments=1, **more):
        self.xid += 1
        self.send(call(self.xid, program, version, procedure, arguments, **more),
                  fragments)
        return results(self.reply(), self.xid)

    def nfs(self, procedure, handle, arguments=b"", **more):
        x = self.call(NFS, 3, procedure, opaque(handle) + arguments, **more)
        status = x.u32()
        if status:
            raise Status(status)
        return x

    def mount(self, path):
        x = self.call(MOUNT, 3, 1, opaque(path.encode()))
        status = x.u32()
        if status:
            raise Status(status)
        handle = x.opaque()
        assert [x.u32() for _ in range(x.u32())] == [1, 0]
        return handle

    def lookup(self, folder, name):
        """(handle, attributes)"""
        name = name if isinstance(name, bytes) else name.encode()
        x = self.nfs(LOOKUP, folder, opaque(name))
        handle = x.opaque()
        return handle, x.post_op()

    def walk(self, path, start="/"):
        handle = self.mount(start)
        for name in path.split("/"):
            handle, _ = self.lookup(handle, name)
        return handle

    def getattr(self, handle):
        return self.nfs(GETATTR, handle).attributes()

    def read(self, handle, offset, count):
        """(bytes, eof)"""
        x = self.nfs(READ, handle, struct.pack("!QI", offset, count))
        assert x.post_op()
        n, eof = x.u32(), x.u32()
        data = x.opaque()
        assert len(data) == n and x.left() == 0
        return data, bool(eof)

    def read_all(self, handle, count=1 << 20):
        got, eof = b"", False
        while not eof:
            piece, eof = self.read(handle, len(got), count)
            got += piece
        return got

    def readlink(self, handle):
        x = self.nfs(READLINK, handle)
        assert x.post_op()["type"] == 5
        return x.opaque()

    def page(self, handle, cookie=0, verifier=0, count=4096, plus=False):
        """([(name, fileid, cookie, attributes, handle)], verifier, eof)"""
        arguments = struct.pack("!QQ", cookie, verifier) + \
            (struct.pack("!II", count, count) if plus else struct.pack("!I", count))
        x = self.nfs(READDIRPLUS if plus else READDIR, handle, arguments)
        start = x.at
        assert x.post_op()["type"] == 2
        verifier, entries = x.u64(), []
        while x.u32():
            fileid, name, at = x.u64(), x.opaque(), x.u64()
            attributes = x.post_op() if plus else None
            own = x.opaque() if plus and x.u32() else None
            entries.append((name.decode(), fileid, at, attributes, own))
        eof = bool(x.u32())
        assert x.left() == 0 and x.at - start <= count
        return entries, verifier, eof

    def list(self, handle, count=4096, plus=False):
        found, cookie, verifier, eof = [], 0, 0, False
        while not eof:
            entries, verifier, eof = self.page(handle, cookie, verifier, count, plus)
            found += entries
            cookie = entries[-1][2] if entries else cookie
        return found
