/*
 * NFS by UDP: answered at once, or when what it is about has been made or fetched; of
 * those who wait so there are few, and who got nothing asks again.
 */
#include "role/files_nfs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORTMAP_RATE = 100 /* datagrams a second from one address */ };

struct nfs_socket {
        struct files_nfs *door;
        enum nfs3_door kind;
        int fd;
        ip4_t local;
        struct loop_watch *watch;
};

struct nfs_waiting {
        struct nfs_socket *socket;
        struct files_wait disk;
        struct udp_endpoint peer;
        size_t n;
        uint8_t data[RPC_CALL_MAX];
};

/* False: it has to be put again. */
static bool answer_datagram(struct nfs_socket *socket, const uint8_t *data, size_t n,
                            struct udp_endpoint peer, struct files_wait *wait) {
        struct files_nfs *door = socket->door;
        struct nfs3_reply reply;
        enum nfs3_outcome outcome = nfs_call(door, socket->kind, false, peer.address,
                                             socket->local, data, n, &reply);
        int64_t size;
        int ignored;

        if (outcome == NFS3_WAIT)
                return false;
        if (outcome == NFS3_NO_REPLY)
                return true;
        size = nfs_copy_file(door, &reply, wait);
        vtree_file_unref(reply.file);
        if (size < 0)
                return size != -EAGAIN;
        nfs_tell(door, peer.address, &reply);
        /* A full socket loses it, as the wire may: the client asks again. */
        ignored = udp_send(socket->fd, door->buffer + 4, (size_t)size, peer, 0, 0);
        (void)ignored;
        return true;
}

static void waiting_free(struct files_nfs *door, size_t i) {
        files_wait_cancel(&door->waiting[i]->disk);
        free(door->waiting[i]);
        door->waiting[i] = door->waiting[--door->n_waiting];
}

static void put_datagram_again(struct files_nfs *door, size_t i) {
        struct nfs_waiting *w = door->waiting[i];

        files_wait_cancel(&w->disk);
        if (answer_datagram(w->socket, w->data, w->n, w->peer, &w->disk))
                waiting_free(door, i);
}

/* What the disk could not give is not asked of it for ever: the client asks again. */
static void on_datagram_fetched(int answer, void *userdata) {
        struct nfs_waiting *waiting = userdata;
        struct files_nfs *door = waiting->socket->door;

        for (size_t i = 0; i < door->n_waiting; i++) {
                if (door->waiting[i] != waiting)
                        continue;
                if (answer < 0)
                        waiting_free(door, i);
                else
                        put_datagram_again(door, i);
                return;
        }
}

static void keep_waiting(struct nfs_socket *socket, const struct udp_received *got) {
        struct files_nfs *door = socket->door;
        struct nfs_waiting *waiting;

        if (door->n_waiting == NFS_WAITING_MAX || got->n > RPC_CALL_MAX)
                return;
        waiting = calloc(1, sizeof(*waiting));
        if (!waiting)
                return;
        waiting->socket = socket;
        waiting->peer = got->from;
        waiting->n = got->n;
        memcpy(waiting->data, got->data, got->n);
        files_wait_init(&waiting->disk, on_datagram_fetched, waiting);
        door->waiting[door->n_waiting++] = waiting;
        put_datagram_again(door, door->n_waiting - 1); /* now with who can wait */
}

static bool is_admitted(struct nfs_socket *socket, ip4_t client) {
        struct files_source *source;

        if (socket->kind != NFS3_DOOR_PORTMAP)
                return true;
        source = files_source_get(&socket->door->sources, client, loop_now());
        return source && files_source_admits(source, PORTMAP_RATE, loop_now());
}

static void on_datagrams(int fd, unsigned ready, void *userdata) {
        struct nfs_socket *socket = userdata;
        const struct udp_received *got;
        int n = udp_recv(fd, socket->door->batch, &got);

        for (int i = 0; i < n; i++)
                if (is_admitted(socket, got[i].from.address) &&
                    !answer_datagram(socket, got[i].data, got[i].n, got[i].from, NULL))
                        keep_waiting(socket, &got[i]);
}

void nfs_udp_made(struct files_nfs *door) {
        for (size_t i = door->n_waiting; i > 0; i--)
                put_datagram_again(door, i - 1);
}

/* ---- sockets ---- */

static void socket_free(struct nfs_socket *socket) {
        struct files_nfs *door = socket->door;

        for (size_t i = 0; i < door->n_waiting; i++)
                if (door->waiting[i]->socket == socket)
                        waiting_free(door, i--);
        loop_watch_free(socket->watch);
        close(socket->fd);
        free(socket);
}

int nfs_udp_new(struct files_nfs *door) {
        return udp_batch_new(RPC_CALL_MAX, &door->batch);
}

void nfs_udp_done(struct files_nfs *door) {
        while (door->n_sockets > 0)
                socket_free(door->sockets[--door->n_sockets]);
        door->batch = udp_batch_free(door->batch);
}

int nfs_udp_listen(struct files_nfs *door, enum nfs3_door kind, ip4_t local, int fd) {
        struct nfs_socket *socket =
                door->n_sockets < NFS_SOCKETS_MAX ? calloc(1, sizeof(*socket)) : NULL;
        int r;

        if (!socket) {
                close(fd);
                return door->n_sockets < NFS_SOCKETS_MAX ? -ENOMEM : -ENOSPC;
        }
        *socket = (struct nfs_socket){
                .door = door, .kind = kind, .fd = fd, .local = local
        };
        r = loop_watch_new(files_loop(door->files), fd, LOOP_READABLE, on_datagrams,
                           socket, &socket->watch);
        if (r < 0) {
                socket_free(socket);
                return r;
        }
        door->sockets[door->n_sockets++] = socket;
        return 0;
}

void nfs_udp_unlisten(struct files_nfs *door, struct udp_endpoint at) {
        for (size_t i = 0; i < door->n_sockets; i++) {
                if (!udp_is_bound(door->sockets[i]->fd, at))
                        continue;
                socket_free(door->sockets[i]);
                door->sockets[i--] = door->sockets[--door->n_sockets];
        }
}
