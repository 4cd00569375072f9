/*
 * What the HTTP door finds for a request, and what it tells about it. A folder is
 * listed up to a bound, of which there are not too many at a time; what is made for the
 * client is asked of the core.
 */
#include "role/files_http.h"

#include <stdlib.h>
#include <string.h>

#include "proto/http_listing.h"

enum {
        STARTED_TOLD_FROM = 1 << 20, /* installers fetch thousands of small files */
        LISTED_MAX = 20000,
        LISTINGS_BYTES_MAX = 64 << 20, /* of all that are on their way */
};

static const nsec_t progress_every = 250 * NSEC_PER_MSEC;

const char *http_door_name(const struct connection *c) {
        return c->tls ? "https" : "http";
}

static uint64_t rate_of(uint64_t bytes, nsec_t took) {
        uint64_t usec = max_u64(took / NSEC_PER_USEC, 1);

        return bytes > UINT64_MAX / 1000000 ? bytes / usec * 1000000
                                            : bytes * 1000000 / usec;
}

void http_tell_refused(struct files_http *door, const char *name,
                       const struct udp_endpoint *client, const char *file,
                       const char *why, const char *nearest) {
        struct event e = { .kind = EVENT_FILE_REFUSED,
                           .address = client->address,
                           .address6 = client->address6,
                           .values = { EVENT_TEXT(name), EVENT_TEXT(file),
                                       EVENT_TEXT(why) } };

        if (nearest)
                e.values[3] = (struct event_value)EVENT_TEXT(nearest);
        files_event(door->files, &e);
}

void http_tell_started(struct connection *c) {
        if (c->is_sending)
                return;
        c->is_sending = true;
        c->started = c->progress_told = loop_now();
        if (c->http.left < STARTED_TOLD_FROM)
                return;
        files_event(
                c->door->files,
                &(struct event){
                        .kind = EVENT_FILE_STARTED,
                        .address = c->peer.address,
                        .address6 = c->peer.address6,
                        .values = { EVENT_TEXT(http_door_name(c)),
                                    EVENT_TEXT(c->http.path), EVENT_BYTES(c->http.left),
                                    EVENT_TEXT(c->http.status == 206 ? ", a part"
                                                                     : "") } });
}

void http_tell_progress(struct connection *c, nsec_t now) {
        uint64_t sent = c->http.body_sent;

        if (c->file->size < STARTED_TOLD_FROM ||
            now - c->progress_told < progress_every)
                return;
        c->progress_told = now;
        files_event(
                c->door->files,
                &(struct event){
                        .kind = EVENT_FILE_PROGRESS,
                        .address = c->peer.address,
                        .address6 = c->peer.address6,
                        .values = { EVENT_TEXT(http_door_name(c)),
                                    EVENT_TEXT(c->http.path), EVENT_BYTES(sent),
                                    EVENT_BYTES(sent + c->http.left),
                                    EVENT_RATE(rate_of(sent, now - c->started)) } });
}

void http_tell_done(struct connection *c) {
        const struct http_request *r = &c->http.request;
        nsec_t took = loop_now() - c->started;
        struct text agent = { 0 };

        if (r->user_agent.n)
                text_printable(&agent, (const char *)r->user_agent.data,
                               r->user_agent.n);
        files_event(c->door->files,
                    &(struct event){
                            .kind = EVENT_FILE_DONE,
                            .address = c->peer.address,
                            .address6 = c->peer.address6,
                            .values = { EVENT_TEXT(http_door_name(c)),
                                        EVENT_TEXT(c->http.path),
                                        EVENT_BYTES(c->http.body_sent),
                                        EVENT_DURATION(took),
                                        EVENT_RATE(rate_of(c->http.body_sent, took)),
                                        { .type = EVENT_TYPE_NONE },
                                        EVENT_TEXT(text_string(&agent)) } });
        text_done(&agent);
}

void http_tell_failed(struct connection *c, const char *why) {
        files_event(c->door->files,
                    &(struct event){ .kind = EVENT_FILE_FAILED,
                                     .address = c->peer.address,
                                     .address6 = c->peer.address6,
                                     .values = { EVENT_TEXT(http_door_name(c)),
                                                 EVENT_TEXT(c->http.path),
                                                 EVENT_BYTES(c->http.body_sent),
                                                 EVENT_TEXT(why) } });
}

void http_tell_refused_here(struct connection *c) {
        const struct http_request *r = &c->http.request;
        struct span s = r->target.n ? r->target : r->line;
        struct text asked = { 0 };

        if (s.n)
                text_printable(&asked, (const char *)s.data, s.n);
        http_tell_refused(c->door, http_door_name(c), &c->peer, text_string(&asked),
                          c->http.why, NULL);
        text_done(&asked);
}

void http_forget_listing(struct connection *c) {
        c->door->n_listings_bytes -= c->n_listing_bytes;
        c->n_listing_bytes = 0;
}

static void answer_nothing(struct connection *c, unsigned status, const char *why,
                           const char *nearest) {
        struct text body = { 0 };

        text_add(&body, why);
        text_add(&body, ": ");
        text_char(&body, '/');
        text_add(&body, c->http.path);
        if (nearest) {
                text_add(&body, " (nearest: /");
                text_add(&body, nearest);
                text_char(&body, ')');
        }
        http_tell_refused(c->door, http_door_name(c), &c->peer, c->http.path, why,
                          nearest);
        http_connection_answer(&c->http,
                               &(struct http_found){ .kind = HTTP_FOUND_NOTHING,
                                                     .status = status,
                                                     .text = text_string(&body) },
                               now_of(c), realtime_of(c));
        text_done(&body);
}

