/*
 * The library: finds media under the configured paths, reads each once, and hands its
 * sealed index with the open image to the core and the files workers. It may read the
 * media and the recipes and nothing else, and it never talks to the network.
 *
 * A file that is still being copied changes between two looks; it is read when it has
 * been the same for half a second, so that a growing image is not taken for a truncated
 * one. The kernel's notice makes a look come soon; a look every second makes it come at
 * all where there are no notices (network file systems, folders made later).
 *
 * The sandbox knows only what was there when it was closed. When a configured path
 * comes later, the role ends, and the parent begins it anew with a sandbox that
 * includes it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/event.h"
#include "media/index.h"
#include "media/media.h"
#include "role/role.h"
#include "sandbox/sandbox.h"

enum { MEDIA_MAX = 512, PEERS_MAX = 1 + CONF_WORKERS_MAX };

static const nsec_t look_often = NSEC_PER_SEC, settle = 500 * NSEC_PER_MSEC,
                    look_soon = 50 * NSEC_PER_MSEC;

struct medium_here {
        char *path;  /* how we reach it */
        char *shown; /* what it is called */
        uint64_t what;
        nsec_t since;           /* it has been the same */
        bool is_seen;           /* in this look */
        bool is_done;           /* read: published or refused */
        struct ipc_medium head; /* id 0: not published */
        struct media_found found;
        size_t n_entries;
        struct text ids;  /* of its entries, each with its NUL */
        uint64_t archive; /* its identity, when it is a compressed one; else 0 */
        uint64_t size;
        int archive_fd; /* while it is being unpacked; else -1 */
        unsigned n_asked;
};

struct library {
        struct role *role;
        struct media_recipes *recipes;
        struct ipc_channel *core, *files[CONF_WORKERS_MAX], *unpack;
        struct medium_here media[MEDIA_MAX];
        size_t n_media;
        struct loop_folder *folders[CONF_FLAG_REPEAT_MAX], *own_recipes;
        bool was_absent[CONF_FLAG_REPEAT_MAX]; /* when the sandbox was closed */
        bool had_no_recipes;                   /* the same of the folder of one's own */
        struct loop_timer *timer, *recipes_timer;
        nsec_t next_look;
        uint64_t next_id;
        unsigned n_looks;
        bool is_settled;
        size_t looking_at; /* the configured path of the moment */
};

/* ---- telling ---- */

static void publish_to(struct ipc_channel *channel, const struct medium_here *m) {
        int fds[] = { m->found.index_fd, m->found.fd };

        (void)ipc_send(channel, IPC_MEDIUM, &m->head, NULL, 0, fds, 2);
}

static void each_peer(struct library *library, const struct medium_here *m, bool gone) {
        struct ipc_channel *peers[PEERS_MAX] = { library->core };

        memcpy(peers + 1, library->files, sizeof(library->files));
        for (size_t i = 0; i < PEERS_MAX; i++)
                if (gone)
                        (void)ipc_send(peers[i], IPC_MEDIUM_GONE, &m->head, NULL, 0,
                                       NULL, 0);
                else
                        publish_to(peers[i], m);
}

static void say_added(struct library *library, const struct medium_here *m,
                      const struct medium *medium) {
        struct event event = { .kind = EVENT_MEDIUM_ADDED };
        struct text system = { 0 };

        medium_describe(medium, &system);
        event.values[0] = (struct event_value)EVENT_TEXT(m->head.name);
        event.values[1] = (struct event_value)EVENT_TEXT(text_string(&system));
        event.values[2] = (struct event_value)EVENT_U64(m->n_entries);
        role_event(library->core, &event);
        text_done(&system);
}

static void say_gone(struct library *library, const struct medium_here *m) {
        struct event event = { .kind = EVENT_MEDIUM_REMOVED };

        event.values[0] = (struct event_value)EVENT_TEXT(m->head.name);
        role_event(library->core, &event);
}

