/*
 * Time, wires, disk, and the life of the server. Events lie in a heap by when they
 * happen; each step takes the next one, or lets the server have its tick.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "test/story/sim.h"

/* ---- chance (splitmix64) ---- */

uint64_t chance_next(struct chance *c) {
        uint64_t z = c->state += 0x9e3779b97f4a7c15ull;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        return z ^ z >> 31;
}

uint64_t chance_below(struct chance *c, uint64_t n) {
        return n ? chance_next(c) % n : 0;
}

nsec_t chance_time(struct chance *c, nsec_t n) {
        nsec_t most = n;

        /* A tenth, a hundredth, a thousandth of it as often as all of it. */
        for (uint64_t i = chance_next(c) % 4; i > 0; i--)
                most /= 10;
        return chance_below(c, most + 1);
}

bool chance_hits(struct chance *c, unsigned per_million) {
        return per_million && chance_next(c) % 1000000 < per_million;
}

/* Around a mean. */
static nsec_t chance_around(struct chance *c, nsec_t mean) {
        return mean / 4 + chance_below(c, mean + mean / 2);
}

/* ---- words ---- */

void sim_fail(struct world *w, const char *format, ...) {
        va_list args;

        if (w->result->failed)
                return;
        w->result->failed = true;
        w->result->at = w->now - w->start;
        va_start(args, format);
        vsnprintf(w->result->why, sizeof(w->result->why), format, args);
        va_end(args);
        sim_trace(w, "FAILED: %s", w->result->why);
}

void sim_trace(struct world *w, const char *format, ...) {
        va_list args;

        if (!w->trace)
                return;
        printf("# %.6f ", (double)(w->now - w->start) / 1e9);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
}

/* ---- what happens when ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b) {
        return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_at(struct world *w, nsec_t at, enum sim_kind kind, uint32_t who,
            uint32_t generation, struct packet *packet) {
        struct sim_event event = { at, w->order++, kind, who, generation, packet };
        size_t i = w->n_heap++;

        if (w->n_heap > w->heap_room) {
                w->heap_room = w->heap_room ? w->heap_room * 2 : 1024;
                w->heap = realloc(w->heap, w->heap_room * sizeof(*w->heap));
        }
        while (i > 0 && is_before(&event, &w->heap[(i - 1) / 2])) {
                w->heap[i] = w->heap[(i - 1) / 2];
                i = (i - 1) / 2;
        }
        w->heap[i] = event;
}

static struct sim_event take_event(struct world *w) {
        struct sim_event first = w->heap[0], last = w->heap[--w->n_heap];
        size_t i = 0, child;

        while ((child = 2 * i + 1) < w->n_heap) {
                if (child + 1 < w->n_heap &&
                    is_before(&w->heap[child + 1], &w->heap[child]))
                        child++;
                if (!is_before(&w->heap[child], &last))
                        break;
                w->heap[i] = w->heap[child];
                i = child;
        }
        w->heap[i] = last;
        return first;
}

static void again(struct world *w, nsec_t mean, enum sim_kind kind) {
        if (mean)
                sim_at(w, w->now + chance_around(&w->chance, mean), kind, 0, 0, NULL);
}

/* ---- wires ---- */

struct packet *packet_new(size_t n) {
        struct packet *packet = malloc(sizeof(*packet) + n);

        *packet = (struct packet){ .n = n };
        return packet;
}

static struct packet *packet_copy(const struct packet *from) {
        struct packet *packet = packet_new(from->n);

        memcpy(packet, from, sizeof(*from) + from->n);
        return packet;
}

static nsec_t lateness(struct world *w) {
        return 100 * NSEC_PER_USEC + chance_time(&w->chance, w->params->delay);
}

/* One wire, either way: lost, late, or twice. */
static void put_on_wire(struct world *w, struct packet *packet, enum sim_kind kind) {
        w->result->sent++;
        if (chance_hits(&w->chance, w->params->twice)) {
                w->result->doubled++;
                sim_at(w, w->now + lateness(w), kind, packet->machine, 0,
                       packet_copy(packet));
        }
        if (chance_hits(&w->chance, w->params->loss)) {
                w->result->lost++;
                free(packet);
                return;
        }
        sim_at(w, w->now + lateness(w), kind, packet->machine, 0, packet);
}

