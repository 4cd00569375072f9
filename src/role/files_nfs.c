/*
 * The NFS door, with its port mapper, by TCP and UDP: what proto/nfs3_server answers,
 * done with sockets and files. Here are the calls and what is told of them.
 *
 * A connection has one call in work at a time. Its reply leaves before the next call is
 * read, the bytes of a long one by sendfile, so that a client who takes nothing holds a
 * head and a place, for a minute. UDP answers at once or not at all: who got nothing
 * asks again.
 */
#include "role/files_nfs.h"

#include <stdlib.h>
#include <string.h>

enum { STARTED_TOLD_FROM = 1 << 20 };

/* ---- events ---- */

void nfs_tell_refused(struct files_nfs *door, ip4_t client, const char *what,
                      const char *why) {
        files_event(door->files,
                    &(struct event){ .kind = EVENT_FILE_REFUSED,
                                     .address = client,
                                     .values = { EVENT_TEXT("nfs"), EVENT_TEXT(what),
                                                 EVENT_TEXT(why) } });
}

static void tell_started(struct files_nfs *door, ip4_t client,
                         const struct nfs3_reply *reply) {
        if (reply->size >= STARTED_TOLD_FROM)
                files_event(door->files,
                            &(struct event){ .kind = EVENT_FILE_STARTED,
                                             .address = client,
                                             .values = { EVENT_TEXT("nfs"),
                                                         EVENT_TEXT(reply->path),
                                                         EVENT_BYTES(reply->size),
                                                         EVENT_TEXT("") } });
}

static void tell_done(struct files_nfs *door, const struct nfs_transfer *t,
                      const struct nfs3_reply *reply) {
        nsec_t took = max_u64(loop_now() - t->started, NSEC_PER_USEC);
        uint64_t rate =
                (uint64_t)((double)t->n_read * (double)NSEC_PER_SEC / (double)took);

        files_event(door->files,
                    &(struct event){
                            .kind = EVENT_FILE_DONE,
                            .address = t->client,
                            .values = { EVENT_TEXT("nfs"), EVENT_TEXT(reply->path),
                                        EVENT_BYTES(t->n_read), EVENT_DURATION(took),
                                        EVENT_RATE(rate) } });
}

/* A live system reads its file in thousands of pieces, again and again: the first one
 * and the end of a whole reading are told. */
static void on_read(struct files_nfs *door, ip4_t client,
                    const struct nfs3_reply *reply) {
        struct nfs_transfer *t = &door->transfers[(reply->id ^ client) % NFS_TRANSFERS];

        if (t->client != client || t->id != reply->id) {
                *t = (struct nfs_transfer){ .client = client,
                                            .id = reply->id,
                                            .started = loop_now() };
                tell_started(door, client, reply);
        }
        t->n_read += reply->n_file;
        if (t->is_told || reply->offset + reply->n_file < reply->size ||
            t->n_read < reply->size)
                return;
        t->is_told = true;
        tell_done(door, t, reply);
}

/* Who mounts begins anew: a machine that boots again is told again. */
static void on_mounted(struct files_nfs *door, ip4_t client, const char *path) {
        for (size_t i = 0; i < NFS_TRANSFERS; i++)
                if (door->transfers[i].client == client)
                        door->transfers[i] = (struct nfs_transfer){ 0 };
        files_event(door->files, &(struct event){ .kind = EVENT_FOLDER_MOUNTED,
                                                  .address = client,
                                                  .values = { EVENT_TEXT("nfs"),
                                                              EVENT_TEXT(path) } });
}

void nfs_tell(struct files_nfs *door, ip4_t client, const struct nfs3_reply *reply) {
        switch (reply->told) {
        case NFS3_TOLD_NOTHING:
                break;
        case NFS3_TOLD_READ:
                on_read(door, client, reply);
                break;
        case NFS3_TOLD_MOUNT:
                on_mounted(door, client, reply->path);
                break;
        case NFS3_TOLD_REFUSED:
                nfs_tell_refused(door, client, reply->path, reply->why);
                break;
        }
}