static void say_refused(struct library *library, const char *shown, const char *why) {
        struct event event = { .kind = EVENT_MEDIUM_REFUSED };

        event.values[0] = (struct event_value)EVENT_TEXT(shown);
        event.values[1] = (struct event_value)EVENT_TEXT(why);
        role_event(library->core, &event);
}

static void say_unpacking(struct library *library, const struct medium_here *m,
                          uint64_t done) {
        struct event event = { .kind = EVENT_MEDIUM_UNPACKING };

        event.values[0] = (struct event_value)EVENT_TEXT(m->shown);
        event.values[1] = (struct event_value){ .type = EVENT_TYPE_BYTES, .u64 = done };
        event.values[2] =
                (struct event_value){ .type = EVENT_TYPE_BYTES, .u64 = m->size };
        role_event(library->core, &event);
}

/* ---- names ---- */

static bool is_taken(const struct library *library, const char *name) {
        for (size_t i = 0; i < library->n_media; i++)
                if (library->media[i].head.id != 0 &&
                    strcmp(library->media[i].head.name, name) == 0)
                        return true;
        return false;
}

/* debian, debian-2, debian-3 ... */
static void choose_name(const struct library *library, const char *shown,
                        char ret[static MEDIUM_NAME_MAX]) {
        char base[MEDIUM_NAME_MAX];

        medium_name_from_path(shown, base);
        snprintf(ret, MEDIUM_NAME_MAX, "%s", base);
        for (unsigned i = 2; is_taken(library, ret); i++)
                snprintf(ret, MEDIUM_NAME_MAX, "%.50s-%u", base, i);
}

static bool has_id(const struct medium_here *m, const char *id) {
        for (size_t at = 0; at < m->ids.n; at += strlen(m->ids.s + at) + 1)
                if (strcmp(m->ids.s + at, id) == 0)
                        return true;
        return false;
}

/* A menu calls an entry by its id: whoever was there first keeps it. */
static bool is_id_taken(const char *id, void *userdata) {
        const struct library *library = userdata;

        for (size_t i = 0; i < library->n_media; i++)
                if (library->media[i].head.id != 0 && has_id(&library->media[i], id))
                        return true;
        return false;
}

/* ---- reading ---- */

/* What it turned out to be: for the event, and for the names of later ones. */
static void note_entries(struct library *library, struct medium_here *m) {
        off_t n = lseek(m->found.index_fd, 0, SEEK_END);
        void *mapping = n > 0 ? mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED,
                                     m->found.index_fd, 0)
                              : MAP_FAILED;
        struct media_index index;
        struct medium *medium;

        if (mapping == MAP_FAILED)
                return;
        medium = calloc(1, sizeof(*medium));
        if (medium && media_index_open(mapping, (size_t)n, &index) == 0) {
                media_index_medium(&index, medium);
                m->n_entries = 0;
                for (uint32_t i = 0; i < medium->n_entries; i++) {
                        const char *id = medium->entries[i].id;

                        m->n_entries += medium->entries[i].why_not[0] == '\0';
                        text_bytes(&m->ids, id, strlen(id) + 1);
                }
                say_added(library, m, medium);
        }
        free(medium);
        munmap(mapping, (size_t)n);
}

/* A path that came after the sandbox was closed cannot be read from within it. */
static bool needs_another_sandbox(struct library *library, int r) {
        if (r != -EACCES || !library->was_absent[library->looking_at])
                return false;
        loop_stop(library->role->loop);
        return true;
}

/* ---- archives, which somebody else expands ---- */

/* Who dies of an archive is not given it for ever. */
enum { ASKED_MAX = 3 };

static void stop_unpacking(struct medium_here *m) {
        if (m->archive_fd >= 0)
                close(m->archive_fd);
        m->archive_fd = -1;
}