void sim_send_to_server(struct world *w, struct packet *packet) {
        put_on_wire(w, packet, SIM_TO_SERVER);
}

/* RFC 2131 4.1: whom this way of sending reaches. */
static bool reaches(const struct world *w, const struct packet *packet) {
        const struct machine *m = &w->machines[packet->machine];

        if (m->state == MACHINE_OFF || m->wire != packet->wire)
                return false;
        if (packet->how == DHCP4_UNICAST)
                return m->address[m->identity] == packet->to;
        return packet->how == DHCP4_BROADCAST || !m->broadcast_only;
}

static void hear(struct world *w, const struct packet *packet) {
        if (packet->machine == NOBODY)
                return;
        if (reaches(w, packet))
                machine_hear(w, packet->machine, packet);
        else
                w->result->deaf++;
}

/* ---- disk ---- */

static void leave(struct world *w, struct packet *packet,
                  const struct pending *pending) {
        model_left(w, pending);
        if (packet->machine == NOBODY)
                free(packet);
        else
                put_on_wire(w, packet, SIM_TO_CLIENT);
}

static struct pending *add_pending(struct world *w) {
        if (w->queue_at > 0 && w->queue_at == w->n_queue)
                w->queue_at = w->n_queue = 0;
        if (w->n_queue == w->queue_room) {
                w->queue_room = w->queue_room ? w->queue_room * 2 : 256;
                w->queue = realloc(w->queue, w->queue_room * sizeof(*w->queue));
        }
        w->queue[w->n_queue] = (struct pending){ 0 };
        return &w->queue[w->n_queue++];
}

static void begin_commit(struct world *w) {
        w->n_committing = w->n_queue - w->queue_at;
        if (w->n_committing)
                sim_at(w,
                       w->now + NSEC_PER_MSEC +
                               chance_time(&w->chance, w->params->disk_delay),
                       SIM_COMMIT, 0, w->boot, NULL);
}

static void write_record(struct world *w, const struct lease_record *record) {
        struct place *place = place_of(w, record->address);

        place->is_on_disk = true;
        place->disk = *record;
}

/* A group is on disk; what waited for it leaves, and the next one begins. */
static void commit(struct world *w) {
        size_t n = w->n_committing;

        if (!w->disk_works) {
                sim_at(w, w->now + NSEC_PER_SEC, SIM_COMMIT, 0, w->boot, NULL);
                return;
        }
        w->result->commits++;
        /* Records first: the group is on disk as a whole. */
        for (size_t i = 0; i < n; i++)
                if (!w->queue[w->queue_at + i].is_send)
                        write_record(w, &w->queue[w->queue_at + i].record);
        for (size_t i = 0; i < n; i++) {
                struct pending *p = &w->queue[w->queue_at + i];

                if (p->is_send)
                        leave(w, TAKE(p->packet), p);
        }
        w->queue_at += n;
        begin_commit(w);
}

/* A crash in the middle of a commit: some of its records are there, and nothing that
 * waited for them was said. */
static void lose_queue(struct world *w) {
        size_t n = chance_below(&w->chance, w->n_committing + 1);

        for (size_t i = w->queue_at; i < w->n_queue; i++) {
                struct pending *p = &w->queue[i];

                free(p->packet);
                if (!p->is_send && w->disk_works && i - w->queue_at < n)
                        write_record(w, &p->record);
        }
        w->queue_at = w->n_queue = w->n_committing = 0;
}

static void persist(struct world *w, const struct lease_record *record) {
        w->result->persisted++;
        model_persisted(w, record);
        sim_trace(w, "persist %08x %s machine %u until %.3f", record->address,
                  lease_state_name(record->state), load_be16(record->mac.b + 4),
                  (double)(record->ends - w->start) / 1e9);
        if (w->params->disk_delay == 0) {
                write_record(w, record);
                return;
        }
        add_pending(w)->record = *record;
        if (w->n_committing == 0)
                begin_commit(w);
}

/* ---- the server ---- */

/* What a message says, and whom it is for. */
static struct packet *packet_of(struct world *w, const struct dhcp4_send *send) {
        const struct dhcp4_message *m = &w->answer;
        struct packet *packet = packet_new(0);
        uint32_t index;

