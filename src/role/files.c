/*
 * A files worker: one tree behind its doors. It may read what is served and nothing
 * else; leases, the database and other clients' business are not its own. What must be
 * generated is asked of the core.
 */
#include "role/files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "io/net.h"
#include "ipc/sealed.h"
#include "policy/loader.h"
#include "role/files_disk.h"
#include "role/files_made.h"
#include "role/role.h"
#include "sandbox/sandbox.h"

enum {
        SANDBOX_PATHS_MAX = 256,
        INTERFACES_MAX = 32,
        REQUESTS_MAX = 4096,
        TOLD_MAX = 1000,
        CERTIFICATE_MAX = 1 << 20
};

static const nsec_t generate_patience = 3 * NSEC_PER_SEC;

/* A client that waits for something to be generated. */
struct request {
        struct list link; /* in the order of their deadlines */
        struct files *files;
        uint64_t ticket;
        nsec_t deadline;
        files_generated_fn fn;
        void *userdata;
        char *path;
        ip4_t client, server;
        struct vtree_file *source; /* that the core wants to know, being read */
        struct files_wait wait;
        bool was_told; /* and it has been told */
};

struct files {
        struct role *role;
        struct vtree *tree;
        struct files_disk *disk;
        struct ipc_channel *core, *library;
        struct files_tftp *tftp;
        struct files_http *http;
        struct files_ftp *ftp;
        struct files_nfs *nfs;
        struct net_interface interfaces[INTERFACES_MAX];
        size_t n_interfaces;
        struct list requests;
        size_t n_requests;
        uint64_t next_ticket;
        struct loop_timer *timer;
        nsec_t telling_since; /* events of a second, told and not */
        uint64_t n_told, n_untold;
};

struct loop *files_loop(struct files *files) {
        return files->role->loop;
}

struct files_disk *files_disk(struct files *files) {
        return files->disk;
}

/* What came by one wake of the loop is answered as of one moment. */
struct vtree *files_tree(struct files *files) {
        vtree_set_moment(files->tree, loop_wake(files->role->loop));
        return files->tree;
}

const struct conf *files_conf(struct files *files) {
        return files->role->conf;
}

ip4_t files_server_of(struct files *files, ip4_t local, struct ip6 local6) {
        for (size_t i = 0; local == 0 && i < files->n_interfaces; i++)
                if (net_has_six(&files->interfaces[i], local6))
                        return files->interfaces[i].address;
        return local;
}

static void tell_thinned(struct files *files) {
        struct event thinned = { .kind = EVENT_EVENTS_THINNED,
                                 .values = { EVENT_U64(files->n_untold),
                                             EVENT_U64(TOLD_MAX),
                                             EVENT_TEXT("file") } };

        if (files->n_untold > 0)
                role_event(files->core, &thinned);
}

/* A storm of small files must not keep the core busy with telling about it. */
void files_event(struct files *files, struct event *event) {
        nsec_t now = loop_wake(files->role->loop);

        if (!files->core)
                return;
        if (now - files->telling_since >= NSEC_PER_SEC) {
                tell_thinned(files);
                files->telling_since = now;
                files->n_told = files->n_untold = 0;
        }
        if (files->n_told >= TOLD_MAX && event_level(event->kind) <= EVENT_INFO) {
                files->n_untold++;
                return;
        }
        files->n_told++;
        role_event(files->core, event);
}

/* ---- generated files ---- */

static void arm(struct files *files) {
        nsec_t due = NSEC_NEVER;

        if (!list_is_empty(&files->requests))
                due = CONTAINER_OF(files->requests.next, struct request, link)
                              ->deadline;
        loop_timer_set(files->timer, due);
}

static void forget(struct files *files, struct request *request) {
        list_remove(&request->link);
        files->n_requests--;
        files_wait_cancel(&request->wait);
        vtree_file_unref(request->source);
        free(request->path);
        free(request);
}