/* ---- calls ---- */

enum nfs3_outcome nfs_call(struct files_nfs *door, enum nfs3_door kind, bool is_tcp,
                           ip4_t client, ip4_t local, const uint8_t *data, size_t n,
                           struct nfs3_reply *ret) {
        const struct conf *conf = files_conf(door->files);
        struct nfs_asker asker = { door->tree, client, local };
        const struct nfs3_request request = { .door = kind,
                                              .is_tcp = is_tcp,
                                              .local = local,
                                              .port = conf->nfs.port,
                                              .portmap_port = conf->nfs.portmap,
                                              .now = loop_now(),
                                              .asker = &asker };

        if (!door->server)
                return NFS3_NO_REPLY;
        return nfs3_server_call(door->server, &request, data, n, door->buffer + 4, ret);
}

int64_t nfs_copy_file(struct files_nfs *door, const struct nfs3_reply *reply,
                      struct files_wait *wait) {
        uint8_t *at = door->buffer + 4 + reply->n_head;
        size_t n = nfs3_reply_size(reply);
        int64_t got;

        if (reply->n_file == 0)
                return (int64_t)n;
        got = files_disk_read(files_disk(door->files), reply->file, reply->offset, at,
                              reply->n_file, wait);
        if (got < 0)
                return got;
        /* What was written over meanwhile must not be mixed with what was there. */
        if ((size_t)got != reply->n_file || !vtree_file_is_unchanged(reply->file))
                return -ESTALE;
        memset(at + got, 0, n - reply->n_head - (size_t)got);
        return (int64_t)n;
}

/* ---- the door ---- */

/* Something was made: who waits for it or for something else is put again. */
static void on_made(void *userdata) {
        nfs_udp_made(userdata);
        nfs_tcp_made(userdata);
}

int files_nfs_new(struct files *files, struct files_nfs **ret) {
        struct files_nfs *door = calloc(1, sizeof(*door));
        int r;

        if (!door)
                return -ENOMEM;
        door->files = files;
        list_init(&door->connections);
        files_sources_init(&door->sources);
        r = files_listen_init(&door->listen, files, &nfs_tcp_methods, door);
        if (r == 0)
                r = nfs_udp_new(door);
        if (r == 0)
                r = nfs_tree_new(files, on_made, door, &door->tree);
        if (r < 0) {
                files_nfs_free(door);
                return r;
        }
        *ret = door;
        return 0;
}

struct files_nfs *files_nfs_free(struct files_nfs *door) {
        if (!door)
                return NULL;
        nfs_tcp_done(door);
        files_listen_done(&door->listen);
        nfs_udp_done(door);
        files_sources_done(&door->sources);
        nfs3_server_free(door->server);
        nfs_tree_free(door->tree);
        free(door);
        return NULL;
}

int files_nfs_key(struct files_nfs *door, const uint8_t key[static SIPHASH_KEY]) {
        struct nfs3_server_config config = { .tree = nfs_tree_methods };

        memcpy(config.key, key, sizeof(config.key));
        door->server = nfs3_server_free(door->server);
        return nfs3_server_new(&config, &door->server);
}

void files_nfs_settled(struct files_nfs *door) {
        nfs_tree_settled(door->tree);
}

int files_nfs_listen(struct files_nfs *door, unsigned kind, ip4_t local, int fd) {
        enum nfs3_door is =
                kind & FILES_NFS_PORTMAP ? NFS3_DOOR_PORTMAP : NFS3_DOOR_NFS;

        return kind & FILES_NFS_UDP ? nfs_udp_listen(door, is, local, fd)
                                    : files_listen_add(&door->listen, is, fd);
}

void files_nfs_unlisten(struct files_nfs *door, unsigned kind, struct udp_endpoint at) {
        if (kind & FILES_NFS_UDP)
                nfs_udp_unlisten(door, at);
        else
                files_listen_remove(&door->listen, at);
}