        machine_of_xid(w, m->xid, &index);
        packet->machine = index;
        packet->type = m->type;
        packet->xid = m->xid;
        packet->address = m->yiaddr;
        packet->server = dhcp4_option_be32(m, DHCP4_SERVER_ID);
        packet->lease = dhcp4_option_be32(m, DHCP4_LEASE_TIME);
        packet->t1 = dhcp4_option_be32(m, DHCP4_RENEWAL_TIME);
        packet->t2 = dhcp4_option_be32(m, DHCP4_REBINDING_TIME);
        packet->how = send->how;
        packet->to = send->to;
        packet->wire = send->ifindex == 3 ? 1 : 0;
        if (m->giaddr) {
                /* The relay hands it on as the flags say. */
                packet->wire = wire_of(m->giaddr);
                packet->how = m->flags & DHCP4_FLAG_BROADCAST ? DHCP4_BROADCAST
                                                              : DHCP4_RAW_UNICAST;
        } else if (send->how == DHCP4_UNICAST && wire_of(send->to) < WIRES) {
                packet->wire = wire_of(send->to);
        }
        return packet;
}

static void send(struct world *w, const struct dhcp4_send *send) {
        struct pending promise = { 0 };
        struct packet *packet;

        if (dhcp4_parse(send->data, send->n, &w->answer) != DHCP4_OK) {
                sim_fail(w, "the server sent what does not parse");
                return;
        }
        packet = packet_of(w, send);
        sim_trace(w, "answer %s %08x to machine %u wire %u%s",
                  dhcp4_type_name(packet->type), packet->address, packet->machine,
                  packet->wire, send->durable ? ", when durable" : "");
        if (!model_answered(w, send, packet, &promise)) {
                free(packet);
                return;
        }
        if (send->durable && w->queue_at < w->n_queue) {
                struct pending *p = add_pending(w);

                *p = promise;
                p->is_send = true;
                p->packet = packet;
                return;
        }
        leave(w, packet, &promise);
}

/* The server's clock takes the calendar's steps forwards, and those back when it
 * starts. */
static void set_offset(struct world *w, int64_t offset) {
        model_jumped(w); /* what has ended by now has ended */
        w->offset = offset;
        model_jumped(w);
}

static void start_server(struct world *w) {
        set_offset(w, w->calendar);
        if (dhcp4_server_new(sim_config_now(w->config), &w->server) < 0)
                sim_fail(w, "no memory");
        for (size_t i = 0; i < w->places_room; i++)
                if (w->places[i] && w->places[i]->is_on_disk &&
                    dhcp4_server_load(w->server, &w->places[i]->disk) < 0)
                        sim_fail(w, "no memory");
        w->is_up = true;
        w->life++;
        w->boot++;
        sim_trace(w, "the server is up");
        model_audit(w);
}

static void stop_server(struct world *w) {
        lose_queue(w);
        w->server = dhcp4_server_free(w->server);
        w->is_up = false;
        w->life++;
        model_stopped(w);
}

static void crash(struct world *w) {
        w->result->crashes++;
        sim_trace(w, "the server crashes");
        stop_server(w);
        sim_at(w, w->now + 50 MSECS + chance_time(&w->chance, w->params->down), SIM_UP,
               0, 0, NULL);
}

/* As asked for: what waits is written and said first. */
static void restart(struct world *w) {
        if (!w->is_up || !w->disk_works)
                return;
        w->result->restarts++;
        sim_trace(w, "the server is restarted");
        while (w->n_committing)
                commit(w);
        stop_server(w);
        start_server(w);
}

static void probe(struct world *w, ip4_t address) {
        uint32_t believer = place_of(w, address)->believer;
        bool is_used = sim_is_squatted(w, address) || believer != NOBODY;
        nsec_t late = chance_below(&w->chance, w->params->probe_time * 9 / 10);

        w->result->probes++;
        sim_trace(w, "probe %08x%s", address, is_used ? ", in use" : "");
        model_probed(w, address);
        /* One answer in ten is lost. */
        if (is_used && !chance_hits(&w->chance, 100000))
                sim_at(w, w->now + late, SIM_PROBED, address, w->boot, NULL);
}

