/*
 * Talking to the server. The socket speaks the format of the roles (ipc/ipc.h).
 */
#include "cli/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "ipc/ipc.h"

enum { PATIENCE_SECONDS = 10, ANSWER_MAX = 64 << 20 };

void client_rows(struct client_flags *flags,
                 struct option_row ret[static CLIENT_ROWS]) {
        ret[0] = (struct option_row){ "json",       0, OPTION_FLAG, NULL, "print JSON",
                                      &flags->json, 0 };
        ret[1] = (struct option_row){ "state",
                                      0,
                                      OPTION_TEXT,
                                      "DIR",
                                      "of the server with this state folder",
                                      &flags->state,
                                      0 };
        ret[2] = (struct option_row){ "socket",
                                      0,
                                      OPTION_TEXT,
                                      "PATH",
                                      "of the server with this socket",
                                      &flags->socket,
                                      0 };
}

int client_fail(const char *sentence) {
        struct text safe = { 0 };

        text_printable(&safe, sentence, strlen(sentence));
        fprintf(stderr, "bootjack: %s\n", text_string(&safe));
        text_done(&safe);
        return CLI_FAILED;
}

const char *client_text(const json_t *object, const char *name) {
        const char *s = json_string_value(json_object_get(object, name));

        return s && *s ? s : NULL;
}

void client_add_safe(struct text *out, const char *s) {
        text_printable(out, s, strlen(s));
}

int client_print(struct text *out) {
        bool ok = !out->failed && fputs(text_string(out), stdout) >= 0 &&
                  fflush(stdout) == 0;

        text_done(out);
        return ok ? CLI_DONE : client_fail("cannot write the answer");
}

/* ---- where the server is ---- */