static void finish(struct files *files, struct request *request, int answer,
                   struct vtree_file *file) {
        files_generated_fn fn = request->fn;
        void *userdata = request->userdata;

        forget(files, request);
        fn(answer, file, userdata);
}

static void on_timer(void *userdata) {
        struct files *files = userdata;

        while (!list_is_empty(&files->requests)) {
                struct request *first =
                        CONTAINER_OF(files->requests.next, struct request, link);

                if (first->deadline > loop_now())
                        break;
                finish(files, first, -ETIMEDOUT, NULL);
        }
        arm(files);
}

static int ask(struct files *files, const struct request *request, const void *tail,
               size_t n_tail) {
        struct ipc_generate body = { .ticket = request->ticket,
                                     .client = request->client,
                                     .server = request->server };

        return ipc_send(files->core, IPC_GENERATE, &body, tail, n_tail, NULL, 0);
}

static void on_source_is_here(int answer, void *userdata);

int64_t files_generate(struct files *files, const char *path, ip4_t client,
                       ip4_t server, files_generated_fn fn, void *userdata) {
        struct request *request;
        int r;

        if (files->n_requests == REQUESTS_MAX)
                return -ENOBUFS;
        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        *request = (struct request){ .ticket = ++files->next_ticket,
                                     .deadline = loop_now() + generate_patience,
                                     .fn = fn,
                                     .userdata = userdata,
                                     .path = strdup(path),
                                     .client = client,
                                     .server = server,
                                     .files = files };
        files_wait_init(&request->wait, on_source_is_here, request);
        r = request->path ? ask(files, request, request->path, strlen(path)) : -ENOMEM;
        if (r < 0) {
                free(request->path);
                free(request);
                return r;
        }
        list_append(&files->requests, &request->link);
        files->n_requests++;
        arm(files);
        return (int64_t)request->ticket;
}

static struct request *find(struct files *files, uint64_t ticket) {
        LIST_FOR_EACH(pos, &files->requests)
        if (CONTAINER_OF(pos, struct request, link)->ticket == ticket)
                return CONTAINER_OF(pos, struct request, link);
        return NULL;
}

void files_generate_cancel(struct files *files, int64_t ticket) {
        struct request *request = find(files, (uint64_t)ticket);

        if (request)
                forget(files, request);
        arm(files);
}

/* The path again, and behind it what the file holds; or it is waited for. */
static void tell_source(struct request *request) {
        struct files *files = request->files;
        uint64_t n = min_u64(request->source->size, IPC_SOURCE_MAX);
        struct text tail = { 0 };
        uint8_t *content = malloc(n + 1);
        int64_t r = content ? files_disk_read(files->disk, request->source, 0, content,
                                              n, &request->wait)
                            : -ENOMEM;

        if (r >= 0) {
                text_add(&tail, request->path);
                text_char(&tail, '\0');
                text_bytes(&tail, content, (size_t)r);
                request->was_told = true;
                r = tail.failed ? -ENOMEM : ask(files, request, tail.s, tail.n);
        }
        text_done(&tail);
        free(content);
        if (r < 0 && r != -EAGAIN)
                finish(files, request, (int)r, NULL);
}

static void on_source_is_here(int answer, void *userdata) {
        struct request *request = userdata;
        struct files *files = request->files;

        if (answer < 0)
                finish(files, request, answer, NULL);
        else
                tell_source(request);
        arm(files);
}

static void find_source(struct request *request, const struct ipc_message *message) {
        char path[PATH_MAX_BYTES];
        int r = VTREE_NOT_FOUND;

        if (!request->was_told && !request->source &&
            path_clean((const char *)message->tail, message->n_tail, path) == PATH_OK)
                r = files_made_open(request->files->tree, path, &request->source);
        if (r == VTREE_OK && request->source->is_folder)
                r = VTREE_NOT_FOUND;
        if (r == VTREE_OK)
                tell_source(request);
        else
                finish(request->files, request, r, NULL);
}