static void ask_to_unpack(struct library *library, struct medium_here *m) {
        const struct ipc_unpack body = { .identity = m->archive, .n = m->size };

        if (!library->unpack)
                return; /* it is told of all when it comes */
        if (m->n_asked++ == ASKED_MAX) {
                say_refused(library, m->shown, "whoever unpacked it ended every time");
                stop_unpacking(m);
                return;
        }
        say_unpacking(library, m, 0);
        (void)ipc_send(library->unpack, IPC_UNPACK, &body, NULL, 0, &m->archive_fd, 1);
}

static void begin_unpacking(struct library *library, struct medium_here *m) {
        off_t n = lseek(m->found.fd, 0, SEEK_END);

        m->archive_fd = m->found.fd;
        m->archive = media_archive_identity(m->archive_fd);
        m->size = n > 0 ? (uint64_t)n : 0;
        m->n_asked = 0;
        if (m->archive) {
                ask_to_unpack(library, m);
        } else {
                say_refused(library, m->shown, "it cannot be read");
                stop_unpacking(m);
        }
}

/* What no medium needs any more may be removed. */
static void tell_what_is_kept(struct library *library) {
        uint64_t kept[MEDIA_MAX];
        size_t n = 0;

        for (size_t i = 0; i < library->n_media; i++)
                if (library->media[i].archive)
                        kept[n++] = library->media[i].archive;
        (void)ipc_send(library->unpack, IPC_UNPACK_KEEP, NULL, kept,
                       n * sizeof(kept[0]), NULL, 0);
}

/* `expanded` is what a compressed archive became, or -1. */
static void read_medium(struct library *library, struct medium_here *m, int expanded) {
        char name[MEDIUM_NAME_MAX];
        const struct media_as as = { .shown = m->shown,
                                     .name = name,
                                     .is_taken = is_id_taken,
                                     .userdata = library };
        struct text why = { 0 };
        int r;

        m->is_done = true;
        choose_name(library, m->shown, name);
        r = expanded < 0
                    ? media_inspect_as(m->path, &as, library->recipes, &m->found, &why)
                    : media_inspect_expanded(expanded, &as, library->recipes, &m->found,
                                             &why);
        if (needs_another_sandbox(library, r)) {
                text_done(&why);
                return;
        }
        if (r == MEDIA_COMPRESSED) {
                text_done(&why);
                begin_unpacking(library, m);
                return;
        }
        if (r != 0) {
                say_refused(library, m->shown,
                            r < 0 ? strerror(-r) : text_string(&why));
                text_done(&why);
                return;
        }
        text_done(&why);
        m->head = (struct ipc_medium){ .id = ++library->next_id,
                                       .is_tree = m->found.is_tree };
        memcpy(m->head.name, name, sizeof(name));
        each_peer(library, m, false);
        note_entries(library, m);
}

/* Of media of the same content there may be several. */
static void on_unpacked(struct library *library, const struct ipc_message *message) {
        const struct ipc_unpack *body = message->body;
        char why[256];

        snprintf(why, sizeof(why), "%.*s", (int)min_size(message->n_tail, 255),
                 (const char *)message->tail);
        for (size_t i = 0; i < library->n_media; i++) {
                struct medium_here *m = &library->media[i];
                int fd = -1;

                if (m->archive != body->identity || m->archive_fd < 0)
                        continue;
                if (message->kind == IPC_UNPACKING) {
                        say_unpacking(library, m, body->n);
                        continue;
                }
                stop_unpacking(m);
                if (message->n_fds == 1)
                        fd = fcntl(message->fds[0], F_DUPFD_CLOEXEC, 3);
                if (fd >= 0)
                        read_medium(library, m, fd);
                else
                        say_refused(library, m->shown, why);
        }
}

static void withdraw(struct library *library, struct medium_here *m) {
        stop_unpacking(m);
        m->archive = 0;
        if (m->head.id == 0)
                return;
        each_peer(library, m, true);
        say_gone(library, m);
        close(m->found.fd);
        close(m->found.index_fd);
        text_done(&m->ids);
        m->head.id = 0;
}

