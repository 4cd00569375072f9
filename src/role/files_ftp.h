#pragma once
/*
 * Private to the FTP door: files_ftp.c has the control connections and the turns,
 * files_ftp_data.c the data connections, files_ftp_tree.c what is looked up.
 */
#include <sys/types.h>

#include "base/list.h"
#include "io/udp.h"
#include "proto/ftp_session.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "role/files_listen.h"
#include "role/files_source.h"

struct files_ftp {
        struct files *files;
        struct files_listen listen;
        struct list connections; /* the one that was served longest ago comes first */
        size_t n_connections;
        struct files_sources sources;
};

struct ftp_connection {
        struct list in_door;
        struct files_ftp *door;
        struct files_source *source;
        int fd;
        struct udp_endpoint peer, local;
        struct loop_watch *watch;
        struct loop_timer *timer;
        struct ftp_session ftp;
        int64_t ticket;                /* of a file that the core makes; -1: none */
        int passive, data;             /* -1: none */
        struct loop_watch *data_watch; /* of the one of them that is waited for */
        struct vtree_file *file;       /* that is sent */
        struct files_wait disk;        /* while it waits no byte of it leaves */
        nsec_t held_since;             /* by it; NEVER: it is not */
        uint64_t size;                 /* of what is sent of it */
        nsec_t started, progress_told;
        nsec_t deadline; /* as the timer has it */
};

/* FULL: one of its sockets takes no more, or it waits for something else. */
enum ftp_outcome { FTP_MOVED, FTP_FULL };

/* What a call that moves bytes came to: how many, or -errno. */
static inline int64_t ftp_result_of(ssize_t n) {
        return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

/* Carries out actions until both connections wait; frees it at its end. */
void ftp_run(struct ftp_connection *c);
void ftp_tell_refused(struct files_ftp *door, ip4_t client, const char *file,
                      const char *why, const char *nearest);
/* Once in ten seconds for an address. */
void ftp_tell_rarely(struct ftp_connection *c, const char *why);

void ftp_look_up(struct ftp_connection *c);

void ftp_listen_for_data(struct ftp_connection *c);
void ftp_close_passive(struct ftp_connection *c);
/* Not whole: the client learns that this was not all. */
void ftp_close_data(struct ftp_connection *c, bool is_whole);
/* A step of what the session wants of the data connection. */
enum ftp_outcome ftp_move_data(struct ftp_connection *c, uint64_t *turn);
/* A transfer has ended: closes the data connection and tells of it. */
void ftp_finish_data(struct ftp_connection *c);
/* Calls ftp_run() when it can go on, if there is something to wait for. */
void ftp_watch_data(struct ftp_connection *c);
