#pragma once
/*
 * Private to the FTP session: ftp_session.c has the buffer and the order of things,
 * ftp_commands.c what each command does, ftp_answers.c what is said when its path was
 * looked up.
 */
#include "proto/ftp_session.h"

static inline nsec_t ftp_later(nsec_t now, nsec_t wait) {
        return now > NSEC_NEVER - wait ? NSEC_NEVER : now + wait;
}

/* ---- replies ---- */

static inline void ftp_add(struct ftp_session *s, const char *text) {
        text_add(&s->out, text);
}
static inline void ftp_end_line(struct ftp_session *s) {
        text_add(&s->out, "\r\n");
}
static inline void ftp_reply(struct ftp_session *s, const char *line) {
        ftp_add(s, line);
        ftp_end_line(s);
}
/* A command that makes no sense; who sends nothing else is sent away. */
static inline void ftp_refuse(struct ftp_session *s, const char *line) {
        s->n_wrong++;
        ftp_reply(s, line);
}
static inline void ftp_add_path(struct ftp_session *s, const char *path) {
        text_char(&s->out, '/');
        ftp_add(s, path);
}
void ftp_refuse_path(struct ftp_session *s, const char *code, const char *path,
                     const char *why);

/* ---- a command, and what its path is ---- */

enum { FTP_WRONG_MAX = 20 };

void ftp_dispatch(struct ftp_session *s, const struct ftp_command *command, nsec_t now);
void ftp_answer_found(struct ftp_session *s, const struct ftp_found *found, nsec_t now,
                      nsec_t realtime);

void ftp_end_transfer(struct ftp_session *s, enum ftp_end end);