static void forget(struct library *library, size_t i) {
        bool was_archive = library->media[i].archive != 0;

        withdraw(library, &library->media[i]);
        free(library->media[i].path);
        free(library->media[i].shown);
        memmove(&library->media[i], &library->media[i + 1],
                (library->n_media - i - 1) * sizeof(library->media[0]));
        library->n_media--;
        if (was_archive)
                tell_what_is_kept(library);
}

/* ---- looking ---- */

static struct medium_here *find(struct library *library, const char *path) {
        for (size_t i = 0; i < library->n_media; i++)
                if (strcmp(library->media[i].path, path) == 0)
                        return &library->media[i];
        return NULL;
}

/* The configured path in place of the descriptor that we reach it by. */
static char *shown_path(const struct library *library, const char *path) {
        const char *configured = library->role->conf->media.items[library->looking_at];
        const char *reached = role_path(library->role, configured);
        struct text shown = { 0 };

        text_add(&shown, configured);
        text_add(&shown, path + strlen(reached));
        return shown.s;
}

static struct medium_here *add(struct library *library, const char *path) {
        struct medium_here *m = &library->media[library->n_media];

        if (library->n_media == MEDIA_MAX)
                return NULL;
        *m = (struct medium_here){ .path = strdup(path),
                                   .shown = shown_path(library, path),
                                   .archive_fd = -1 };
        if (!m->path || !m->shown) {
                free(m->path);
                free(m->shown);
                return NULL;
        }
        library->n_media++;
        return m;
}

static void on_candidate(const struct media_candidate *candidate, void *userdata) {
        struct library *library = userdata;
        struct medium_here *m = find(library, candidate->path);

        if (!m)
                m = add(library, candidate->path);
        if (!m)
                return;
        m->is_seen = true;
        if (m->what != candidate->what) {
                withdraw(library, m);
                m->what = candidate->what;
                m->since = loop_now();
                m->is_done = false;
        }
        if (m->is_done)
                return;
        /* What was there at the start, untouched for long, need not be waited for. */
        if (loop_now() - m->since >= settle ||
            candidate->mtime + 2 * NSEC_PER_SEC < loop_realtime())
                read_medium(library, m, -1);
}

static bool has_unread(const struct library *library) {
        for (size_t i = 0; i < library->n_media; i++)
                if (!library->media[i].is_done)
                        return true;
        return false;
}

static void settle_once(struct library *library) {
        /* The first look waits for nobody but what may be read at the second: an image
         * that is being copied in must not keep the service from being ready. */
        if (library->is_settled || (has_unread(library) && library->n_looks < 2))
                return;
        library->is_settled = true;
        tell_what_is_kept(library);
        (void)ipc_send(library->core, IPC_MEDIA_SETTLED, NULL, NULL, 0, NULL, 0);
        for (size_t i = 0; i < CONF_WORKERS_MAX; i++)
                (void)ipc_send(library->files[i], IPC_MEDIA_SETTLED, NULL, NULL, 0,
                               NULL, 0);
}

static void look_at(struct library *library, nsec_t when) {
        library->next_look = when;
        loop_timer_set(library->timer, when);
}

static void look(struct library *library) {
        const struct conf *conf = library->role->conf;

        library->n_looks++;
        for (size_t i = 0; i < library->n_media; i++)
                library->media[i].is_seen = false;
        for (size_t i = 0; i < conf->media.n && i < CONF_FLAG_REPEAT_MAX; i++) {
                int r;

                library->looking_at = i;
                r = media_scan(role_path(library->role, conf->media.items[i]),
                               library->recipes, on_candidate, library);
                /* A path that is not there now may come. */
                if (needs_another_sandbox(library, r))
                        return;
        }
        for (size_t i = 0; i < library->n_media; i++)
                if (!library->media[i].is_seen)
                        forget(library, i--);
        settle_once(library);
        look_at(library, loop_now() + (has_unread(library) ? settle + NSEC_PER_MSEC
                                                           : look_often));
}

