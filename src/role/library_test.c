/*
 * The library as its peers see it: the role itself runs in a child, sandbox and all;
 * the test is its parent, its core and its files workers, and changes a folder.
 */
#include <signal.h>

#include "base/event.h"
#include "ipc/sealed.h"
#include "media/index.h"
#include "role/role.h"

#include <sys/mman.h>

#include "test/check.h"
#include "test/tree.h"

enum { SEEN_MAX = 64, WAIT_SECONDS = 20 };

struct peer {
        struct ipc_channel *channel;
        struct { /* what it was given and not told to forget */
                struct ipc_medium head;
                char id[64]; /* of the first entry */
                char shown[TREE_PATH_MAX];
        } media[SEEN_MAX];
        size_t n_media, n_gone, n_settled, n_unpack;
};

struct fixture {
        char top[TREE_PATH_MAX], folder[TREE_PATH_MAX], aside[TREE_PATH_MAX];
        char recipes[TREE_PATH_MAX]; /* of one's own; "": there are none */
        char conf[3 * TREE_PATH_MAX];
        struct loop *loop;
        struct loop_timer *timer;
        struct ipc_channel *parent;
        struct peer core, files, unpack;
        pid_t child;
        bool is_ready, is_over, is_late;
        struct text events; /* their sentences, a line each */
};

/* ---- what the library says ---- */

static void note_medium(struct peer *peer, const struct ipc_message *message) {
        struct media_index index;
        struct medium medium;
        struct stat st;
        void *data;

        assert_int_equal(message->n_fds, 2);
        assert_true(peer->n_media < SEEN_MAX);
        assert_int_equal(fstat(message->fds[0], &st), 0);
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, message->fds[0],
                    0);
        assert_ptr_not_equal(data, MAP_FAILED);
        assert_int_equal(media_index_open(data, (size_t)st.st_size, &index), 0);
        media_index_medium(&index, &medium);
        for (size_t i = 0; i < peer->n_media; i++) /* told again under its name */
                if (strcmp(peer->media[i].head.name,
                           ((const struct ipc_medium *)message->body)->name) == 0)
                        peer->media[i] = peer->media[--peer->n_media];
        peer->media[peer->n_media].head = *(const struct ipc_medium *)message->body;
        snprintf(peer->media[peer->n_media].id, 64, "%s",
                 medium.n_entries ? medium.entries[0].id : "");
        snprintf(peer->media[peer->n_media].shown, TREE_PATH_MAX, "%s", medium.path);
        peer->n_media++;
        munmap(data, (size_t)st.st_size);
}

static void note_gone(struct peer *peer, uint64_t id) {
        for (size_t i = 0; i < peer->n_media; i++)
                if (peer->media[i].head.id == id) {
                        peer->media[i] = peer->media[--peer->n_media];
                        peer->n_gone++;
                        return;
                }
        fail_msg("a medium went that never came");
}

static void note_event(struct fixture *f, const struct ipc_message *message) {
        struct event event;

        assert_true(event_unpack(message->tail, message->n_tail, &event));
        event_sentence(&event, &f->events);
        text_char(&f->events, '\n');
}

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct fixture *f = userdata;
        struct peer *peer = channel == f->core.channel    ? &f->core
                            : channel == f->files.channel ? &f->files
                                                          : &f->unpack;

        if (message->kind == IPC_NONE && channel == f->parent)
                f->is_over = true;
        else if (message->kind == IPC_READY)
                f->is_ready = true;
        else if (message->kind == IPC_MEDIUM)
                note_medium(peer, message);
        else if (message->kind == IPC_MEDIUM_GONE)
                note_gone(peer, ((const struct ipc_medium *)message->body)->id);
        else if (message->kind == IPC_MEDIA_SETTLED)
                peer->n_settled++;
        else if (message->kind == IPC_UNPACK)
                peer->n_unpack++;
        else if (message->kind == IPC_EVENT)
                note_event(f, message);
        loop_stop(f->loop);
}

static void on_late(void *userdata) {
        struct fixture *f = userdata;

        f->is_late = true;
        loop_stop(f->loop);
}

#define WAIT_FOR(f, condition)                                                         \
        do {                                                                           \
                loop_timer_set((f)->timer, loop_now() + WAIT_SECONDS * NSEC_PER_SEC);  \
                while (!(condition) && !(f)->is_late)                                  \
                        loop_run((f)->loop);                                           \
                if (!(condition))                                                      \
                        fail_msg("never: %s; events:\n%s", #condition,                 \
                                 text_string(&(f)->events));                           \
        } while (0)