/* In their order, and after any of them the server may be dead. */
static void execute(struct world *w) {
        for (size_t i = 0; i < w->actions.n && !w->result->failed; i++) {
                const struct dhcp4_action *action = &w->actions.items[i];

                if (action->kind == DHCP4_SEND)
                        send(w, &action->send);
                else if (action->kind == DHCP4_PERSIST)
                        persist(w, &action->record);
                else if (action->kind == DHCP4_PROBE)
                        probe(w, action->probe.address);
                else if (action->kind == DHCP4_EVENT &&
                         action->event.kind == EVENT_POOL_EXHAUSTED)
                        w->result->exhausted++;
                if (chance_hits(&w->chance, w->params->crash)) {
                        crash(w);
                        return;
                }
        }
}

static void serve(struct world *w, const struct packet *packet) {
        struct dhcp4_received received = { .data = packet->data,
                                           .n = packet->n,
                                           .ifindex = packet->ifindex,
                                           .from = packet->from,
                                           .to = packet->to,
                                           .from_port = packet->from_port,
                                           .port = DHCP4_SERVER_PORT,
                                           .now = server_time(w) };

        if (!w->is_up)
                return;
        sim_trace(w, "%s of machine %u/%u on wire %u about %08x",
                  dhcp4_type_name(packet->type), packet->machine, packet->xid & 1,
                  packet->wire, packet->address);
        model_asked(w, packet);
        w->asked = packet;
        dhcp4_server_recv(w->server, &received, &w->actions);
        execute(w);
        w->asked = NULL;
}

static nsec_t next_tick(const struct world *w) {
        nsec_t next = w->is_up ? dhcp4_server_next(w->server) : NSEC_NEVER;

        if (next == NSEC_NEVER)
                return NSEC_NEVER;
        return max_u64((nsec_t)((int64_t)next - w->offset), w->now);
}

static void tick(struct world *w) {
        if (w->ticked_at != w->now)
                w->n_ticks = 0;
        w->ticked_at = w->now;
        if (++w->n_ticks > 1000000) {
                sim_fail(w, "ticks do not bring the server on");
                return;
        }
        dhcp4_server_tick(w->server, server_time(w), &w->actions);
        execute(w);
}

static void reload(struct world *w) {
        const struct dhcp4_config *config =
                sim_config_use(w->config, (unsigned)chance_below(&w->chance, 3));

        w->result->reloads++;
        w->life++;
        sim_trace(w, "another configuration");
        if (w->is_up && dhcp4_server_configure(w->server, config) < 0)
                sim_fail(w, "no memory");
}

static void jump(struct world *w) {
        nsec_t far = chance_time(&w->chance, w->params->jump);
        bool is_back = chance_next(&w->chance) % 2;

        w->result->jumps++;
        w->life++;
        if (is_back && w->calendar < -(int64_t)w->params->jump)
                is_back = false;
        w->calendar += is_back ? -(int64_t)far : (int64_t)far;
        sim_trace(w, "the calendar jumps %s%.3f s", is_back ? "-" : "",
                  (double)far / 1e9);
        if (w->is_up && w->calendar > w->offset)
                set_offset(w, w->calendar);
}

/* ---- steps ---- */

static void probed(struct world *w, ip4_t address) {
        struct mac who = { { 2, 0xbb } };

        if (!w->is_up)
                return;
        w->result->squatted++;
        sim_trace(w, "%08x answers a probe", address);
        if (place_of(w, address)->probed_life == w->life)
                model_squatted(w, address);
        dhcp4_server_probed(w->server, address, who, server_time(w), &w->actions);
        execute(w);
}

static void run_machine(struct world *w, const struct sim_event *event) {
        struct machine *m = &w->machines[event->who];

        if (event->kind == SIM_TIMER && event->generation == m->generation)
                machine_timer(w, event->who);
        if (event->kind == SIM_POWER && event->generation == m->power_generation)
                machine_power(w, event->who);
}

static void fail_disk(struct world *w, bool works) {
        w->disk_works = works;
        sim_trace(w, works ? "the disk works" : "the disk fails");
        if (works)
                again(w, w->params->disk_fails_each, SIM_DISK_FAILS);
        else
                again(w, w->params->disk_fails_for, SIM_DISK_WORKS);
}

