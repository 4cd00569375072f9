/*
 * What is said when the path of a command was looked up: the reply, and the transfer
 * that begins with it.
 */
#include "proto/ftp_internal.h"

enum {
        LISTED_BYTES_MAX = 16 << 20,
        CONTROL_LISTED_MAX = 256 << 10, /* of STAT */
};

void ftp_refuse_path(struct ftp_session *s, const char *code, const char *path,
                     const char *why) {
        ftp_add(s, code);
        ftp_add_path(s, path);
        ftp_add(s, ": ");
        ftp_add(s, why);
        ftp_end_line(s);
}

/* ---- transfers ---- */

static void begin_transfer(struct ftp_session *s, nsec_t now) {
        s->transfer = FTP_OPENING;
        s->end = FTP_END_DONE;
        s->moved = 0;
        s->data_deadline = ftp_later(now, s->limits.open);
}

static void begin_list(struct ftp_session *s, nsec_t now) {
        s->is_file = false;
        s->offset = s->skip = 0;
        s->left = s->list.n;
        ftp_reply(s, "150 Here is the list.");
        begin_transfer(s, now);
}

static void begin_file(struct ftp_session *s, const struct ftp_found *found,
                       nsec_t now) {
        uint64_t rest = s->rest;

        s->rest = 0;
        /* RFC 3659 5.4. In ASCII a byte is at the most two on the wire. */
        if (rest > (s->is_ascii ? found->size * 2 : found->size)) {
                ftp_reply(s, "554 The place of REST lies behind the end of the file.");
                return;
        }
        s->is_file = true;
        s->offset = s->is_ascii ? 0 : rest;
        s->skip = s->is_ascii ? rest : 0;
        s->left = found->size - s->offset;
        ftp_add(s, "150 Opening the data connection for ");
        ftp_add_path(s, s->path);
        if (!s->is_ascii) {
                ftp_add(s, " (");
                text_u64(&s->out, s->left);
                ftp_add(s, " bytes)");
        }
        ftp_reply(s, ".");
        begin_transfer(s, now);
}

/* ---- answers ---- */

static struct ftp_entry entry_of(const struct ftp_found *found, const char *name) {
        return (struct ftp_entry){ name, found->kind == FTP_FOUND_FOLDER, found->size,
                                   found->mtime };
}

static const char *last_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* A name with a line end in it cannot be told, nor asked for. */
static bool can_be_told(const char *name) {
        for (; *name; name++)
                if ((uint8_t)*name < 0x20 || *name == 0x7f)
                        return false;
        return true;
}

static bool matches(const struct ftp_session *s, const char *name) {
        return s->pattern[0] == '\0' || ftp_matches(s->pattern, name);
}

static void add_entry(struct ftp_session *s, const struct ftp_entry *entry,
                      const char *prefix, nsec_t realtime) {
        if (s->verb == FTP_MLSD) {
                ftp_add_facts(&s->list, entry, s->facts);
                text_add(&s->list, "\r\n");
        } else if (s->verb == FTP_NLST) {
                text_add(&s->list, prefix);
                text_add(&s->list, entry->name);
                text_add(&s->list, "\r\n");
        } else {
                if (s->verb == FTP_STAT) /* RFC 959 4.2: never a code at its start */
                        text_char(&s->list, ' ');
                ftp_add_ls(&s->list, entry, realtime);
        }
}

void ftp_session_list(struct ftp_session *s, const struct ftp_entry *entry,
                      nsec_t realtime) {
        size_t most = s->verb == FTP_STAT ? CONTROL_LISTED_MAX : LISTED_BYTES_MAX;

        if (s->state == FTP_STATE_LOOKUP && s->list.n < most &&
            can_be_told(entry->name) && matches(s, entry->name))
                add_entry(s, entry, s->prefix, realtime);
}

