#pragma once
/*
 * A client of FTP and the files that it finds, in virtual time: what a session wants
 * done is done at once, unless the world is told to hold it back. Shared by the unit
 * test and the stories.
 */
#include <stdlib.h>

#include "proto/ftp_session.h"

enum { WORLD_PEER = 0x0a000002, WORLD_LOCAL = 0x0a000001, WORLD_PORT = 40000 };

struct world {
        struct ftp_session s;
        nsec_t now;
        struct text control, data; /* what the client got */
        bool has_listener, is_connected, is_closed;
        bool is_port_refused;   /* no port is free, or nobody listens at the client's */
        bool is_client_late;    /* does not make its data connection */
        bool is_generated_late; /* lookups are answered by world_answer() */
        uint64_t reads_most;    /* bytes of data that the client takes; UINT64_MAX */
        uint64_t control_most;  /* the same of its replies */
        unsigned n_transfers, n_connections;
        enum ftp_end last_end;
};

struct world_file {
        const char *path;
        const char *content; /* NULL: a folder */
        nsec_t mtime;
};

static const struct world_file world_files[] = {
        { "", NULL, 0 },
        { "hello.txt", "hello,\nworld\n", (nsec_t)1709211845 * NSEC_PER_SEC },
        { "empty", "", 0 },
        { "pub", NULL, (nsec_t)1709211845 * NSEC_PER_SEC },
        { "pub/a b", "ab", 0 },
        { "pub/c.rpm", "ccc", 0 },
        { "pub/d.rpm", "dddd", 0 },
        { "pub/sub", NULL, 0 },
        { "big", "0123456789abcdefghijklmnopqrstuvwxyz", 0 },
};

static inline const struct world_file *world_find(const char *path) {
        for (size_t i = 0; i < ARRAY_SIZE(world_files); i++)
                if (strcmp(world_files[i].path, path) == 0)
                        return &world_files[i];
        return NULL;
}

static inline bool world_is_in(const char *folder, const char *path) {
        size_t n = strlen(folder);

        if (*path == '\0')
                return false;
        if (n == 0)
                return !strchr(path, '/');
        return strncmp(path, folder, n) == 0 && path[n] == '/' &&
               !strchr(path + n + 1, '/');
}

static inline struct ftp_entry world_entry(const struct world_file *file) {
        const char *slash = strrchr(file->path, '/');

        return (struct ftp_entry){ slash ? slash + 1 : file->path, !file->content,
                                   file->content ? strlen(file->content) : 0,
                                   file->mtime };
}

static inline void world_answer(struct world *w) {
        const struct world_file *file = world_find(w->s.path);
        enum ftp_wants wants = ftp_session_next(&w->s).wants;
        struct ftp_found found = { .kind = FTP_FOUND_NOTHING, .text = "not found" };

        if (file) {
                struct ftp_entry entry = world_entry(file);

                found = (struct ftp_found){ .kind = file->content ? FTP_FOUND_FILE
                                                                  : FTP_FOUND_FOLDER,
                                            .size = entry.size,
                                            .mtime = entry.mtime };
        }
        if (file && file->content)
                found.ascii_size = ftp_ascii_size((const uint8_t *)file->content,
                                                  strlen(file->content));
        for (size_t i = 0; file && !file->content && wants == FTP_WANTS_LIST &&
                           i < ARRAY_SIZE(world_files);
             i++) {
                struct ftp_entry entry = world_entry(&world_files[i]);

                if (world_is_in(file->path, world_files[i].path))
                        ftp_session_list(&w->s, &entry, w->now);
        }
        ftp_session_answer(&w->s, &found, w->now, w->now);
}