static void on_timer(void *userdata) {
        look(userdata);
}

/* Notices come in bursts while a file is copied: they make a look come soon, and never
 * put off one that is coming. */
static void on_folder(const char *name, void *userdata) {
        struct library *library = userdata;

        if (library->next_look > loop_now() + look_soon)
                look_at(library, loop_now() + look_soon);
}

/* ---- recipes ---- */

/* The administrator's. That there are none is said only where a folder was named. */
static int add_own_recipes(const struct library *library, struct media_recipes *recipes,
                           struct text *problems) {
        const char *folder = library->role->conf->recipes;
        int r = media_recipes_add(recipes, role_path(library->role, folder), folder,
                                  problems);

        if (r < 0 && r != -ENOMEM &&
            !(r == -ENOENT && strcmp(folder, MEDIA_RECIPES_OWN) == 0)) {
                text_add(problems, folder);
                text_add(problems, ": ");
                text_add(problems, strerror(-r));
                text_char(problems, '\n');
        }
        return r == -ENOMEM ? r : 0;
}

static int read_recipes(const struct library *library, struct media_recipes **ret,
                        struct text *problems) {
        struct media_recipes *recipes = NULL;
        int r = media_recipes_load(role_path(library->role, ROLE_RECIPES), &recipes,
                                   problems);

        if (r == 0)
                r = add_own_recipes(library, recipes, problems);
        if (r < 0)
                media_recipes_free(recipes);
        else
                *ret = recipes;
        return r;
}

/* At the start what is wrong is left out. */
static int load_recipes(struct library *library) {
        struct text problems = { 0 };
        int r = read_recipes(library, &library->recipes, &problems);

        if (r < 0)
                fprintf(stderr,
                        "bootjack: no recipes: share/recipes is not beside the program "
                        "(%s)\n",
                        strerror(-r));
        if (problems.n > 0)
                fprintf(stderr, "bootjack: recipes: %s", text_string(&problems));
        text_done(&problems);
        return r;
}

static bool has_equal_content(int a, int b) {
        off_t n = lseek(a, 0, SEEK_END);
        void *x = MAP_FAILED, *y = MAP_FAILED;
        bool is_equal = n > 0 && lseek(b, 0, SEEK_END) == n;

        if (is_equal) {
                x = mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, a, 0);
                y = mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, b, 0);
        }
        is_equal = x != MAP_FAILED && y != MAP_FAILED && memcmp(x, y, (size_t)n) == 0;
        if (x != MAP_FAILED)
                munmap(x, (size_t)n);
        if (y != MAP_FAILED)
                munmap(y, (size_t)n);
        return is_equal;
}

/* Told again under its name, with what the recipes of now say: its files are the same
 * ones, so that nothing that is being fetched ends. */
static bool recognise_again(struct library *library, struct medium_here *m) {
        const struct media_as as = { .shown = m->shown,
                                     .name = m->head.name,
                                     .is_taken = is_id_taken,
                                     .userdata = library };
        struct media_found found, before = m->found;
        struct text why = { 0 }, ids = m->ids;
        int fd = m->archive ? fcntl(before.fd, F_DUPFD_CLOEXEC, 3) : -1, r;

        m->ids = (struct text){ 0 };
        r = m->archive ? media_inspect_expanded(fd, &as, library->recipes, &found, &why)
                       : media_inspect_as(m->path, &as, library->recipes, &found, &why);
        text_done(&why);
        if (r != 0 || has_equal_content(found.index_fd, before.index_fd)) {
                m->ids = ids; /* what cannot be read now, the next look will find */
                if (r == 0) {
                        close(found.fd);
                        close(found.index_fd);
                }
                return false;
        }
        text_done(&ids);
        m->found = found;
        m->head.id = ++library->next_id;
        each_peer(library, m, false);
        note_entries(library, m);
        close(before.fd);
        close(before.index_fd);
        return true;
}

