/*
 * The other processes: started, told their place, started again when they die. One that
 * dies again and again is waited for longer each time. A new one gets new channels to
 * its peers; they replace the old ones and send what it must know.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "role/parent.h"

enum { FLAGS_MAX = 2 * (2 * CONF_FLAG_REPEAT_MAX) + 16 };

static const nsec_t wait_first = 100 * NSEC_PER_MSEC, wait_most = 10 * NSEC_PER_SEC,
                    life_good = 30 * NSEC_PER_SEC;

struct parent_child *parent_child(struct parent *parent, enum ipc_role kind,
                                  uint32_t index) {
        for (size_t i = 0; i < parent->n_children; i++)
                if (parent->children[i].kind == kind &&
                    parent->children[i].index == index)
                        return &parent->children[i];
        return NULL;
}

static void add_flag(char **argv, size_t *n, const char *flag, const char *value) {
        if (value) {
                argv[(*n)++] = (char *)(uintptr_t)flag;
                argv[(*n)++] = (char *)(uintptr_t)value;
        }
}

/* Only calls that are safe after fork(), then the program anew. */
static void become_child(struct parent *parent, const struct parent_child *child,
                         int channel) {
        const struct conf_flags *flags = parent->flags;
        char *argv[FLAGS_MAX] = { (char *)(uintptr_t) "bootjack",
                                  (char *)(uintptr_t) "role",
                                  (char *)(uintptr_t)ipc_role_name(child->kind) };
        size_t n = 3;
        sigset_t none;

        for (size_t i = 0; flags->interfaces[i]; i++)
                add_flag(argv, &n, "--interface", flags->interfaces[i]);
        for (size_t i = 0; flags->media[i]; i++)
                add_flag(argv, &n, "--media", flags->media[i]);
        add_flag(argv, &n, "--root", flags->root);
        add_flag(argv, &n, "--state", flags->state);
        add_flag(argv, &n, "--dhcp", flags->dhcp);
        add_flag(argv, &n, "--user", flags->user);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        /* dup2() clears close-on-exec, unless it is the very descriptor already. */
        if (channel == ROLE_CHANNEL_FD)
                fcntl(channel, F_SETFD, 0);
        else if (dup2(channel, ROLE_CHANNEL_FD) < 0)
                _exit(EXIT_FAILURE);
        fexecve(parent->executable, argv, environ);
        _exit(127);
}

static void send_folders(struct parent *parent, struct parent_child *child) {
        if (child->kind != IPC_LIBRARY && child->kind != IPC_FILES)
                return;
        for (size_t i = 0; i < parent->n_folders; i++)
                (void)ipc_send(child->channel, IPC_FOLDER, NULL,
                               parent->folders[i].path, strlen(parent->folders[i].path),
                               &parent->folders[i].fd, 1);
}

static bool are_peers(enum ipc_role a, enum ipc_role b) {
        /* It has but one: role/unpack.c. */
        if (a == IPC_UNPACK_ROLE || b == IPC_UNPACK_ROLE)
                return a == IPC_LIBRARY || b == IPC_LIBRARY;
        return (a == IPC_CORE && b != IPC_CORE) || (b == IPC_CORE && a != IPC_CORE) ||
               (a == IPC_LIBRARY && b == IPC_FILES) ||
               (a == IPC_FILES && b == IPC_LIBRARY);
}

static void introduce(struct parent_child *a, struct parent_child *b) {
        struct ipc_peer to_a = { (uint32_t)b->kind, b->index };
        struct ipc_peer to_b = { (uint32_t)a->kind, a->index };
        int fds[2];

        if (ipc_pair(fds) < 0)
                return;
        (void)ipc_send(a->channel, IPC_PEER, &to_a, NULL, 0, &fds[0], 1);
        (void)ipc_send(b->channel, IPC_PEER, &to_b, NULL, 0, &fds[1], 1);
        close(fds[0]);
        close(fds[1]);
}

static void tell_place(struct parent *parent, struct parent_child *child) {
        struct ipc_start start = { .role = (uint32_t)child->kind,
                                   .index = child->index,
                                   .n_files = parent->n_workers,
                                   .is_restart = child->n_starts > 1 };

        (void)ipc_send(child->channel, IPC_START, &start, NULL, 0, &parent->conf_text,
                       1);
        send_folders(parent, child);
        parent_send_certificate(parent, child);
        parent_send_nfs_key(parent, child);
        parent_send_doors(parent, child);
        for (size_t i = 0; i < parent->n_children; i++) {
                struct parent_child *other = &parent->children[i];

                if (other->channel && are_peers(child->kind, other->kind))
                        introduce(child, other);
        }
}

static void look_whether_all_are_ready(struct parent *parent) {
        if (parent->is_serving)
                return;
        for (size_t i = 0; i < parent->n_children; i++)
                if (!parent->children[i].is_ready)
                        return;
        parent->is_serving = true;
        parent_on_serving(parent);
}

static void on_message(struct ipc_channel *channel, const struct ipc_message *message,
                       void *userdata) {
        struct parent_child *child = userdata;

        switch (message->kind) {
        case IPC_NONE: /* its end; SIGCHLD tells how */
                child->channel = ipc_channel_free(child->channel);
                break;
        case IPC_READY:
                child->is_ready = true;
                if (child->kind == IPC_CORE)
                        parent_send_waiting(child->parent, channel);
                look_whether_all_are_ready(child->parent);
                break;
        case IPC_NEED:
                if (child->kind == IPC_CORE)
                        parent_on_need(child->parent,
                                       ((const struct ipc_need *)message->body)->door);
                break;
        case IPC_RELOAD:
                if (child->kind == IPC_CORE)
                        parent_reload(child->parent);
                break;
        default:
                break;
        }
}

