#pragma once
/*
 * What the doors of a files worker share: its tree, its loop, and the way to the
 * core for generated files and events.
 */
#include "base/event.h"
#include "base/siphash.h"
#include "conf/conf.h"
#include "io/loop.h"
#include "io/tls.h"
#include "io/udp.h"
#include "vtree/vtree.h"

struct files; /* the role */

struct loop *files_loop(struct files *files);
struct vtree *files_tree(struct files *files);
const struct conf *files_conf(struct files *files); /* changes at a reload */
struct files_disk *files_disk(struct files *files); /* role/files_disk.h */

/* Our address for what is said in a made file: this one, or for a client of IPv6 that
 * of IPv4 on the same interface; 0 when there is none. */
ip4_t files_server_of(struct files *files, ip4_t local, struct ip6 local6);

/* Stamps and sends an event to the core. */
void files_event(struct files *files, struct event *event);

/* `path` may have a query behind a '?', which is for the core alone.
 * `answer` is VTREE_OK with a file (the callee takes the reference), VTREE_NOT_FOUND,
 * or -ETIMEDOUT when the core did not answer; never called from within the request.
 * Returns a ticket for files_generate_cancel(), or -errno. */
typedef void (*files_generated_fn)(int answer, struct vtree_file *file, void *userdata);
int64_t files_generate(struct files *files, const char *path, ip4_t client,
                       ip4_t server, files_generated_fn fn, void *userdata);
/* After this fn is not called any more. */
void files_generate_cancel(struct files *files, int64_t ticket);

/* The doors. Each owns the listening descriptors it is given. */
struct files_tftp;
MUST_USE int files_tftp_new(struct files *files, struct files_tftp **ret);
struct files_tftp *files_tftp_free(struct files_tftp *door);
MUST_USE int files_tftp_listen(struct files_tftp *door, int fd);
/* Closes those bound to `at`; what came in by them goes on. */
void files_tftp_unlisten(struct files_tftp *door, struct udp_endpoint at);

struct files_nfs;
enum files_nfs_socket { FILES_NFS_UDP = 1, FILES_NFS_PORTMAP = 2 }; /* a mask */
MUST_USE int files_nfs_new(struct files *files, struct files_nfs **ret);
struct files_nfs *files_nfs_free(struct files_nfs *door);
/* `local`: the address that it is bound to. */
MUST_USE int files_nfs_listen(struct files_nfs *door, unsigned kind, ip4_t local,
                              int fd);
void files_nfs_unlisten(struct files_nfs *door, unsigned kind, struct udp_endpoint at);
/* Handles are made and known by this key; without one nobody is answered. */
MUST_USE int files_nfs_key(struct files_nfs *door,
                           const uint8_t key[static SIPHASH_KEY]);
/* All media that there are have been told. */
void files_nfs_settled(struct files_nfs *door);

struct files_ftp;
MUST_USE int files_ftp_new(struct files *files, struct files_ftp **ret);
struct files_ftp *files_ftp_free(struct files_ftp *door);
MUST_USE int files_ftp_listen(struct files_ftp *door, int fd);
void files_ftp_unlisten(struct files_ftp *door, struct udp_endpoint at);
/* Where passive data connections are listened for. */
struct udp_ports files_ftp_ports(const struct conf *conf);

struct files_http;
MUST_USE int files_http_new(struct files *files, struct files_http **ret);
struct files_http *files_http_free(struct files_http *door);
MUST_USE int files_http_listen(struct files_http *door, int fd, bool is_tls);
/* Taken over; connections go on with the one that they began with. */
void files_http_certify(struct files_http *door, struct tls_server *tls);
void files_http_unlisten(struct files_http *door, struct udp_endpoint at);
/* Every answered request becomes a line in the combined format. `fd` (append-only) is
 * taken over and replaces the one before; -1: no log. */
void files_http_log(struct files_http *door, int fd);
