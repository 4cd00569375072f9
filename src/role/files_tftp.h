#pragma once
/*
 * Private to the TFTP door: what the door and its transfers know of each other.
 */
#include "proto/tftp_session.h"
#include "role/files.h"
#include "role/files_disk.h"
#include "role/files_source.h"

enum {
        TFTP_BUFFER = 128 * 1024, /* at least one block with its head */
        TFTP_LISTEN_MAX = 256,
};

struct files_tftp {
        struct files *files;
        struct udp_batch *batch;
        struct listener *listeners[TFTP_LISTEN_MAX];
        size_t n_listeners;
        struct list transfers;
        struct list ready; /* of them, at this wake */
        struct loop_after *after;
        size_t n_transfers;
        struct files_sources sources;
        nsec_t drops_since; /* dropped packets are told at a bounded rate */
        unsigned n_drops;
        uint8_t read[TFTP_BUFFER], packets[TFTP_BUFFER];
};

struct transfer {
        struct list in_ready; /* has something to do after this wake */
        struct list in_door, in_source;
        struct files_tftp *door;
        struct files_source *source;
        struct udp_route route;  /* to the client, from the address it asked */
        int listen_fd;           /* where the request came by, for a refusal */
        char *asked_path, *path; /* as asked for, and as the tree has it */
        struct tftp_options asked;
        int64_t ticket; /* of a file that the core still makes; -1: none */
        struct vtree_file *file;
        int fd; /* connected; -1 before the file is there, and with tftp.single-port */
        bool is_shared; /* on the listening socket: its packets come by on_datagram() */
        struct loop_watch *watch;
        nsec_t read_enough; /* the wake in which there may be more in the socket */
        struct loop_timer *timer;
        struct files_wait disk; /* while it waits nothing leaves */
        nsec_t disk_since;
        struct tftp_session session;
        nsec_t started, progress_told;
        nsec_t armed; /* when the timer rings; never later than the session's deadline
                       */
        bool is_announced;
        bool is_text;   /* asked for as netascii */
        uint8_t *chunk; /* room for a head, then n_chunk bytes of the file from chunk_at
                         */
        uint64_t chunk_at;
        uint64_t chunk_from; /* what lies before in it is spoilt */
        size_t n_chunk, chunk_room;
};

/* One datagram to the listening socket, with what answers it. */
struct request {
        struct listener *listener;
        int fd; /* the listener's */
        const struct udp_received *datagram;
        struct udp_route back; /* to who sent it */
        struct files_source *source;
        nsec_t now;
};

/* ---- the transfers ---- */

MUST_USE int tftp_transfer_new(struct files_tftp *door, const struct request *r,
                               const struct tftp_packet *p, const char *asked_path,
                               const char *path, struct transfer **ret);
struct transfer *tftp_transfer_free(struct transfer *t);
/* Takes the file over; sends the first packet, or refuses and frees the transfer. */
void tftp_transfer_start(struct transfer *t, struct vtree_file *file);
/* Carries out actions until the session waits; frees the transfer at its end. */
void tftp_transfer_run(struct transfer *t);
/* What its own socket holds, for the session; tftp_transfer_run() comes later. */
void tftp_transfer_take_packets(struct transfer *t);
/* Answers with an error, tells, and frees. */
void tftp_transfer_refuse(struct transfer *t, enum tftp_error error,
                          const char *message);
void tftp_transfer_tell_progress(struct transfer *t, nsec_t now);
void tftp_transfer_tell_failed(struct transfer *t, const char *why);

/* ---- the door ---- */

void tftp_send_error(int fd, const struct udp_route *route, enum tftp_error error,
                     const char *message);
void tftp_tell_refused(struct files_tftp *door, const struct udp_endpoint *client,
                       const char *file, const char *why, const char *nearest);