struct listing {
        struct text page;
};

static void list_entry(const struct vtree_entry *entry, void *userdata) {
        struct listing *l = userdata;

        http_listing_entry(&l->page, entry->name, entry->is_folder, entry->size,
                           entry->mtime);
}

static void answer_listing(struct connection *c, const char *path) {
        struct listing l = { 0 };
        bool is_cut = false;

        if (!files_conf(c->door->files)->http.index) {
                answer_nothing(c, 403, "folders are not listed here (http.index)",
                               NULL);
                return;
        }
        if (c->door->n_listings_bytes > LISTINGS_BYTES_MAX) {
                answer_nothing(c, 503, "too many long listings are on their way", NULL);
                return;
        }
        http_listing_begin(&l.page, c->http.path);
        if (vtree_list_some(files_tree(c->door->files), path, LISTED_MAX, list_entry,
                            &l, &is_cut) != VTREE_OK)
                l.page.failed = true;
        http_listing_end(&l.page, is_cut ? LISTED_MAX : 0);
        if (l.page.failed)
                answer_nothing(c, 500, "the folder could not be listed", NULL);
        else
                http_connection_answer(
                        &c->http,
                        &(struct http_found){ .kind = HTTP_FOUND_LISTING,
                                              .text = text_string(&l.page) },
                        now_of(c), realtime_of(c));
        c->n_listing_bytes = c->http.out.n;
        c->door->n_listings_bytes += c->n_listing_bytes;
        text_done(&l.page);
}

/* Takes the file over. `path` is where it was found, which http.root may have moved. */
static void answer_found(struct connection *c, struct vtree_file *file,
                         const char *path, bool is_generated) {
        struct http_found found = { .kind = HTTP_FOUND_FILE,
                                    .size = file->size,
                                    .etag = file->etag,
                                    .mtime = file->mtime,
                                    .is_generated =
                                            is_generated && file->n_pieces == 0 };

        if (file->is_folder && c->http.has_slash) {
                vtree_file_unref(file);
                answer_listing(c, path);
                return;
        }
        if (file->is_folder) {
                found.kind = HTTP_FOUND_FOLDER;
                vtree_file_unref(file);
        } else if (c->http.has_slash) {
                vtree_file_unref(file);
                answer_nothing(c, 404, "not a folder", NULL);
                return;
        } else {
                c->file = file;
        }
        http_connection_answer(&c->http, &found, now_of(c), realtime_of(c));
}

static void on_generated(int answer, struct vtree_file *file, void *userdata) {
        struct connection *c = userdata;

        c->ticket = -1;
        if (answer == VTREE_OK)
                answer_found(c, file, c->http.path, true);
        else if (answer == VTREE_NOT_FOUND)
                answer_nothing(c, 404, "not found", NULL);
        else
                answer_nothing(c, 504, "the server did not make this file in time",
                               NULL);
        http_run(c);
}

/* A query goes with what is ours alone; it is in no log, as there may be a password in
 * it. */
static void generate(struct connection *c) {
        const struct span *query = &c->http.request.query;
        struct text path = { 0 };

        text_add(&path, c->http.path);
        if (query->n > 0 && strncmp(c->http.path, "bootjack/", 9) == 0) {
                text_char(&path, '?');
                text_bytes(&path, query->data, query->n);
        }
        c->ticket = files_generate(
                c->door->files, text_string(&path), c->peer.address,
                files_server_of(c->door->files, c->local.address, c->local.address6),
                on_generated, c);
        text_done(&path);
        if (c->ticket < 0) {
                c->ticket = -1;
                answer_nothing(c, 503, "the server cannot make this file now", NULL);
        }
}

static void answer_missing(struct connection *c) {
        char nearest[PATH_MAX_BYTES];
        bool has_nearest =
                vtree_nearest(files_tree(c->door->files), c->http.path, nearest) &&
                strcmp(nearest, c->http.path) != 0;

        answer_nothing(c, 404, "not found", has_nearest ? nearest : NULL);
}

void http_look_up(struct connection *c) {
        char moved[PATH_MAX_BYTES];
        const char *path = c->http.path;
        struct vtree_file *file;
        int found = vtree_open(files_tree(c->door->files), path, &file);

        if (found == VTREE_NOT_FOUND) {
                found = vtree_open_below(files_tree(c->door->files),
                                         files_conf(c->door->files)->http.root,
                                         c->http.path, moved, &file);
                path = moved;
        }
        if (found == VTREE_OK)
                answer_found(c, file, path, false);
        else if (found == VTREE_GENERATED)
                generate(c);
        else if (found == VTREE_NOT_FOUND)
                answer_missing(c);
        else if (found == VTREE_REFUSED)
                answer_nothing(c, 403, "it leads out of the tree, or is no file", NULL);
        else if (found == VTREE_UNREADABLE)
                answer_nothing(c, 403, "the server may not read it", NULL);
        else
                answer_nothing(c, 503, "the server is out of memory or descriptors",
                               NULL);
}