/* What was refused, or is a folder that no recipe knew, is looked at by the next look.
 */
static size_t recognise_all_again(struct library *library) {
        size_t n = 0;

        for (size_t i = 0; i < library->n_media; i++)
                if (library->media[i].head.id != 0)
                        n += recognise_again(library, &library->media[i]);
                else if (library->media[i].archive_fd < 0)
                        library->media[i].is_done = false;
        look_at(library, loop_now() + look_soon);
        return n;
}

static void say_recipes_refused(struct library *library, const char *problems) {
        while (*problems) {
                size_t n = strcspn(problems, "\n");
                struct event event = { .kind = EVENT_RECIPES_REFUSED };
                struct text line = { 0 };

                text_bytes(&line, problems, n);
                event.values[0] = (struct event_value)EVENT_TEXT(text_string(&line));
                role_event(library->core, &event);
                text_done(&line);
                problems += n + (problems[n] != '\0');
        }
}

/* All of them or none: with one that is wrong, those of before stay. The same ones say
 * the same of every medium, so that nobody need look again. A folder that came
 * after the sandbox was closed needs another one. */
static void reread_recipes(struct library *library) {
        struct media_recipes *recipes = NULL;
        struct text problems = { 0 };
        int r;

        if (library->had_no_recipes &&
            access(library->role->conf->recipes, F_OK) == 0) {
                loop_stop(library->role->loop);
                return;
        }
        r = read_recipes(library, &recipes, &problems);
        if (r < 0)
                text_add(&problems, strerror(-r));
        if (problems.n == 0 && media_recipes_identity(recipes) ==
                                       media_recipes_identity(library->recipes)) {
                media_recipes_free(recipes);
        } else if (problems.n == 0) {
                struct event event = { .kind = EVENT_RECIPES_READ };

                media_recipes_free(library->recipes);
                library->recipes = recipes;
                event.values[0] =
                        (struct event_value)EVENT_U64(recognise_all_again(library));
                role_event(library->core, &event);
        } else {
                say_recipes_refused(library, text_string(&problems));
                media_recipes_free(recipes);
        }
        text_done(&problems);
}

static void on_recipes_timer(void *userdata) {
        reread_recipes(userdata);
}

/* An editor writes several files in several pieces: wait until it is done. */
static void on_recipe(const char *name, void *userdata) {
        struct library *library = userdata;

        if (media_is_recipe_name(name))
                loop_timer_set(library->recipes_timer, loop_now() + settle);
}

/* ---- the role ---- */

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct library *library = userdata;

        if (channel == library->unpack &&
            (message->kind == IPC_UNPACKED || message->kind == IPC_UNPACKING))
                on_unpacked(library, message);
        if (message->kind != IPC_NONE)
                return;
        if (channel == library->unpack)
                library->unpack = NULL;
        if (channel == library->core)
                library->core = NULL;
        for (size_t i = 0; i < CONF_WORKERS_MAX; i++)
                if (channel == library->files[i])
                        library->files[i] = NULL;
        ipc_channel_free(channel);
}

/* A new peer is told of everything there is. */
static void on_peer(struct library *library, const struct ipc_message *message) {
        const struct ipc_peer *peer = message->body;
        struct ipc_channel **slot = NULL;

        if (peer->role == IPC_CORE)
                slot = &library->core;
        else if (peer->role == IPC_FILES && peer->index < CONF_WORKERS_MAX)
                slot = &library->files[peer->index];
        else if (peer->role == IPC_UNPACK_ROLE)
                slot = &library->unpack;
        if (!slot || message->n_fds != 1)
                return;
        *slot = ipc_channel_free(*slot);
        if (ipc_channel_new(library->role->loop, message->fds[0], on_message, library,
                            slot) < 0)
                *slot = NULL;
        message->fds[0] = -1;
        for (size_t i = 0; slot == &library->unpack && i < library->n_media; i++)
                if (library->media[i].archive_fd >= 0)
                        ask_to_unpack(library, &library->media[i]);
        if (slot == &library->unpack)
                return;
        for (size_t i = 0; i < library->n_media; i++)
                if (library->media[i].head.id != 0)
                        publish_to(*slot, &library->media[i]);
        if (library->is_settled)
                (void)ipc_send(*slot, IPC_MEDIA_SETTLED, NULL, NULL, 0, NULL, 0);
}

