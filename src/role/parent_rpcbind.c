/*
 * A port mapper that runs on this host already has port 111, for NFS of the host's own,
 * say. Then ours stays closed and NFS is registered with that one (RFC 1833 3.1), as by
 * any other server. It believes who comes by the loopback from a low port.
 *
 * Asked and waited for right here: the answer comes from this host, or not at all, and
 * nobody is served by this process.
 */
#include <poll.h>
#include <unistd.h>

#include "io/udp.h"
#include "role/parent.h"
#include "wire/nfs3.h"
#include "wire/portmap.h"

enum { LOOPBACK = 0x7f000001, PATIENCE_MS = 500, ANSWERS_MAX = 8, XID = 0x626a };

static const struct udp_ports low_ports = { 600, 1023 };

/* True when it was answered with yes. */
static bool ask(int fd, uint32_t xid, uint32_t procedure,
                const struct portmap_mapping *mapping) {
        struct pollfd polled = { .fd = fd, .events = POLLIN };
        uint8_t out[128], in[128];
        size_t n = portmap_build_call(out, sizeof(out), xid, procedure, mapping);
        uint32_t answer = 0;

        if (n == 0 || write(fd, out, n) != (ssize_t)n)
                return false;
        for (int i = 0; i < ANSWERS_MAX && poll(&polled, 1, PATIENCE_MS) > 0; i++) {
                int got = udp_recv_one(fd, in, sizeof(in));

                if (got < 0 && got != -EAGAIN)
                        return false;
                if (got > 0 && portmap_parse_answer(in, (size_t)got, xid, &answer))
                        return answer != 0;
        }
        return false;
}

static const uint32_t programs[] = { NFS3_PROGRAM, NFS3_MOUNT_PROGRAM };

static int open_mapper(const struct parent *parent, int *ret) {
        const struct udp_endpoint mapper = { .address = LOOPBACK,
                                             .port = parent->conf->nfs.portmap };

        return udp_connect((struct udp_endpoint){ .address = LOOPBACK }, low_ports,
                           mapper, ret);
}

static bool register_all(int fd, uint16_t port) {
        static const uint32_t protocols[] = { PORTMAP_TCP, PORTMAP_UDP };
        bool done = true;
        uint32_t xid = XID;

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                struct portmap_mapping m = { programs[i], 3, 0, port };

                (void)ask(fd, xid++, PORTMAP_UNSET, &m); /* of one that was killed */
                for (size_t j = 0; j < ARRAY_SIZE(protocols) && done; j++) {
                        m.protocol = protocols[j];
                        done = ask(fd, xid++, PORTMAP_SET, &m);
                }
        }
        return done;
}

int parent_register_nfs(struct parent *parent) {
        struct event event = { .kind = EVENT_DOOR_REGISTERED };
        uint16_t port = parent->conf->nfs.port;
        int fd, r;

        if (parent->registered == port)
                return 0;
        r = open_mapper(parent, &fd);
        if (r < 0)
                return r;
        r = register_all(fd, port) ? 0 : -ECONNREFUSED;
        close(fd);
        if (r < 0)
                return r;
        parent->registered = port;
        event.values[0] = (struct event_value)EVENT_U64(parent->conf->nfs.portmap);
        parent_event(parent, &event);
        return 0;
}

void parent_unregister_nfs(struct parent *parent) {
        int fd;

        if (parent->registered == 0 || open_mapper(parent, &fd) < 0)
                return;
        for (uint32_t i = 0; i < ARRAY_SIZE(programs); i++)
                (void)ask(fd, XID + i, PORTMAP_UNSET,
                          &(struct portmap_mapping){ programs[i], 3, 0, 0 });
        close(fd);
        parent->registered = 0;
}
