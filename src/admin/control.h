#pragma once
/*
 * The control socket's server side: local clients ask, the core answers, and events
 * are told live.
 *
 * A client sends IPC_QUERY (tail: a verb, NUL, arguments separated by blanks) and gets
 * IPC_ANSWERs with its ticket, the last marked: together one JSON value, and
 * {"error":"sentence"} when it could not be. One query at a time.
 *
 * The verb "events" is answered here, one line an IPC_ANSWER, from the ring of the
 * latest events; the last one is empty or an error. Its arguments: follow, json, all
 * (debug too), n=N (the last N that fit), mac=MAC, story=N, zone=SECONDS (for readable
 * lines). Every other verb goes to the core.
 *
 * Who may connect is root, our own user, and our group. Clients are bounded in number
 * and in what waits for them; who does not read is cut off and told why.
 */
#include "ipc/ipc.h"

enum { CONTROL_CLIENTS_MAX = 32, CONTROL_WAITING_MAX = 16 << 20 };

struct control;

MUST_USE int control_new(struct loop *loop, struct control **ret);
/* Takes NULL; closes what it accepted and the listener. */
struct control *control_free(struct control *control);

/* Begins to accept. Owns `fd`, non-blocking and listening, also on failure. */
MUST_USE int control_listen(struct control *control, int fd);

/* The channel that queries go to, which stays the caller's; NULL when the core has
 * gone. Queries that were in flight get an error. */
void control_set_core(struct control *control, struct ipc_channel *core);
/* The core's IPC_ANSWER. */
void control_answer(struct control *control, const struct ipc_answer *answer,
                    const uint8_t *text, size_t n);
/* An event from the core, packed; bytes that are none are dropped. */
void control_event(struct control *control, const uint8_t *packed, size_t n);