static void on_generated(struct files *files, const struct ipc_message *message) {
        const struct ipc_generated *answer = message->body;
        struct request *request = find(files, answer->ticket);
        struct vtree_file *file = NULL;
        int fd, r;

        if (!request)
                return; /* too late, or cancelled */
        if (answer->found == IPC_FOUND_SOURCE) {
                find_source(request, message);
        } else if (answer->found == IPC_FOUND_NOTHING || message->n_fds != 1) {
                finish(files, request, VTREE_NOT_FOUND, NULL);
        } else {
                fd = message->fds[0];
                message->fds[0] = -1;
                r = answer->found == IPC_FOUND_PIECES
                            ? files_made(files->tree, request->path, fd, message->tail,
                                         message->n_tail, &file)
                            : vtree_file_from_fd(fd, request->path, &file);
                /* What a piece may not be is no more for this client to know. */
                finish(files, request, r > VTREE_OK ? VTREE_NOT_FOUND : r, file);
        }
        arm(files);
}

/* ---- peers ---- */

static void add_medium(struct files *files, const struct ipc_message *message) {
        const struct ipc_medium *medium = message->body;
        char name[sizeof(medium->name)];
        int r;

        if (message->n_fds != 2)
                return;
        memcpy(name, medium->name, sizeof(name));
        name[sizeof(name) - 1] = '\0';
        r = vtree_add_medium(files->tree, medium->id, name, medium->is_tree != 0,
                             message->fds[0], message->fds[1]);
        message->fds[0] = message->fds[1] = -1;
        (void)r; /* a medium that cannot be added is simply not there */
}

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct files *files = userdata;

        switch (message->kind) {
        case IPC_NONE:
                if (channel == files->core)
                        files->core = NULL;
                if (channel == files->library)
                        files->library = NULL;
                ipc_channel_free(channel);
                break;
        case IPC_GENERATED:
                on_generated(files, message);
                break;
        case IPC_MEDIUM:
                add_medium(files, message);
                break;
        case IPC_MEDIUM_GONE:
                vtree_remove_medium(files->tree,
                                    ((const struct ipc_medium *)message->body)->id);
                break;
        case IPC_MEDIA_SETTLED:
                files_nfs_settled(files->nfs);
                break;
        default:
                break;
        }
}

static void on_peer(struct files *files, const struct ipc_message *message) {
        const struct ipc_peer *peer = message->body;
        struct ipc_channel **slot = peer->role == IPC_CORE      ? &files->core
                                    : peer->role == IPC_LIBRARY ? &files->library
                                                                : NULL;

        if (!slot || message->n_fds != 1)
                return;
        *slot = ipc_channel_free(*slot);
        if (ipc_channel_new(files->role->loop, message->fds[0], on_message, files,
                            slot) < 0)
                *slot = NULL;
        message->fds[0] = -1;
}

/* ---- from the parent ---- */

static unsigned nfs_kind(uint32_t door) {
        return (door == IPC_DOOR_NFS_UDP || door == IPC_DOOR_PORTMAP_UDP ? FILES_NFS_UDP
                                                                         : 0) |
               (door == IPC_DOOR_PORTMAP || door == IPC_DOOR_PORTMAP_UDP
                        ? FILES_NFS_PORTMAP
                        : 0);
}

static bool is_nfs(uint32_t door) {
        return door >= IPC_DOOR_NFS && door <= IPC_DOOR_PORTMAP_UDP;
}

static void on_socket(struct files *files, const struct ipc_message *message) {
        const struct ipc_socket *socket = message->body;
        int fd, r = -EINVAL;

        if (message->n_fds != 1)
                return;
        fd = message->fds[0];
        message->fds[0] = -1;
        if (socket->door == IPC_DOOR_TFTP)
                r = files_tftp_listen(files->tftp, fd);
        else if (socket->door == IPC_DOOR_HTTP)
                r = files_http_listen(files->http, fd, false);
        else if (socket->door == IPC_DOOR_HTTPS)
                r = files_http_listen(files->http, fd, true);
        else if (socket->door == IPC_DOOR_FTP)
                r = files_ftp_listen(files->ftp, fd);
        else if (is_nfs(socket->door))
                r = files_nfs_listen(files->nfs, nfs_kind(socket->door),
                                     socket->address, fd);
        else if (socket->door == IPC_DOOR_LOG)
                files_http_log(files->http, fd);
        else
                close(fd);
        (void)r; /* the door owns the descriptor, also when it fails */
}