static void happen(struct world *w, const struct sim_event *event) {
        const struct sim_params *p = w->params;

        switch (event->kind) {
        case SIM_TO_SERVER:
                serve(w, event->packet);
                break;
        case SIM_TO_CLIENT:
                hear(w, event->packet);
                break;
        case SIM_TIMER:
        case SIM_POWER:
                run_machine(w, event);
                break;
        case SIM_COMMIT:
                if (w->is_up && event->generation == w->boot && w->n_committing)
                        commit(w);
                break;
        case SIM_PROBED:
                if (event->generation == w->boot)
                        probed(w, event->who);
                break;
        case SIM_UP:
                start_server(w);
                break;
        case SIM_RESTART:
                restart(w);
                again(w, p->restart_each, SIM_RESTART);
                break;
        case SIM_JUMP:
                jump(w);
                again(w, p->jump_each, SIM_JUMP);
                break;
        case SIM_RELOAD:
                reload(w);
                again(w, p->reload_each, SIM_RELOAD);
                break;
        case SIM_DISK_FAILS:
        case SIM_DISK_WORKS:
                fail_disk(w, event->kind == SIM_DISK_WORKS);
                break;
        case SIM_INVENT:
                machine_invent(w);
                sim_at(w, w->now + NSEC_PER_SEC / p->invented, SIM_INVENT, 0, 0, NULL);
                break;
        }
}

static void go_to(struct world *w, nsec_t now) {
        if (w->is_up && w->disk_works)
                w->good += now - w->now;
        w->now = now;
}

/* False at the end of the world. */
static bool step(struct world *w) {
        nsec_t tick_at = next_tick(w), at = w->n_heap ? w->heap[0].at : NSEC_NEVER;
        struct sim_event event;

        if (min_u64(tick_at, at) >= w->start + w->params->length)
                return false;
        w->result->steps++;
        if (tick_at < at) {
                go_to(w, tick_at);
                tick(w);
        } else {
                event = take_event(w);
                go_to(w, event.at);
                happen(w, &event);
                free(event.packet);
        }
        if (w->result->steps >= w->next_audit)
                model_audit(w);
        return !w->result->failed && (w->params->exchanges == 0 ||
                                      w->result->exchanges < w->params->exchanges);
}

/* ---- beginning and end ---- */

static void world_init(struct world *w, const struct sim_params *params) {
        w->params = params;
        w->chance.state = params->seed * 0x2545f4914f6cdd1dull + 1;
        w->now = w->start = 1700000000 SECONDS;
        w->disk_works = true;
        w->n_machines = params->machines;
        w->machines = calloc(w->n_machines, sizeof(*w->machines));
        w->places_room = 1024;
        w->places = calloc(w->places_room, sizeof(struct place *));
        for (uint32_t i = 0; i < w->n_machines; i++)
                w->per_wire[i % WIRES]++;
        w->config = sim_config_new(params, w->per_wire, w->n_machines);
        sim_config_use(w->config, 0);
        for (uint32_t i = 0; i < w->n_machines; i++)
                machine_start(w, i);
        again(w, params->restart_each, SIM_RESTART);
        again(w, params->jump_each, SIM_JUMP);
        again(w, params->reload_each, SIM_RELOAD);
        again(w, params->disk_fails_each, SIM_DISK_FAILS);
        if (params->invented)
                sim_at(w, w->now, SIM_INVENT, 0, 0, NULL);
}

static void world_done(struct world *w) {
        for (size_t i = 0; i < w->n_heap; i++)
                free(w->heap[i].packet);
        for (size_t i = w->queue_at; i < w->n_queue; i++)
                free(w->queue[i].packet);
        for (size_t i = 0; i < w->places_room; i++)
                free(w->places[i]);
        dhcp4_server_free(w->server);
        sim_config_free(w->config);
        free(w->heap);
        free(w->queue);
        free(w->places);
        free(w->machines);
        free(w);
}

void sim_run(const struct sim_params *params, bool trace, struct sim_result *ret) {
        struct world *w = calloc(1, sizeof(*w));

        *ret = (struct sim_result){ 0 };
        w->result = ret;
        w->trace = trace;
        world_init(w, params);
        start_server(w);
        while (step(w))
                ;
        if (!ret->failed && w->is_up)
                model_audit(w);
        world_done(w);
}