static void answer_folder(struct ftp_session *s, const struct ftp_found *found) {
        if (found->kind != FTP_FOUND_FOLDER) {
                ftp_refuse_path(s, "550 ", s->path, "it is no folder");
                return;
        }
        memcpy(s->cwd, s->path, sizeof(s->cwd));
        ftp_add(s, "250 Now in ");
        ftp_add_path(s, s->cwd);
        ftp_reply(s, ".");
}

static void answer_attribute(struct ftp_session *s, const struct ftp_found *found) {
        if (found->kind != FTP_FOUND_FILE) {
                ftp_refuse_path(s, "550 ", s->path, "it is no file");
                return;
        }
        /* RFC 3659 4.1: the number of bytes that RETR would send. */
        if (s->verb == FTP_SIZE && s->is_ascii && found->ascii_size == UINT64_MAX) {
                ftp_refuse_path(s, "550 ", s->path, "too long to be counted in TYPE A");
                return;
        }
        ftp_add(s, "213 ");
        if (s->verb == FTP_MDTM)
                ftp_add_time(&s->out, found->mtime);
        else
                text_u64(&s->out, s->is_ascii ? found->ascii_size : found->size);
        ftp_end_line(s);
}

/* RFC 3659 7.2: the path is a whole one. */
static void answer_mlst(struct ftp_session *s, const struct ftp_found *found) {
        struct text path = { 0 };
        struct ftp_entry entry;

        text_char(&path, '/');
        text_add(&path, s->path);
        entry = entry_of(found, text_string(&path));
        ftp_reply(s, "250-Begin");
        text_char(&s->out, ' ');
        ftp_add_facts(&s->out, &entry, s->facts);
        ftp_end_line(s);
        ftp_reply(s, "250 End");
        s->out.failed |= path.failed;
        text_done(&path);
}

static void answer_stat(struct ftp_session *s, const struct ftp_found *found) {
        ftp_add(s,
                found->kind == FTP_FOUND_FOLDER ? "212-Status of " : "213-Status of ");
        ftp_add_path(s, s->path);
        ftp_end_line(s);
        text_bytes(&s->out, text_string(&s->list), s->list.n);
        ftp_reply(s, found->kind == FTP_FOUND_FOLDER ? "212 End" : "213 End");
        text_done(&s->list);
}

static void answer_list(struct ftp_session *s, const struct ftp_found *found,
                        nsec_t now, nsec_t realtime) {
        struct ftp_entry entry = entry_of(found, last_name(s->path));
        size_t n = strlen(s->prefix);

        if (found->kind == FTP_FOUND_FILE && s->verb == FTP_MLSD) {
                /* RFC 3659 7.2.1 */
                ftp_reply(s, "501 MLSD is about folders; MLST tells about a file.");
                return;
        }
        if (found->kind == FTP_FOUND_FILE && s->verb == FTP_NLST) {
                n -= n > 0; /* the slash behind it */
                text_bytes(&s->list, s->prefix, n);
                text_add(&s->list, "\r\n");
        } else if (found->kind == FTP_FOUND_FILE) {
                add_entry(s, &entry, "", realtime);
        }
        if (s->list.failed) {
                text_done(&s->list);
                ftp_reply(s, "451 The server is out of memory.");
        } else if (s->verb == FTP_STAT) {
                answer_stat(s, found);
        } else {
                begin_list(s, now);
        }
}

void ftp_answer_found(struct ftp_session *s, const struct ftp_found *found, nsec_t now,
                      nsec_t realtime) {
        switch (s->verb) {
        case FTP_CWD:
                answer_folder(s, found);
                break;
        case FTP_SIZE:
        case FTP_MDTM:
                answer_attribute(s, found);
                break;
        case FTP_MLST:
                answer_mlst(s, found);
                break;
        case FTP_RETR:
                if (found->kind == FTP_FOUND_FILE)
                        begin_file(s, found, now);
                else
                        ftp_refuse_path(s, "550 ", s->path, "it is a folder");
                break;
        default:
                answer_list(s, found, now, realtime);
                break;
        }
}