static void on_socket_gone(struct files *files, const struct ipc_message *message) {
        const struct ipc_socket *socket = message->body;
        struct udp_endpoint at = ipc_socket_at(socket);

        if (socket->door == IPC_DOOR_TFTP)
                files_tftp_unlisten(files->tftp, at);
        else if (socket->door == IPC_DOOR_HTTP || socket->door == IPC_DOOR_HTTPS)
                files_http_unlisten(files->http, at);
        else if (socket->door == IPC_DOOR_FTP)
                files_ftp_unlisten(files->ftp, at);
        else if (is_nfs(socket->door))
                files_nfs_unlisten(files->nfs, nfs_kind(socket->door), at);
}

static void on_interfaces(struct files *files, const struct ipc_message *message) {
        size_t n = min_size(message->n_tail / sizeof(struct net_interface),
                            INTERFACES_MAX);

        if (n > 0)
                memcpy(files->interfaces, message->tail,
                       n * sizeof(struct net_interface));
        files->n_interfaces = n;
}

/* The parent has looked at it: a failure here is of memory. */
static void on_certificate(struct files *files, const struct ipc_message *message) {
        const struct ipc_certificate *body = message->body;
        struct sealed chain = { 0 }, key = { 0 };
        struct tls_server *tls = NULL;
        struct text why = { 0 };

        if (message->n_fds == 2 &&
            sealed_open(message->fds[0], CERTIFICATE_MAX, &chain) == 0 &&
            sealed_open(message->fds[1], CERTIFICATE_MAX, &key) == 0 &&
            tls_server_new(chain.data, chain.n, key.data, key.n, body->tickets,
                           tls_kernel_has(), &tls, &why) == 0)
                files_http_certify(files->http, tls);
        sealed_done(&chain);
        sealed_done(&key);
        text_done(&why);
}

static void on_nfs_key(struct files *files, const struct ipc_message *message) {
        int r = -EINVAL;

        if (message->n_tail == SIPHASH_KEY)
                r = files_nfs_key(files->nfs, message->tail);
        (void)r; /* a worker without memory for it gives no answers by NFS */
}

static void files_message(struct role *role, const struct ipc_message *message) {
        struct files *files = role->userdata;

        if (message->kind == IPC_PEER)
                on_peer(files, message);
        else if (message->kind == IPC_SOCKET)
                on_socket(files, message);
        else if (message->kind == IPC_CERTIFICATE)
                on_certificate(files, message);
        else if (message->kind == IPC_NFS_KEY)
                on_nfs_key(files, message);
        else if (message->kind == IPC_SOCKET_GONE)
                on_socket_gone(files, message);
        else if (message->kind == IPC_INTERFACES)
                on_interfaces(files, message);
}

/* The authority of our own certificate, for machines to enrol; which is in no folder
 * that is served. `name` in the tree, `file` below the state folder. */
static const struct {
        const char *name, *file;
} authority_files[] = {
        { "bootjack-ca.cer", "ca.cer" },
        { "bootjack-ca.pem", "ca.pem" },
};

static const char *authority_path(const struct files *files, size_t i) {
        static char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/tls/%s", files->role->conf->state,
                 authority_files[i].file);
        return path;
}

static bool has_authority(const struct files *files) {
        const struct conf *conf = files->role->conf;

        return conf->https.port != 0 && conf->https.certificate[0] == '\0';
}