static void library_message(struct role *role, const struct ipc_message *message) {
        if (message->kind == IPC_PEER)
                on_peer(role->userdata, message);
}

static int library_start(struct role *role) {
        struct library *library = calloc(1, sizeof(*library));
        int r;

        if (!library)
                return -ENOMEM;
        role->userdata = library;
        library->role = role;
        r = loop_timer_new(role->loop, on_timer, library, &library->timer);
        return r < 0 ? r
                     : loop_timer_new(role->loop, on_recipes_timer, library,
                                      &library->recipes_timer);
}

static int library_go(struct role *role) {
        struct library *library = role->userdata;
        const struct conf *conf = role->conf;
        struct sandbox_path paths[2 * CONF_FLAG_REPEAT_MAX + ROLE_FOLDERS_MAX + 3];
        size_t n = 0;
        int r = load_recipes(library);

        for (size_t i = 0; i < role->n_folders; i++)
                paths[n++] = (struct sandbox_path){ role->folders[i].reachable,
                                                    SANDBOX_READ };
        /* Of Debian's shim it wants to know whom that trusts: media/signature.c. */
        paths[n++] = (struct sandbox_path){ "/usr/lib/shim", SANDBOX_READ };
        paths[n++] = (struct sandbox_path){ "/usr/lib/debian-installer/images",
                                            SANDBOX_READ };
        for (size_t i = 0; i < conf->media.n && i < CONF_FLAG_REPEAT_MAX; i++) {
                paths[n++] =
                        (struct sandbox_path){ conf->media.items[i], SANDBOX_READ };
                library->was_absent[i] =
                        access(role_path(role, conf->media.items[i]), F_OK) < 0;
                /* Without a notice the next look finds what changed. */
                (void)!loop_folder_new(role->loop,
                                       role_path(role, conf->media.items[i]), on_folder,
                                       library, &library->folders[i]);
        }
        paths[n++] = (struct sandbox_path){ conf->recipes, SANDBOX_READ };
        library->had_no_recipes = access(role_path(role, conf->recipes), F_OK) < 0;
        /* Without a notice a reload reads what changed. */
        (void)!loop_folder_new(role->loop, role_path(role, conf->recipes), on_recipe,
                               library, &library->own_recipes);
        if (r == 0)
                r = sandbox_enter(paths, n);
        if (r < 0)
                return r;
        look(library);
        return 0;
}

static void library_reconfigured(struct role *role, const struct conf *old) {
        /* Other folders mean another sandbox: the parent begins this role anew. */
        if (!(conf_diff(old, role->conf) & CONF_DIFF_FOLDERS))
                reread_recipes(role->userdata);
}

static void library_stop(struct role *role) {
        struct library *library = role->userdata;

        library->core = ipc_channel_free(library->core);
        library->unpack = ipc_channel_free(library->unpack);
        for (size_t i = 0; i < CONF_WORKERS_MAX; i++)
                library->files[i] = ipc_channel_free(library->files[i]);
        while (library->n_media > 0)
                forget(library, 0);
        for (size_t i = 0; i < CONF_FLAG_REPEAT_MAX; i++)
                loop_folder_free(library->folders[i]);
        loop_folder_free(library->own_recipes);
        loop_timer_free(library->timer);
        loop_timer_free(library->recipes_timer);
        media_recipes_free(library->recipes);
        free(library);
}

const struct role_methods library_methods = {
        .start = library_start,
        .message = library_message,
        .go = library_go,
        .reconfigured = library_reconfigured,
        .stop = library_stop,
};
