/*
 * Clients of the control socket. What is sent to a client goes straight into its socket
 * or, when that is full, into its queue. Events are taken from the ring only while the
 * queue is empty, so that a client who reads slowly falls behind in the ring, not in
 * our memory.
 */
#include "admin/control.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/ring.h"
#include "admin/watcher.h"
#include "base/event.h"
#include "base/list.h"

enum { GROUPS_MAX = 256 };

struct waiting {
        struct list link;
        struct ipc_answer answer;
        size_t n;
        uint8_t text[];
};

enum client_state {
        CLIENT_IDLE,
        CLIENT_ASKING,   /* the core was asked under `ticket` */
        CLIENT_WATCHING, /* gets events */
        CLIENT_LEAVING,  /* is closed when its queue is empty */
};

struct client {
        struct list link; /* oldest first */
        struct control *control;
        int fd;
        struct loop_watch *watch;
        enum client_state state;
        uint64_t its_ticket, ticket;
        struct watcher watcher;
        struct list queue;
        size_t n_waiting; /* bytes */
};

struct control {
        struct loop *loop;
        int fd;
        struct loop_watch *watch;
        struct ipc_channel *core;
        struct ring *ring;
        struct list clients;
        size_t n_clients;
        uint64_t last_ticket;
};

/* ---- one client ---- */

static void client_free(struct client *client) {
        list_remove(&client->link);
        client->control->n_clients--;
        loop_watch_free(client->watch);
        LIST_FOR_EACH(link, &client->queue) {
                list_remove(link);
                free(CONTAINER_OF(link, struct waiting, link));
        }
        close(client->fd);
        free(client);
}

static int enqueue(struct client *client, const struct ipc_answer *answer,
                   const void *text, size_t n) {
        struct waiting *w = client->n_waiting + n > CONTROL_WAITING_MAX
                                    ? NULL
                                    : malloc(sizeof(*w) + n);

        if (!w)
                return -ENOBUFS;
        w->answer = *answer;
        w->n = n;
        if (n)
                memcpy(w->text, text, n);
        list_append(&client->queue, &w->link);
        client->n_waiting += n;
        loop_watch_set(client->watch, LOOP_READABLE | LOOP_WRITABLE);
        return 0;
}

/* False: the client has been freed, because it has gone or lets too much wait. */
static bool say(struct client *client, bool last, const void *text, size_t n) {
        struct ipc_answer answer = { client->its_ticket, last };
        int r = -EAGAIN;

        if (list_is_empty(&client->queue))
                r = ipc_send_blocking(client->fd, IPC_ANSWER, &answer, text, n);
        if (r == -EAGAIN)
                r = enqueue(client, &answer, text, n);
        if (r < 0) {
                client_free(client);
                return false;
        }
        if (last && client->state != CLIENT_LEAVING)
                client->state = CLIENT_IDLE;
        return true;
}

static bool say_error(struct client *client, const char *sentence) {
        struct text out = { 0 };
        bool alive;

        text_char(&out, '{');
        text_json_pair(&out, "error", sentence);
        text_char(&out, '}');
        alive = say(client, true, text_string(&out), out.n);
        text_done(&out);
        return alive;
}

/* Says it, and closes as soon as it is out. */
static void say_goodbye(struct client *client, const char *sentence) {
        client->state = CLIENT_LEAVING;
        if (say_error(client, sentence) && list_is_empty(&client->queue))
                client_free(client);
}

static void cut_off(struct client *client, uint64_t n_lost) {
        struct text sentence = { 0 };

        text_u64(&sentence, n_lost);
        text_add(&sentence,
                 " events were lost here, because they were read too slowly; "
                 "ask again to go on");
        say_goodbye(client, text_string(&sentence));
        text_done(&sentence);
}

/* Tells a watching client what it has not heard, as far as its socket takes it. */
static void tell_events(struct client *client) {
        struct ring *ring = client->control->ring;
        struct text line = { 0 };
        bool alive = true;

        while (alive && list_is_empty(&client->queue)) {
                uint64_t n_lost = 0;

                line.n = 0;
                line.failed = false;
                switch (watcher_next(&client->watcher, ring, &line, &n_lost)) {
                case WATCHER_LINE:
                        alive = say(client, false, text_string(&line), line.n);
                        continue;
                case WATCHER_LOST:
                        cut_off(client, n_lost);
                        break;
                case WATCHER_END:
                        (void)say(client, true, NULL, 0);
                        break;
                case WATCHER_WAIT:
                        break;
                }
                break;
        }
        text_done(&line);
}

static void ask_core(struct client *client, const struct ipc_message *message) {
        struct control *control = client->control;
        struct ipc_query query = { ++control->last_ticket };
        int r = ipc_send(control->core, IPC_QUERY, &query, message->tail,
                         message->n_tail, NULL, 0);

        if (r < 0) {
                (void)say_error(client, "the server's core is just being started; "
                                        "try again in a moment");
                return;
        }
        client->ticket = query.ticket;
        client->state = CLIENT_ASKING;
}

static void watch_events(struct client *client, const char *arguments) {
        struct text why = { 0 };

        if (watcher_init(&client->watcher, client->control->ring, arguments, &why)) {
                client->state = CLIENT_WATCHING;
                tell_events(client);
        } else {
                (void)say_error(client, text_string(&why));
        }
        text_done(&why);
}

static void on_query(struct client *client, const struct ipc_message *message) {
        const struct ipc_query *query = message->body;
        struct reader r = reader_of(message->tail, message->n_tail);
        const char *verb = (const char *)reader_cstring(&r).data;
        const char *arguments = (const char *)reader_cstring(&r).data;

        client->its_ticket = query->ticket;
        if (r.failed || r.at != r.n)
                say_goodbye(client, "the query is malformed");
        else if (strcmp(verb, "events") == 0)
                watch_events(client, arguments);
        else
                ask_core(client, message);
}

