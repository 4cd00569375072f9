/*
 * A load of whole files read by NFS version 3 with libnfs, for so many seconds: open,
 * read in pieces of a megabyte with some under way at a time, close, and again. One
 * JSON object on stdout.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <nfsc/libnfs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"

enum { CLIENTS_MAX = 128, AHEAD = 4, PIECE_MAX = 1 << 20 };

struct client {
        struct nfs_context *nfs;
        struct nfsfh *file;
        uint64_t piece, asked, got;
        unsigned n_asked;
};

static struct client all[CLIENTS_MAX];
static const char *path = "/";
static uint64_t size, n_done, n_bytes, n_failed;

static double clock_seconds(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(struct client *c) {
        fprintf(stderr, "nfs_load: %s\n", nfs_get_error(c->nfs));
        n_failed++;
}

static void begin(struct client *c);

static void on_closed(int status, struct nfs_context *nfs, void *data, void *userdata) {
        if (status < 0)
                fail(userdata);
        n_done++;
        begin(userdata);
}

static void read_ahead(struct client *c);

static void on_read(int status, struct nfs_context *nfs, void *data, void *userdata) {
        struct client *c = userdata;

        c->n_asked--;
        if (status <= 0) {
                fail(c);
                return;
        }
        c->got += (uint64_t)status;
        n_bytes += (uint64_t)status;
        if (c->got < size)
                read_ahead(c);
        else if (nfs_close_async(nfs, c->file, on_closed, c) < 0)
                fail(c);
}

static void read_ahead(struct client *c) {
        while (c->n_asked < AHEAD && c->asked < size) {
                uint64_t n = min_u64(c->piece, size - c->asked);

                if (nfs_pread_async(c->nfs, c->file, c->asked, n, on_read, c) < 0) {
                        fail(c);
                        return;
                }
                c->n_asked++;
                c->asked += n;
        }
}

static void on_opened(int status, struct nfs_context *nfs, void *data, void *userdata) {
        struct client *c = userdata;

        if (status < 0) {
                fail(c);
                return;
        }
        c->file = data;
        c->asked = c->got = 0;
        read_ahead(c);
}

static void begin(struct client *c) {
        if (nfs_open_async(c->nfs, path, O_RDONLY, on_opened, c) < 0)
                fail(c);
}

static int mount(struct client *c, const char *server, const char *export) {
        c->nfs = nfs_init_context();
        if (!c->nfs || nfs_mount(c->nfs, server, export) < 0) {
                fprintf(stderr, "nfs_load: %s: %s\n", export,
                        c->nfs ? nfs_get_error(c->nfs) : "out of memory");
                return -1;
        }
        c->piece = min_u64(nfs_get_readmax(c->nfs), PIECE_MAX);
        return 0;
}

static void serve(int clients, struct pollfd *polled) {
        for (int i = 0; i < clients; i++)
                polled[i] = (struct pollfd){ .fd = nfs_get_fd(all[i].nfs),
                                             .events = (short)nfs_which_events(
                                                     all[i].nfs) };
        if (poll(polled, (nfds_t)clients, 100) < 0)
                return;
        for (int i = 0; i < clients; i++)
                if (polled[i].revents && nfs_service(all[i].nfs, polled[i].revents) < 0)
                        fail(&all[i]);
}

int main(int argc, char **argv) {
        static const struct option flags[] = { { "server", 1, NULL, 's' },
                                               { "export", 1, NULL, 'e' },
                                               { "path", 1, NULL, 'f' },
                                               { "size", 1, NULL, 'n' },
                                               { "clients", 1, NULL, 'c' },
                                               { "seconds", 1, NULL, 'd' },
                                               { 0 } };
        static struct pollfd polled[CLIENTS_MAX];
        const char *server = "", *export = "/";
        double seconds = 2, began, end;
        int clients = 1, c;

        while ((c = getopt_long(argc, argv, "", flags, NULL)) != -1) {
                if (c == 's')
                        server = optarg;
                else if (c == 'e')
                        export = optarg;
                else if (c == 'f')
                        path = optarg;
                else if (c == 'n')
                        size = strtoull(optarg, NULL, 10);
                else if (c == 'c')
                        clients = atoi(optarg);
                else if (c == 'd')
                        seconds = atof(optarg);
                else
                        return 2;
        }
        if (clients < 1 || clients > CLIENTS_MAX || size == 0)
                return 2;
        for (int i = 0; i < clients; i++)
                if (mount(&all[i], server, export) < 0)
                        return 2;
        began = clock_seconds();
        for (int i = 0; i < clients; i++)
                begin(&all[i]);
        do {
                serve(clients, polled);
                end = clock_seconds();
        } while (end - began < seconds && n_failed == 0);
        printf("{\"done\": %lu, \"failed\": %lu, \"seconds\": %.4f, \"mb_per_second\": "
               "%.2f, \"per_second\": %.1f}\n",
               n_done, n_failed, end - began, (double)n_bytes / 1e6 / (end - began),
               (double)n_done / (end - began));
        return 0;
}