/* ---- the library ---- */

static void introduce(struct fixture *f, struct peer *peer, enum ipc_role role) {
        const struct ipc_peer body = { (uint32_t)role, 0 };
        int fds[2];

        *peer = (struct peer){ 0 };
        assert_int_equal(ipc_pair(fds), 0);
        assert_int_equal(
                ipc_channel_new(f->loop, fds[0], on_message, f, &peer->channel), 0);
        assert_int_equal(ipc_send(f->parent, IPC_PEER, &body, NULL, 0, &fds[1], 1), 0);
        close(fds[1]);
}

static void send_folder(struct fixture *f, const char *path, const char *as) {
        int fd = open(path, O_PATH | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(ipc_send(f->parent, IPC_FOLDER, NULL, as, strlen(as), &fd, 1),
                         0);
        close(fd);
}

static void start_child(struct fixture *f, int fds[static 2]) {
        static struct conf_flags flags;

        f->child = fork();
        assert_true(f->child >= 0);
        if (f->child == 0) {
                dup2(fds[1], ROLE_CHANNEL_FD);
                _exit(role_main(IPC_LIBRARY, &flags));
        }
        close(fds[1]);
        assert_int_equal(ipc_channel_new(f->loop, fds[0], on_message, f, &f->parent),
                         0);
}

/* `media` as the configuration has it, a list. */
static void start(struct fixture *f, const char *media, bool is_opened) {
        const struct ipc_start body = { .role = IPC_LIBRARY, .n_files = 1 };
        int fds[2], text;

        assert_int_equal(ipc_pair(fds), 0);
        start_child(f, fds);
        snprintf(f->conf, sizeof(f->conf), "media: [%s]\n%s%s\n", media,
                 f->recipes[0] ? "recipes: " : "", f->recipes);
        assert_int_equal(sealed_new(f->conf, strlen(f->conf), &text), 0);
        assert_int_equal(ipc_send(f->parent, IPC_START, &body, NULL, 0, &text, 1), 0);
        close(text);
        send_folder(f, getenv("RECIPES"), ROLE_RECIPES);
        if (is_opened)
                send_folder(f, media, media);
        if (f->recipes[0] && access(f->recipes, F_OK) == 0)
                send_folder(f, f->recipes, f->recipes);
        introduce(f, &f->core, IPC_CORE);
        introduce(f, &f->files, IPC_FILES);
        assert_int_equal(ipc_send(f->parent, IPC_GO, NULL, NULL, 0, NULL, 0), 0);
        WAIT_FOR(f, f->core.n_settled == 1 && f->is_ready);
}

static int set_up(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        tree_new(f->top);
        tree_path(f->top, "media", f->folder);
        tree_path(f->top, "aside", f->aside);
        assert(mkdir(f->folder, 0755) == 0 && mkdir(f->aside, 0755) == 0);
        assert(loop_new(&f->loop) == 0);
        assert(loop_timer_new(f->loop, on_late, f, &f->timer) == 0);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        struct fixture *f = *state;

        if (f->child > 0) {
                kill(f->child, SIGTERM);
                waitpid(f->child, NULL, 0);
        }
        ipc_channel_free(f->parent);
        ipc_channel_free(f->core.channel);
        ipc_channel_free(f->files.channel);
        ipc_channel_free(f->unpack.channel);
        loop_timer_free(f->timer);
        loop_free(f->loop);
        text_done(&f->events);
        tree_remove(f->top);
        free(f);
        return 0;
}

/* ---- media ---- */

/* aside/NAME: an image that is Debian's installer. */
static const char *make_image(struct fixture *f, const char *name,
                              char out[static TREE_PATH_MAX]) {
        char tree[TREE_PATH_MAX];

        tree_path(f->aside, "tree", tree);
        tree_file(tree, "debian-installer/amd64/linux", "kernel");
        tree_file(tree, "debian-installer/amd64/initrd.gz", "initrd");
        tree_file(tree, "version.info", "Debian version: 12 (bookworm)\n");
        tree_path(f->aside, name, out);
        tree_iso(tree, "X", TREE_ROCK_RIDGE, out);
        tree_remove(tree);
        return out;
}

static void move_in(struct fixture *f, const char *from, const char *name) {
        char to[TREE_PATH_MAX];

        assert_int_equal(rename(from, tree_path(f->folder, name, to)), 0);
}

static void add_image(struct fixture *f, const char *name) {
        char path[TREE_PATH_MAX];

        move_in(f, make_image(f, name, path), name);
}

static bool has(const struct peer *peer, const char *name, const char *id) {
        for (size_t i = 0; i < peer->n_media; i++)
                if (strcmp(peer->media[i].head.name, name) == 0 &&
                    strcmp(peer->media[i].id, id) == 0)
                        return true;
        return false;
}

static bool was_said(const struct fixture *f, const char *what) {
        return strstr(text_string(&f->events), what) != NULL;
}

static void what_is_there_is_published_before_it_settles(void **state) {
        struct fixture *f = *state;
        char shown[TREE_PATH_MAX];

        add_image(f, "Some Name.iso");
        tree_file(f->folder, "broken.iso", "not an image");
        tree_file(f->folder, "tree/debian-installer/amd64/linux", "");
        tree_file(f->folder, "tree/debian-installer/amd64/initrd.gz", "");
        start(f, f->folder, true);
        assert_int_equal(f->core.n_media, 2);
        assert_true(has(&f->core, "some-name", "debian-12"));
        assert_true(has(&f->core, "tree", "debian"));
        assert_string_equal(f->core.media[0].shown,
                            tree_path(f->folder, "Some Name.iso", shown));
        WAIT_FOR(f, f->files.n_media == 2);
        assert_true(was_said(f, "medium some-name: debian 12 text (amd64), 1 in the"));
        assert_true(was_said(f, "broken.iso is not served: not an ISO image"));
}

static void an_image_comes_and_goes_while_it_runs(void **state) {
        struct fixture *f = *state;
        char path[TREE_PATH_MAX];

        start(f, f->folder, true);
        assert_int_equal(f->core.n_media, 0);
        add_image(f, "new.iso");
        WAIT_FOR(f, has(&f->core, "new", "debian-12") && f->files.n_media == 1);
        assert_int_equal(unlink(tree_path(f->folder, "new.iso", path)), 0);
        WAIT_FOR(f, f->core.n_gone == 1 && f->files.n_gone == 1);
        WAIT_FOR(f, was_said(f, "medium new has gone"));
        assert_int_equal(f->core.n_media, 0);
}

static void a_replaced_image_is_another_medium(void **state) {
        struct fixture *f = *state;
        uint64_t before;

        add_image(f, "a.iso");
        start(f, f->folder, true);
        assert_int_equal(f->core.n_media, 1);
        before = f->core.media[0].head.id;
        add_image(f, "a.iso");
        WAIT_FOR(f, f->core.n_gone == 1 && f->core.n_media == 1);
        assert_int_not_equal(f->core.media[0].head.id, before);
        assert_true(has(&f->core, "a", "debian-12"));
}

static void names_and_ids_are_kept_apart(void **state) {
        struct fixture *f = *state;
        char path[TREE_PATH_MAX];

        add_image(f, "a b.iso");
        start(f, f->folder, true);
        assert_true(has(&f->core, "a-b", "debian-12"));
        add_image(f, "A-B.iso");
        WAIT_FOR(f, has(&f->core, "a-b-2", "debian-12-2"));
        /* Whoever was there keeps its name when the first goes. */
        assert_int_equal(unlink(tree_path(f->folder, "a b.iso", path)), 0);
        WAIT_FOR(f, f->core.n_gone == 1);
        assert_true(has(&f->core, "a-b-2", "debian-12-2"));
        add_image(f, "third.iso");
        WAIT_FOR(f, has(&f->core, "third", "debian-12"));
}

static void an_image_that_grows_is_waited_for(void **state) {
        struct fixture *f = *state;
        char path[TREE_PATH_MAX];
        uint8_t *data;
        size_t n, pieces = 10;
        FILE *file;

        start(f, f->folder, true);
        data = tree_read(make_image(f, "slow.iso", path), &n);
        file = fopen(tree_path(f->folder, "slow.iso", path), "we");
        assert_non_null(file);
        for (size_t i = 0; i < pieces; i++) {
                size_t from = n * i / pieces, to = n * (i + 1) / pieces;

                /* Truncated at each of these moments, and never left alone. */
                assert_int_equal(fwrite(data + from, 1, to - from, file), to - from);
                assert_int_equal(fflush(file), 0);
                f->is_late = false;
                loop_timer_set(f->timer, loop_now() + 150 * NSEC_PER_MSEC);
                while (!f->is_late)
                        loop_run(f->loop);
                f->is_late = false;
        }
        fclose(file);
        WAIT_FOR(f, has(&f->core, "slow", "debian-12"));
        assert_false(was_said(f, "not served"));
        free(data);
}

static void a_truncated_image_that_stays_is_refused_and_then_mended(void **state) {
        struct fixture *f = *state;
        char path[TREE_PATH_MAX];
        uint8_t *data;
        size_t n;

        start(f, f->folder, true);
        data = tree_read(make_image(f, "half.iso", path), &n);
        tree_bytes(f->folder, "half.iso", data, 40000);
        WAIT_FOR(f, was_said(f, "half.iso is not served: truncated: 40000 of "));
        assert_int_equal(f->core.n_media, 0);
        tree_bytes(f->folder, "half.iso", data, n);
        WAIT_FOR(f, has(&f->core, "half", "debian-12"));
        free(data);
}

static void a_new_core_is_told_of_everything(void **state) {
        struct fixture *f = *state;

        add_image(f, "a.iso");
        start(f, f->folder, true);
        ipc_channel_free(f->core.channel);
        introduce(f, &f->core, IPC_CORE);
        WAIT_FOR(f, f->core.n_settled == 1);
        assert_true(has(&f->core, "a", "debian-12"));
        ipc_channel_free(f->files.channel);
        introduce(f, &f->files, IPC_FILES);
        WAIT_FOR(f, has(&f->files, "a", "debian-12"));
}

/* Either the kernel has no Landlock and the medium is read, or the role asks for a new
 * sandbox by ending, and the next one reads it. */
static void a_folder_that_comes_later_is_read(void **state) {
        struct fixture *f = *state;
        char late[TREE_PATH_MAX];

        tree_path(f->top, "late", late);
        start(f, late, false);
        add_image(f, "a.iso");
        assert_int_equal(rename(f->folder, late), 0);
        WAIT_FOR(f, f->is_over || f->core.n_media == 1);
        if (f->is_over) {
                int status;

                assert_int_equal(waitpid(f->child, &status, 0), f->child);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                ipc_channel_free(f->parent);
                ipc_channel_free(f->core.channel);
                ipc_channel_free(f->files.channel);
                start(f, late, false);
        }
        assert_true(has(&f->core, "a", "debian-12"));
}

/* Whoever unpacks may be ended by what it unpacks: three times, and no more. */
static void an_archive_that_nobody_survives_is_given_up(void **state) {
        struct fixture *f = *state;

        tree_file(f->folder, "bad.tar.gz", "kills");
        start(f, f->folder, true);
        for (unsigned turn = 0; turn < 3; turn++) {
                introduce(f, &f->unpack, IPC_UNPACK_ROLE);
                WAIT_FOR(f, f->unpack.n_unpack == 1);
                f->unpack.channel = ipc_channel_free(f->unpack.channel);
        }
        introduce(f, &f->unpack, IPC_UNPACK_ROLE);
        WAIT_FOR(f, was_said(f, "bad.tar.gz is not served: whoever unpacked it"));
        assert_int_equal(f->unpack.n_unpack, 0);
}

/* ---- recipes of one's own ---- */

static void write_recipe(struct fixture *f, const char *name, const char *what) {
        char text[512];

        snprintf(text, sizeof(text),
                 "system: thing\n"
                 "match: [{file: debian-installer/amd64/linux}]\n"
                 "find: [{let: {arch: amd64}}]\n"
                 "entries: [{%s: %s, title: A thing, "
                 "kernel: debian-installer/amd64/linux}]\n",
                 what, what[0] == 'i' ? name : "x");
        tree_file(f->recipes, name, text);
}

static void reload(struct fixture *f) {
        int text;

        assert_int_equal(sealed_new(f->conf, strlen(f->conf), &text), 0);
        assert_int_equal(ipc_send(f->parent, IPC_CONFIG, NULL, NULL, 0, &text, 1), 0);
        close(text);
}

static void start_with_recipes(struct fixture *f) {
        assert_int_equal(mkdir(tree_path(f->top, "recipes", f->recipes), 0755), 0);
        add_image(f, "a.iso");
        start(f, f->folder, true);
        WAIT_FOR(f, has(&f->files, "a", "debian-12"));
}

static void recipes_are_read_again_by_a_reload(void **state) {
        struct fixture *f = *state;
        uint64_t before;

        start_with_recipes(f);
        before = f->files.media[0].head.id;
        reload(f);
        tree_file(f->recipes, "10-other.yaml",
                  "system: other\nmatch: [{file: nowhere}]\n"
                  "entries: [{id: o, title: O, kernel: o}]\n");
        reload(f);
        WAIT_FOR(f, was_said(f, "read again, and 0 media seen otherwise"));
        /* The first of the two changed nothing, and said nothing. */
        assert_string_equal(strstr(text_string(&f->events), "the recipes"),
                            "the recipes are read again, and 0 media seen otherwise\n");
        assert_int_equal(f->files.media[0].head.id, before);
        write_recipe(f, "10-one.yaml", "id");
        reload(f);
        WAIT_FOR(f, has(&f->core, "a", "10-one.yaml") &&
                            has(&f->files, "a", "10-one.yaml"));
        /* The same name and no farewell: nobody's transfer ends. */
        assert_int_equal(f->files.n_gone, 0);
        assert_int_not_equal(f->files.media[0].head.id, before);
        WAIT_FOR(f, was_said(f, "read again, and 1 media seen otherwise"));
        assert_true(was_said(f, "medium a: thing (amd64), 1 in the menu"));
}

static void a_recipe_that_changes_is_read_without_a_reload(void **state) {
        struct fixture *f = *state;
        char path[TREE_PATH_MAX];

        start_with_recipes(f);
        write_recipe(f, "10-one.yaml", "id");
        WAIT_FOR(f, has(&f->core, "a", "10-one.yaml"));
        assert_int_equal(unlink(tree_path(f->recipes, "10-one.yaml", path)), 0);
        WAIT_FOR(f, has(&f->core, "a", "debian-12"));
}

static void a_wrong_recipe_leaves_those_of_before(void **state) {
        struct fixture *f = *state;

        start_with_recipes(f);
        write_recipe(f, "20-good.yaml", "id");
        WAIT_FOR(f, has(&f->core, "a", "20-good.yaml"));
        write_recipe(f, "10-wrong.yaml", "iid");
        WAIT_FOR(f, was_said(f, "the recipes of before stay: "));
        assert_true(was_said(f, "recipes/10-wrong.yaml:4:"));
        assert_true(was_said(f, "the nearest is 'id'"));
        text_done(&f->events);
        f->events = (struct text){ 0 };
        reload(f);
        WAIT_FOR(f, was_said(f, "the recipes of before stay: "));
        assert_true(has(&f->core, "a", "20-good.yaml"));
        write_recipe(f, "10-wrong.yaml", "id");
        WAIT_FOR(f, has(&f->core, "a", "10-wrong.yaml"));
}

/* As a_folder_that_comes_later_is_read: by another sandbox, if there is one. */
static void a_folder_of_recipes_that_comes_later_is_read(void **state) {
        struct fixture *f = *state;

        tree_path(f->top, "recipes", f->recipes);
        add_image(f, "a.iso");
        start(f, f->folder, true);
        assert_int_equal(mkdir(f->recipes, 0755), 0);
        write_recipe(f, "10-one.yaml", "id");
        reload(f);
        WAIT_FOR(f, f->is_over);
        assert_int_equal(waitpid(f->child, NULL, 0), f->child);
        ipc_channel_free(f->parent);
        ipc_channel_free(f->core.channel);
        ipc_channel_free(f->files.channel);
        start(f, f->folder, true);
        assert_true(has(&f->core, "a", "10-one.yaml"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {
                CASE(what_is_there_is_published_before_it_settles),
                CASE(an_image_comes_and_goes_while_it_runs),
                CASE(a_replaced_image_is_another_medium),
                CASE(names_and_ids_are_kept_apart),
                CASE(an_image_that_grows_is_waited_for),
                CASE(a_truncated_image_that_stays_is_refused_and_then_mended),
                CASE(a_new_core_is_told_of_everything),
                CASE(a_folder_that_comes_later_is_read),
                CASE(recipes_are_read_again_by_a_reload),
                CASE(a_recipe_that_changes_is_read_without_a_reload),
                CASE(a_wrong_recipe_leaves_those_of_before),
                CASE(a_folder_of_recipes_that_comes_later_is_read),
                CASE(an_archive_that_nobody_survives_is_given_up),
        };

        return check_run("role/library", tests);
}