static int fill_tree(struct files *files) {
        const struct role *role = files->role;
        int r = 0, root;

        if (role->conf->root[0]) {
                root = open(role_path(role, role->conf->root),
                            O_PATH | O_DIRECTORY | O_CLOEXEC);
                vtree_set_root(files->tree, root);
        }
        for (size_t i = 0; i < role->conf->loaders.n && r == 0; i++)
                r = vtree_add_folder(files->tree,
                                     role_path(role, role->conf->loaders.items[i]));
        for (size_t i = 0; i < policy_n_files && r == 0; i++)
                r = vtree_add_file(files->tree, policy_files[i].name,
                                   policy_files[i].host_path);
        for (size_t i = 0; i < ARRAY_SIZE(authority_files) && r == 0; i++)
                if (has_authority(files))
                        r = vtree_add_file(files->tree, authority_files[i].name,
                                           authority_path(files, i));
        return r;
}

static int files_start(struct role *role) {
        struct files *files = calloc(1, sizeof(*files));
        int r;

        if (!files)
                return -ENOMEM;
        role->userdata = files;
        files->role = role;
        list_init(&files->requests);
        r = vtree_new(&files->tree);
        if (r == 0)
                r = loop_timer_new(role->loop, on_timer, files, &files->timer);
        if (r == 0)
                r = files_disk_new(role->loop, &files->disk);
        if (r == 0)
                r = files_tftp_new(files, &files->tftp);
        if (r == 0)
                r = files_http_new(files, &files->http);
        if (r == 0)
                r = files_ftp_new(files, &files->ftp);
        if (r == 0)
                r = files_nfs_new(files, &files->nfs);
        return r;
}

static size_t add_path(struct sandbox_path *paths, size_t n, const char *path) {
        if (path[0] && n < SANDBOX_PATHS_MAX)
                paths[n++] = (struct sandbox_path){ path, SANDBOX_READ };
        return n;
}

/* Data connections of FTP are made here: to its clients, and at ports for them. */
static int enter_sandbox(const struct conf *conf, const struct sandbox_path *paths,
                         size_t n) {
        struct udp_ports passive = files_ftp_ports(conf);
        struct sandbox_ports ports = { passive.first, passive.last };

        return conf->ftp.port ? sandbox_enter_with_ports(paths, n, ports)
                              : sandbox_enter(paths, n);
}

static int files_go(struct role *role) {
        struct files *files = role->userdata;
        struct sandbox_path paths[SANDBOX_PATHS_MAX];
        char authority[ARRAY_SIZE(authority_files)][PATH_MAX];
        size_t n = 0;
        int r = fill_tree(files);

        if (r < 0)
                return r;
        for (size_t i = 0; i < role->n_folders; i++)
                n = add_path(paths, n, role->folders[i].reachable);
        n = add_path(paths, n, role->conf->root);
        for (size_t i = 0; i < role->conf->media.n; i++)
                n = add_path(paths, n, role->conf->media.items[i]);
        for (size_t i = 0; policy_places[i]; i++)
                n = add_path(paths, n, policy_places[i]);
        for (size_t i = 0; i < ARRAY_SIZE(authority_files); i++) {
                snprintf(authority[i], sizeof(authority[i]), "%s",
                         authority_path(files, i));
                if (has_authority(files))
                        n = add_path(paths, n, authority[i]);
        }
        r = enter_sandbox(role->conf, paths, n);
        return r < 0 ? r : 0;
}

static void files_reconfigured(struct role *role, const struct conf *old) {
        /* The doors ask files_conf() each time. */
}

static void files_stop(struct role *role) {
        struct files *files = role->userdata;

        files_tftp_free(files->tftp);
        files_http_free(files->http);
        files_ftp_free(files->ftp);
        files_nfs_free(files->nfs);
        LIST_FOR_EACH(pos, &files->requests)
        forget(files, CONTAINER_OF(pos, struct request, link));
        ipc_channel_free(files->core);
        ipc_channel_free(files->library);
        loop_timer_free(files->timer);
        files_disk_free(files->disk);
        vtree_free(files->tree);
        free(files);
}

const struct role_methods files_methods = {
        .start = files_start,
        .message = files_message,
        .go = files_go,
        .reconfigured = files_reconfigured,
        .stop = files_stop,
};