static inline bool world_act(struct world *w) {
        struct ftp_action a = ftp_session_next(&w->s);
        size_t n;

        switch (a.kind) {
        case FTP_WAIT:
                return false;
        case FTP_SEND:
                n = (size_t)min_u64(a.n, w->control_most);
                if (n == 0)
                        return false;
                text_bytes(&w->control, a.data, n);
                w->control_most -= w->control_most == UINT64_MAX ? 0 : n;
                ftp_session_sent(&w->s, n, w->now);
                return true;
        case FTP_LOOKUP:
                if (w->is_generated_late)
                        return false;
                world_answer(w);
                return true;
        case FTP_LISTEN:
                w->has_listener = !w->is_port_refused;
                ftp_session_listening(&w->s, w->has_listener ? WORLD_PORT : 0, w->now);
                return true;
        case FTP_DROP:
                w->has_listener = false;
                ftp_session_dropped(&w->s);
                return true;
        case FTP_FINISH:
                w->has_listener = w->is_connected = false;
                w->last_end = w->s.end;
                w->n_transfers++;
                ftp_session_finished(&w->s, w->now);
                return true;
        case FTP_CLOSE:
                w->is_closed = true;
                return false;
        }
        return false;
}

static inline bool world_connect(struct world *w, bool is_passive) {
        if (w->is_client_late)
                return false;
        if (is_passive ? !w->has_listener : w->is_port_refused) {
                ftp_session_data_failed(&w->s, FTP_END_UNOPENED, w->now);
                return true;
        }
        w->has_listener = false;
        w->is_connected = true;
        w->n_connections++;
        ftp_session_connected(&w->s, w->now);
        return true;
}

static inline bool world_move(struct world *w) {
        struct ftp_data d = ftp_session_data(&w->s);
        const struct world_file *file = world_find(w->s.path);
        uint64_t n = min_u64(d.n, w->reads_most);
        uint8_t lines[256];

        if (d.kind == FTP_DATA_NONE)
                return false;
        if (d.kind == FTP_DATA_ACCEPT || d.kind == FTP_DATA_CONNECT)
                return world_connect(w, d.kind == FTP_DATA_ACCEPT);
        if (n == 0)
                return false;
        if (d.kind == FTP_DATA_ASCII) {
                const uint8_t *piece = (const uint8_t *)file->content + d.offset;
                size_t all = ftp_to_ascii(piece, (size_t)d.n, lines);

                n = all > d.skip ? min_u64(all - d.skip, w->reads_most) : 0;
                if (n > 0)
                        text_bytes(&w->data, lines + d.skip, (size_t)n);
                ftp_session_moved_lines(&w->s, piece, (size_t)d.n, n, w->now);
        } else {
                text_bytes(&w->data,
                           d.kind == FTP_DATA_TEXT ? d.text : file->content + d.offset,
                           (size_t)n);
                ftp_session_moved(&w->s, n, w->now);
        }
        w->reads_most -= w->reads_most == UINT64_MAX ? 0 : n;
        return true;
}

static inline void world_run(struct world *w) {
        while (!w->is_closed && (world_act(w) || world_move(w)))
                ;
}

/* Bytes of the client, as fast as the session takes them. */
static inline void world_bytes(struct world *w, const char *bytes, size_t n) {
        while (n > 0 && !w->is_closed) {
                size_t some = min_size(n, ftp_session_room(&w->s));

                if (some == 0)
                        break;
                ftp_session_recv(&w->s, bytes, some, w->now);
                bytes += some;
                n -= some;
                world_run(w);
        }
}

/* What is answered to it. */
static inline const char *world_say(struct world *w, const char *line) {
        text_done(&w->control);
        text_done(&w->data);
        w->control = w->data = (struct text){ 0 };
        world_bytes(w, line, strlen(line));
        world_bytes(w, "\r\n", 2);
        return text_string(&w->control);
}

static inline const char *world_data(struct world *w) {
        return w->data.n > 0 ? text_string(&w->data) : "";
}

static inline void world_begin(struct world *w) {
        *w = (struct world){ .now = NSEC_PER_SEC,
                             .reads_most = UINT64_MAX,
                             .control_most = UINT64_MAX };
        ftp_session_init(&w->s, &ftp_limits_default, WORLD_PEER, WORLD_LOCAL, w->now);
        world_run(w);
}

static inline void world_log_in(struct world *w) {
        world_begin(w);
        world_say(w, "USER anonymous");
        world_say(w, "PASS a@b");
}

static inline void world_wait(struct world *w, nsec_t time) {
        w->now += time;
        ftp_session_tick(&w->s, w->now);
        world_run(w);
}

static inline void world_end(struct world *w) {
        ftp_session_done(&w->s);
        text_done(&w->control);
        text_done(&w->data);
}