static void receive(struct client *client) {
        static _Alignas(16) uint8_t buffer[IPC_MESSAGE_MAX];
        struct ipc_message message;
        int r = ipc_recv_blocking(client->fd, buffer, sizeof(buffer), &message);

        if (r == -EAGAIN)
                return;
        if (r == 1 && message.kind == IPC_QUERY && client->state == CLIENT_IDLE)
                on_query(client, &message);
        else
                client_free(client);
}

/* False: freed, or its socket takes no more. */
static bool flush(struct client *client) {
        LIST_FOR_EACH(link, &client->queue) {
                struct waiting *w = CONTAINER_OF(link, struct waiting, link);
                int r = ipc_send_blocking(client->fd, IPC_ANSWER, &w->answer, w->text,
                                          w->n);

                if (r == -EAGAIN)
                        return false;
                if (r < 0) {
                        client_free(client);
                        return false;
                }
                client->n_waiting -= w->n;
                list_remove(link);
                free(w);
        }
        loop_watch_set(client->watch, LOOP_READABLE);
        if (client->state == CLIENT_LEAVING) {
                client_free(client);
                return false;
        }
        return client->state == CLIENT_WATCHING;
}

static void on_client(int fd, unsigned ready, void *userdata) {
        struct client *client = userdata;

        (void)fd;
        if (ready & LOOP_READABLE)
                receive(client);
        else if (ready & LOOP_WRITABLE && flush(client))
                tell_events(client);
}

/* ---- the door ---- */

/* The socket's mode has let it in already; this holds when somebody changed that. */
static bool is_ours(int fd) {
        struct ucred peer = { 0 };
        socklen_t n = sizeof(peer);
        gid_t groups[GROUPS_MAX];

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
                return false;
        if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == getegid())
                return true;
        n = sizeof(groups);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
                return false;
        for (size_t i = 0; i < n / sizeof(gid_t); i++)
                if (groups[i] == getegid())
                        return true;
        return false;
}

/* Room for one more: whoever has been connected longest without a wish goes. */
static bool make_room(struct control *control) {
        if (control->n_clients < CONTROL_CLIENTS_MAX)
                return true;
        LIST_FOR_EACH(link, &control->clients) {
                struct client *client = CONTAINER_OF(link, struct client, link);

                if (client->state == CLIENT_IDLE) {
                        client_free(client);
                        return true;
                }
        }
        return false;
}

/* Owns fd. */
static struct client *client_new(struct control *control, int fd) {
        struct client *client = calloc(1, sizeof(*client));

        if (!client || loop_watch_new(control->loop, fd, LOOP_READABLE, on_client,
                                      client, &client->watch) < 0) {
                free(client);
                close(fd);
                return NULL;
        }
        client->control = control;
        client->fd = fd;
        list_init(&client->queue);
        list_append(&control->clients, &client->link);
        control->n_clients++;
        return client;
}

static void on_door(int fd, unsigned ready, void *userdata) {
        struct control *control = userdata;
        int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        bool has_room;
        struct client *client;

        (void)ready;
        if (accepted < 0)
                return;
        has_room = make_room(control);
        client = client_new(control, accepted);
        if (!client)
                return;
        if (!is_ours(accepted))
                say_goodbye(client,
                            "only root, the server's user and its group may ask");
        else if (!has_room)
                say_goodbye(client, "too many are connected to the server already");
}

/* ---- the module ---- */

int control_new(struct loop *loop, struct control **ret) {
        struct control *control = calloc(1, sizeof(*control));
        int r;

        if (!control)
                return -ENOMEM;
        control->loop = loop;
        control->fd = -1;
        list_init(&control->clients);
        r = ring_new(&control->ring);
        if (r < 0) {
                free(control);
                return r;
        }
        *ret = control;
        return 0;
}

struct control *control_free(struct control *control) {
        if (!control)
                return NULL;
        LIST_FOR_EACH(link, &control->clients)
        client_free(CONTAINER_OF(link, struct client, link));
        loop_watch_free(control->watch);
        if (control->fd >= 0)
                close(control->fd);
        ring_free(control->ring);
        free(control);
        return NULL;
}

int control_listen(struct control *control, int fd) {
        assert(control->fd < 0);
        control->fd = fd;
        return loop_watch_new(control->loop, fd, LOOP_READABLE, on_door, control,
                              &control->watch);
}

void control_set_core(struct control *control, struct ipc_channel *core) {
        control->core = core;
        LIST_FOR_EACH(link, &control->clients) {
                struct client *client = CONTAINER_OF(link, struct client, link);

                if (client->state == CLIENT_ASKING)
                        say_goodbye(client,
                                    "the server's core ended before it answered; "
                                    "it is started again: ask once more");
        }
}

void control_answer(struct control *control, const struct ipc_answer *answer,
                    const uint8_t *text, size_t n) {
        LIST_FOR_EACH(link, &control->clients) {
                struct client *client = CONTAINER_OF(link, struct client, link);

                if (client->state == CLIENT_ASKING &&
                    client->ticket == answer->ticket) {
                        (void)say(client, answer->last != 0, text, n);
                        return;
                }
        }
}

void control_event(struct control *control, const uint8_t *packed, size_t n) {
        struct event event;

        if (!event_unpack(packed, n, &event))
                return;
        ring_add(control->ring, packed, n);
        LIST_FOR_EACH(link, &control->clients) {
                struct client *client = CONTAINER_OF(link, struct client, link);

                if (client->state == CLIENT_WATCHING)
                        tell_events(client);
        }
}