static int start_child(struct parent_child *child) {
        struct parent *parent = child->parent;
        int fds[2], r = ipc_pair(fds), pid;

        if (r < 0)
                return r;
        pid = fork();
        if (pid == 0)
                become_child(parent, child, fds[1]);
        close(fds[1]);
        if (pid < 0) {
                close(fds[0]);
                return -errno;
        }
        child->pid = pid;
        child->is_ready = child->is_sent_away = false;
        child->n_starts++;
        child->started = loop_now();
        return ipc_channel_new(parent->loop, fds[0], on_message, child,
                               &child->channel);
}

static void say_started(struct parent_child *child) {
        struct event event = { .kind = EVENT_ROLE_STARTED };

        event.values[0] = (struct event_value)EVENT_TEXT(ipc_role_name(child->kind));
        event.values[1] = (struct event_value)EVENT_U64((uint64_t)child->pid);
        parent_event(child->parent, &event);
}

static void on_timer(void *userdata) {
        struct parent_child *child = userdata;
        int r = start_child(child);

        if (r < 0) {
                fprintf(stderr, "bootjack: cannot start %s: %s\n",
                        ipc_role_name(child->kind), strerror(-r));
                loop_timer_set(child->timer, loop_now() + wait_most);
                return;
        }
        tell_place(child->parent, child);
        (void)ipc_send(child->channel, IPC_GO, NULL, NULL, 0, NULL, 0);
        say_started(child);
}

int parent_start_children(struct parent *parent) {
        static const enum ipc_role kinds[] = { IPC_CORE, IPC_ADMIN, IPC_LIBRARY,
                                               IPC_UNPACK_ROLE };
        int r = 0;

        parent->n_children = ARRAY_SIZE(kinds) + parent->n_workers;
        for (size_t i = 0; i < parent->n_children && r == 0; i++) {
                struct parent_child *child = &parent->children[i];

                child->parent = parent;
                child->kind = i < ARRAY_SIZE(kinds) ? kinds[i] : IPC_FILES;
                child->index =
                        i < ARRAY_SIZE(kinds) ? 0 : (uint32_t)(i - ARRAY_SIZE(kinds));
                child->wait = wait_first;
                r = loop_timer_new(parent->loop, on_timer, child, &child->timer);
        }
        for (size_t i = 0; i < parent->n_children && r == 0; i++) {
                r = start_child(&parent->children[i]);
                if (r == 0)
                        tell_place(parent, &parent->children[i]);
        }
        for (size_t i = 0; i < parent->n_children && r == 0; i++)
                (void)ipc_send(parent->children[i].channel, IPC_GO, NULL, NULL, 0, NULL,
                               0);
        return r < 0 ? parent_fail("cannot start the roles: %s", strerror(-r)) : 0;
}

void parent_renew(struct parent *parent, enum ipc_role kind) {
        for (size_t i = 0; i < parent->n_children; i++) {
                struct parent_child *child = &parent->children[i];

                if (child->kind == kind && child->pid > 0) {
                        child->is_sent_away = true;
                        child->is_ready = false;
                        kill(child->pid, SIGTERM);
                }
        }
}

static void say_died(struct parent_child *child, int status) {
        char how[64];
        struct event event = { .kind = EVENT_ROLE_DIED };

        if (WIFSIGNALED(status))
                snprintf(how, sizeof(how), "signal %d, %s", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
        else
                snprintf(how, sizeof(how), "exit code %d", WEXITSTATUS(status));
        event.values[0] = (struct event_value)EVENT_TEXT(ipc_role_name(child->kind));
        event.values[1] = (struct event_value)EVENT_TEXT(how);
        parent_event(child->parent, &event);
}

static void on_end(struct parent_child *child, int status) {
        struct parent *parent = child->parent;
        bool was_asked = child->is_sent_away;

        child->pid = 0;
        child->is_ready = false;
        child->channel = ipc_channel_free(child->channel);
        if (parent->is_stopping)
                return;
        if (!parent->is_serving) {
                /* There is nothing to go on with; it has said why. */
                if (WIFSIGNALED(status) || WEXITSTATUS(status) != EXIT_FAILURE)
                        say_died(child, status);
                parent_stop(parent, EXIT_FAILURE);
                return;
        }
        if (was_asked) {
                loop_timer_set(child->timer, loop_now());
                return;
        }
        /* One that ends in good order wants to begin anew: role/library.c. */
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
                say_died(child, status);
        if (loop_now() - child->started > life_good)
                child->wait = wait_first;
        loop_timer_set(child->timer, loop_now() + child->wait);
        child->wait = min_u64(child->wait * 2, wait_most);
}

void parent_on_child_signal(int number, void *userdata) {
        struct parent *parent = userdata;
        int status;

        for (size_t i = 0; i < parent->n_children; i++) {
                struct parent_child *child = &parent->children[i];

                if (child->pid > 0 &&
                    waitpid(child->pid, &status, WNOHANG) == child->pid)
                        on_end(child, status);
        }
        if (parent->is_stopping && !parent_is_any_running(parent))
                loop_stop(parent->loop);
}

bool parent_is_any_running(const struct parent *parent) {
        for (size_t i = 0; i < parent->n_children; i++)
                if (parent->children[i].pid > 0)
                        return true;
        return false;
}

void parent_signal_children(struct parent *parent, int number) {
        for (size_t i = 0; i < parent->n_children; i++)
                if (parent->children[i].pid > 0)
                        kill(parent->children[i].pid, number);
}

void parent_free_children(struct parent *parent) {
        for (size_t i = 0; i < parent->n_children; i++) {
                ipc_channel_free(parent->children[i].channel);
                loop_timer_free(parent->children[i].timer);
        }
}