static int try_socket(const char *path, int *ret_fd) {
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        int fd;

        if (strlen(path) >= sizeof(at.sun_path))
                return -ENAMETOOLONG;
        strcpy(at.sun_path, path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}

static int say_why_not(const char *path, const char *tried_too, int error) {
        struct text out = { 0 };
        int r;

        switch (error) {
        case -ENOENT:
        case -ENOTDIR:
        case -ECONNREFUSED:
                text_add(&out, "no server answers at ");
                text_add(&out, path);
                if (tried_too) {
                        text_add(&out, " or ");
                        text_add(&out, tried_too);
                }
                text_add(&out, "; start one with 'bootjack serve', or name the state "
                               "folder of the one that runs with --state DIR");
                break;
        case -EACCES:
        case -EPERM:
                text_add(&out, "you may not ask the server at ");
                text_add(&out, path);
                text_add(&out,
                         ": run this as root (sudo), or as a member of its group");
                break;
        default:
                text_add(&out, "cannot reach the server at ");
                text_add(&out, path);
                text_add(&out, ": ");
                text_add(&out, strerror(-error));
        }
        r = client_fail(text_string(&out));
        text_done(&out);
        return r;
}

static bool is_absent(int r) {
        return r == -ENOENT || r == -ENOTDIR || r == -ECONNREFUSED;
}

int client_connect(const struct client_flags *flags, int *ret_fd) {
        static const char usual[] = CLIENT_STATE "/control";
        struct text path = { 0 };
        bool is_named = flags->socket || flags->state;
        int r, second;

        if (flags->socket) {
                text_add(&path, flags->socket);
        } else if (flags->state) {
                text_add(&path, flags->state);
                text_add(&path, "/control");
        } else {
                text_add(&path, CLIENT_SOCKET);
        }
        r = try_socket(text_string(&path), ret_fd);
        if (r < 0 && !is_named && is_absent(r)) {
                second = try_socket(usual, ret_fd);
                if (second == 0)
                        r = 0;
                else if (is_absent(second))
                        r = say_why_not(text_string(&path), usual, second);
                else
                        r = say_why_not(usual, NULL, second);
        } else if (r < 0) {
                r = say_why_not(text_string(&path), NULL, r);
        }
        text_done(&path);
        return r;
}

/* ---- questions and answers ---- */

int client_send(int fd, const char *verb, const char *arguments) {
        const struct ipc_query query = { .ticket = 1 };
        struct text tail = { 0 };
        int r;

        text_add(&tail, verb);
        text_char(&tail, '\0');
        text_add(&tail, arguments);
        text_char(&tail, '\0');
        r = tail.failed ? -ENOMEM
                        : ipc_send_blocking(fd, IPC_QUERY, &query, tail.s, tail.n);
        text_done(&tail);
        /* A server that hangs up at once has said why, which is read next. */
        return r < 0 && r != -EPIPE ? client_fail("cannot ask the server") : CLI_DONE;
}

static int say_broken(int r) {
        if (r == -EAGAIN)
                return client_fail("the server did not answer within ten seconds; see "
                                   "its log");
        if (r == 0 || r == -ECONNRESET)
                return client_fail("the server ended before its answer was complete");
        return client_fail("the server speaks another language; is it of another "
                           "version than this command?");
}

int client_receive(int fd, enum client_patience patience, struct client_piece *ret) {
        static _Alignas(16) uint8_t buffer[IPC_MESSAGE_MAX];
        struct timeval limit = { patience == CLIENT_SOON ? PATIENCE_SECONDS : 0, 0 };
        struct ipc_message message = { 0 };
        int r;

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        r = ipc_recv_blocking(fd, buffer, sizeof(buffer), &message);
        if (r != 1)
                return say_broken(r);
        if (message.kind != IPC_ANSWER)
                return say_broken(-EPROTO);
        *ret = (struct client_piece){
                .text = (const char *)message.tail,
                .n = message.n_tail,
                .last = ((const struct ipc_answer *)message.body)->last != 0,
        };
        return CLI_DONE;
}

int client_receive_all(int fd, struct text *ret) {
        struct client_piece piece = { 0 };

        while (!piece.last) {
                int r = client_receive(fd, CLIENT_SOON, &piece);

                if (r != CLI_DONE)
                        return r;
                text_bytes(ret, piece.text, piece.n);
                if (ret->failed || ret->n > ANSWER_MAX)
                        return client_fail("the answer is too long");
        }
        return CLI_DONE;
}

int client_check(const json_t *answer) {
        const json_t *error = json_object_get(answer, "error");

        return json_is_string(error) ? client_fail(json_string_value(error)) : CLI_DONE;
}

static int understand(const struct client_flags *flags, struct text *answer,
                      json_t **ret) {
        json_t *json =
                json_loadb(text_string(answer), answer->n, JSON_DECODE_ANY, NULL);
        int r;

        if (!json)
                return say_broken(-EPROTO);
        r = client_check(json);
        if (r == CLI_DONE && flags->json) {
                struct text copy = { 0 };

                text_bytes(&copy, answer->s, answer->n);
                text_char(&copy, '\n');
                r = client_print(&copy);
        }
        if (r == CLI_DONE)
                *ret = json;
        else
                json_decref(json);
        return r;
}

int client_ask(const struct client_flags *flags, const char *verb,
               const char *arguments, json_t **ret) {
        struct text answer = { 0 };
        int fd, r = client_connect(flags, &fd);

        if (r != CLI_DONE)
                return r;
        r = client_send(fd, verb, arguments);
        if (r == CLI_DONE)
                r = client_receive_all(fd, &answer);
        if (r == CLI_DONE)
                r = understand(flags, &answer, ret);
        text_done(&answer);
        close(fd);
        return r;
}

const char *client_member(const json_t *object, const char *name,
                          char scratch[static 24]) {
        const json_t *value = json_object_get(object, name);

        if (json_is_string(value))
                return json_string_value(value);
        if (json_is_integer(value)) {
                snprintf(scratch, 24, "%" JSON_INTEGER_FORMAT,
                         json_integer_value(value));
                return scratch;
        }
        if (json_is_boolean(value))
                return json_is_true(value) ? "yes" : "no";
        return NULL;
}
