#pragma once
/*
 * The command line's side of the control socket: find the running server, ask it, and
 * say clearly when there is none. Blocks; an answer that does not come within ten
 * seconds is an error.
 */
#include <jansson.h>

#include "cli/options.h"

/* What commands that talk to the server have in common. */
struct client_flags {
        const char *socket, *state; /* NULL: look in the usual places */
        bool json;
};
enum { CLIENT_ROWS = 3 };
/* Fills the rows; what they find goes into `flags`. */
void client_rows(struct client_flags *flags, struct option_row ret[static CLIENT_ROWS]);

/* The places of the control socket are <state>/control and, of a server with the usual
 * state folder, /run/bootjack/control. */
#define CLIENT_SOCKET "/run/bootjack/control"
#define CLIENT_STATE  "/var/lib/bootjack"

/* All return CLI_DONE, or CLI_FAILED after saying why on stderr. */

/* A connection; close() it. */
MUST_USE int client_connect(const struct client_flags *flags, int *ret_fd);
MUST_USE int client_send(int fd, const char *verb, const char *arguments);
/* The next piece of the answer, without end-of-line; valid until the next call. The
 * last one is empty when it is the end of a stream. */
struct client_piece {
        const char *text;
        size_t n;
        bool last;
};
enum client_patience { CLIENT_SOON, CLIENT_FOR_EVER };
MUST_USE int client_receive(int fd, enum client_patience patience,
                            struct client_piece *ret);

/* All pieces to the last, appended. */
MUST_USE int client_receive_all(int fd, struct text *ret);

/* One question and its whole answer: a JSON value, free it with json_decref(). With
 * flags->json it has been printed, too. */
MUST_USE int client_ask(const struct client_flags *flags, const char *verb,
                        const char *arguments, json_t **ret);

/* "bootjack: SENTENCE" on stderr, made printable; returns CLI_FAILED. */
int client_fail(const char *sentence);
/* Says the error that a JSON answer is; CLI_DONE when it is none. */
MUST_USE int client_check(const json_t *answer);

/* The text of a member; NULL when it is none, or empty. */
const char *client_text(const json_t *object, const char *name);
/* A stranger's text, for a terminal. */
void client_add_safe(struct text *out, const char *s);

/* Prints and frees. CLI_FAILED when stdout does not take it. */
int client_print(struct text *out);

/* A member as text for people: strings as they are, numbers in digits, NULL for null
 * and what is not there. `scratch` keeps the digits. */
const char *client_member(const json_t *object, const char *name,
                          char scratch[static 24]);
