/*
 * The parent: reads the configuration, opens what needs rights, gives its own up but
 * for two, starts the others and keeps them alive. It never looks into a packet or an
 * image.
 *
 * The order matters: folders are opened while we are root, so that media below a
 * private home can be served; then we become nobody in particular; then sockets are
 * opened, because those that share a port must all belong to one user.
 */
#include "role/parent.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/log.h"
#include "ipc/sealed.h"
#include "media/media.h"
#include "role/notify.h"
#include "sandbox/sandbox.h"

#define CONTROL_DEFAULT "/run/bootjack/control"
#define STATE_DEFAULT   "/var/lib/bootjack"
#define MEDIA_DEFAULT   "/var/lib/bootjack/media"

int parent_fail(const char *format, ...) {
        va_list arguments;

        fputs("bootjack: ", stderr);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        return EXIT_FAILURE;
}

/* The core logs for everybody and keeps the history; while it is away, what happens
 * waits for it, and what is too much is at least logged. */
void parent_event(struct parent *parent, struct event *event) {
        struct parent_child *core = parent_child(parent, IPC_CORE, 0);
        struct parent_waiting *waiting = &parent->waiting[parent->n_waiting];

        if (event->time == 0)
                event->time = loop_realtime();
        if (core && core->is_ready) {
                role_event(core->channel, event);
        } else if (parent->is_serving && parent->n_waiting < PARENT_WAITING_MAX) {
                waiting->n =
                        event_pack(event, waiting->packed, sizeof(waiting->packed));
                parent->n_waiting += waiting->n > 0;
        } else {
                log_event(event);
        }
}

void parent_send_waiting(struct parent *parent, struct ipc_channel *core) {
        for (size_t i = 0; i < parent->n_waiting; i++)
                (void)ipc_send(core, IPC_EVENT, NULL, parent->waiting[i].packed,
                               parent->waiting[i].n, NULL, 0);
        parent->n_waiting = 0;
}

/* At the end, when no core will come any more. */
static void log_waiting(struct parent *parent) {
        struct event event;

        for (size_t i = 0; i < parent->n_waiting; i++)
                if (event_unpack(parent->waiting[i].packed, parent->waiting[i].n,
                                 &event))
                        log_event(&event);
        parent->n_waiting = 0;
}

/* ---- configuration ---- */

static int parse(struct parent *parent, const char *name, const char *text, size_t n,
                 bool is_told, struct conf **ret) {
        struct conf_problems problems = { 0 };
        struct text message = { 0 };
        int r = conf_parse(name, text, n, parent->flags, ret, &problems);

        conf_problems_format(&problems, &message);
        if (!is_told)
                fputs(text_string(&message), stderr);
        text_done(&message);
        conf_problems_done(&problems);
        return r == 0 ? 0 : r > 0 ? EXIT_FAILURE : parent_fail("out of memory");
}

/* ./media if there is one, else the folder in our state. Becomes a flag, so that every
 * role sees the same. A service stands in /, where /media is for other things. */
static int choose_default_media(struct parent *parent) {
        static char found[PATH_MAX];
        struct stat st;

        if (realpath("media", found) && strcmp(found, "/media") != 0 &&
            stat(found, &st) == 0 && S_ISDIR(st.st_mode)) {
                parent->flags->media[0] = found;
                return 0;
        }
        parent->flags->media[0] = MEDIA_DEFAULT;
        return 0;
}

/* *ret_fd is the text, for the roles. Nothing is left behind after a failure. */
static int load(struct parent *parent, struct conf **ret_conf, int *ret_fd) {
        struct text why = { 0 };
        struct conf *conf = NULL;
        const char *name;
        char *text = NULL;
        size_t n;
        int r = conf_load(parent->flags, &text, &n, &name, &why), sealed;

        if (r != 0)
                r = parent_fail("%s", r < 0 ? "out of memory" : text_string(&why));
        text_done(&why);
        if (r == 0)
                r = parse(parent, name, text, n, false, &conf);
        if (r == 0 && conf->media.n == 0) {
                conf = conf_free(conf);
                r = choose_default_media(parent);
                if (r == 0)
                        r = parse(parent, name, text, n, true, &conf);
        }
        sealed = r == 0 ? sealed_new(text, n, ret_fd) : 0;
        if (sealed < 0)
                r = parent_fail("cannot hand on the configuration: %s",
                                strerror(-sealed));
        free(text);
        if (r == 0)
                *ret_conf = conf;
        else
                conf_free(conf);
        return r;
}

/* ---- folders ---- */

static void open_folder(struct parent *parent, const char *path, const char *as) {
        struct role_folder *folder = &parent->folders[parent->n_folders];
        int fd;

        if (parent->n_folders == ROLE_FOLDERS_MAX || path[0] == '\0')
                return;
        fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return; /* it may come later, or whoever needs it says so */
        folder->path = strdup(as);
        folder->fd = fd;
        if (folder->path)
                parent->n_folders++;
        else
                close(fd);
}

static void close_folders(struct parent *parent) {
        for (size_t i = 0; i < parent->n_folders; i++) {
                close(parent->folders[i].fd);
                free(parent->folders[i].path);
        }
        parent->n_folders = 0;
}

static void open_recipes(struct parent *parent) {
        struct text folder = { 0 };

        /* The library, which needs them, says what is missing. */
        if (media_recipes_folder(&folder))
                open_folder(parent, text_string(&folder), ROLE_RECIPES);
        text_done(&folder);
}

static void open_folders(struct parent *parent) {
        const struct conf *conf = parent->conf;

        open_recipes(parent);
        open_folder(parent, conf->recipes, conf->recipes);
        open_folder(parent, conf->root, conf->root);
        for (size_t i = 0; i < conf->media.n; i++)
                open_folder(parent, conf->media.items[i], conf->media.items[i]);
        for (size_t i = 0; i < conf->loaders.n; i++)
                open_folder(parent, conf->loaders.items[i], conf->loaders.items[i]);
}

static int make_folder(const char *path, mode_t mode, const struct passwd *owner) {
        char copy[PATH_MAX];

        if (strlen(path) >= sizeof(copy))
                return -ENAMETOOLONG;
        strcpy(copy, path);
        for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
                *at = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *at = '/';
        }
        if (mkdir(copy, mode) < 0)
                return errno == EEXIST ? 0 : -errno;
        if (owner && chown(copy, owner->pw_uid, owner->pw_gid) < 0)
                return -errno;
        return 0;
}

/* The folders that we write to. What was made by an earlier user is taken over: the
 * state must never be lost to a change of `user`. */
static int make_state(struct parent *parent, const struct passwd *owner) {
        const char *state = parent->conf->state;
        bool is_default = strcmp(state, STATE_DEFAULT) == 0;
        char file[PATH_MAX];
        static const char *const files[] = {
                "",         "/state.db", "/state.db-wal", "/state.db-shm",
                "/nfs.key", "/unpacked", PARENT_TLS_FILES
        };
        int r = make_folder(state, 0750, owner);

        if (r == 0) {
                snprintf(file, sizeof(file), "%s/unpacked", state);
                r = make_folder(file, 0750, owner);
        }

        if (r < 0)
                return parent_fail(
                        "cannot make the state folder %s: %s; another can be "
                        "given with --state",
                        state, strerror(-r));
        for (size_t i = 0; owner && i < ARRAY_SIZE(files); i++) {
                snprintf(file, sizeof(file), "%s%s", state, files[i]);
                if (lchown(file, owner->pw_uid, owner->pw_gid) < 0 && errno != ENOENT)
                        return parent_fail("cannot own %s: %s", file, strerror(errno));
        }
        if (parent->flags->media[0] &&
            strcmp(parent->flags->media[0], MEDIA_DEFAULT) == 0)
                (void)make_folder(MEDIA_DEFAULT, 0755, NULL);
        if (is_default && make_folder("/run/bootjack", 0755, owner) == 0 &&
            access("/run/bootjack", W_OK) == 0)
                strcpy(parent->control, CONTROL_DEFAULT);
        else if (snprintf(parent->control, sizeof(parent->control), "%s/control",
                          state) >= (int)sizeof(parent->control))
                return parent_fail("the path of the state folder is too long for a "
                                   "control socket: %s",
                                   state);
        return 0;
}

static int become_user(struct parent *parent) {
        const char *user = parent->conf->user;
        const struct passwd *entry = getpwnam(user);
        int r;

        if (geteuid() != 0 && !sandbox_can_serve())
                return parent_fail(
                        "needs the right to open low ports and packet sockets: "
                        "run it as root (it gives the rest up by itself), or "
                        "with CAP_NET_BIND_SERVICE and CAP_NET_RAW");
        /* Only the default may be missing: a name that somebody wrote must exist. */
        if (geteuid() == 0 && !entry) {
                if (strcmp(user, "bootjack") != 0)
                        return parent_fail("there is no user '%s'", user);
                user = "nobody";
                entry = getpwnam(user);
        }
        r = make_state(parent, geteuid() == 0 ? entry : NULL);
        if (r != 0)
                return r;
        r = sandbox_become(user);
        if (r != 0)
                return parent_fail("cannot become the user '%s': %s", user,
                                   r > 0 ? "there is no such user" : strerror(-r));
        return 0;
}

/* ---- access log ---- */

static int open_access_log(struct parent *parent) {
        const char *path = parent->conf->http.access_log;

        for (uint32_t i = 0; path[0] && i < parent->n_workers; i++) {
                int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

                if (fd < 0)
                        return parent_fail("http.access-log %s: %s", path,
                                           strerror(errno));
                parent->doors[parent->n_doors++] =
                        (struct parent_door){ .socket = { .door = IPC_DOOR_LOG },
                                              .role = IPC_FILES,
                                              .index = i,
                                              .fd = fd };
        }
        return 0;
}

/* ---- life ---- */

static void describe_interfaces(const struct parent *parent, struct text *out) {
        for (size_t i = 0; i < parent->n_interfaces; i++) {
                const struct net_interface *interface = &parent->interfaces[i];

                text_add(out, i > 0 ? ", " : "");
                text_add(out, interface->name);
                for (size_t j = 0; j < net_n_addresses(interface); j++) {
                        text_add(out, j > 0 ? " and " : " ");
                        text_ip4(out, net_address(interface, j).address);
                }
        }
}

static const char *mode_text(const struct conf *conf) {
        switch (conf->dhcp.mode) {
        case CONF_DHCP_SERVER:
                return "DHCP server: gives addresses, and what to boot";
        case CONF_DHCP_PROXY:
                return "proxyDHCP: another server gives addresses, this one what to "
                       "boot";
        default:
                return "DHCP off: another server must point machines here";
        }
}

static void print_port(const char *name, uint16_t port) {
        if (port)
                fprintf(stderr, "  %s on port %u", name, port);
        else
                fprintf(stderr, "  %s off", name);
}

static void print_banner(const struct parent *parent) {
        const struct conf *conf = parent->conf;
        char from[IP4_TEXT_MAX], to[IP4_TEXT_MAX];
        struct text interfaces = { 0 };

        describe_interfaces(parent, &interfaces);
        fprintf(stderr, "Bootjack serves on %s\n", text_string(&interfaces));
        fprintf(stderr, "  %s\n", mode_text(conf));
        for (size_t i = 0; i < conf->dhcp.n_subnets; i++)
                for (size_t j = 0; conf->dhcp.mode == CONF_DHCP_SERVER &&
                                   j < conf->dhcp.subnets[i].n_pools;
                     j++)
                        fprintf(stderr, "  addresses %s to %s\n",
                                ip4_format(conf->dhcp.subnets[i].pools[j].first, from),
                                ip4_format(conf->dhcp.subnets[i].pools[j].last, to));
        print_port("TFTP", conf->tftp.port);
        print_port("HTTP", conf->http.port);
        if (conf->nfs.mode == CONF_WHEN_NEEDED)
                fputs("  NFS when a medium needs it", stderr);
        else
                print_port("NFS", conf->nfs.mode == CONF_ON ? conf->nfs.port : 0);
        print_port("HTTPS", conf->https.port);
        print_port("FTP", conf->ftp.port);
        fputc('\n', stderr);
        if (conf->root[0])
                fprintf(stderr, "  root   %s\n", conf->root);
        for (size_t i = 0; i < conf->media.n; i++)
                fprintf(stderr, "  media  %s\n", conf->media.items[i]);
        fprintf(stderr,
                "  answers BIOS with pxelinux, UEFI x64 with %s; "
                "sandbox: %s\n"
                "Look next: bootjack status | media | events --follow%s%s\n",
                conf->dhcp.mode == CONF_DHCP_PROXY ? "iPXE" : "GRUB",
                sandbox_describe(),
                strcmp(parent->control, CONTROL_DEFAULT) == 0 ? "" : " --state ",
                strcmp(parent->control, CONTROL_DEFAULT) == 0 ? "" : conf->state);
        text_done(&interfaces);
}

void parent_on_serving(struct parent *parent) {
        print_banner(parent);
        parent_say_certificate(parent);
        notify_systemd("READY=1");
}

void parent_stop(struct parent *parent, int exit_code) {
        if (parent->is_stopping)
                return;
        parent->is_stopping = true;
        parent_unregister_nfs(parent);
        parent->exit_code = exit_code;
        notify_systemd("STOPPING=1");
        parent_signal_children(parent, SIGTERM);
        loop_timer_set(parent->stop_timer, loop_now() + 1500 * NSEC_PER_MSEC);
        if (!parent_is_any_running(parent))
                loop_stop(parent->loop);
}

static void on_stop_timer(void *userdata) {
        struct parent *parent = userdata;

        parent_signal_children(parent, SIGKILL);
        loop_stop(parent->loop);
}

static void on_terminate(int number, void *userdata) {
        struct parent *parent = userdata;
        struct event event = { .kind = EVENT_SERVICE_STOPPING };

        event.values[0] = (struct event_value)EVENT_TEXT(
                number == SIGINT ? "interrupted" : "asked to end");
        event.time = loop_realtime();
        log_event(&event);
        parent_stop(parent, EXIT_SUCCESS);
}

static void refuse_reload(struct parent *parent, const char *why) {
        struct event event = { .kind = EVENT_RELOAD_REFUSED };

        event.values[0] = (struct event_value)EVENT_TEXT(why);
        parent_event(parent, &event);
}

static void say_reloaded(struct parent *parent, unsigned diff) {
        struct event event = { .kind = EVENT_SERVICE_RELOADED };
        struct text what = { 0 };

        conf_diff_format(diff, &what);
        if (diff & CONF_DIFF_RESTART)
                text_add(&what, " (state, user and workers need a restart)");
        event.values[0] = (struct event_value)EVENT_TEXT(text_string(&what));
        parent_event(parent, &event);
        text_done(&what);
}

/* Its certificate is a file that the workers serve. */
static bool serves_authority(const struct conf *conf) {
        return conf->https.port != 0 && conf->https.certificate[0] == '\0';
}

/* What the workers of files may do is fixed when they begin: the folders and files that
 * they read, and the ports that FTP's data may take. Other doors come and go. */
static bool must_renew_files(const struct conf *old, const struct conf *conf,
                             unsigned diff) {
        return diff & CONF_DIFF_FOLDERS ||
               serves_authority(old) != serves_authority(conf) ||
               (old->ftp.port == 0) != (conf->ftp.port == 0) ||
               old->ftp.port_range.first != conf->ftp.port_range.first ||
               old->ftp.port_range.last != conf->ftp.port_range.last;
}

static void apply_reload(struct parent *parent, unsigned diff, bool renews_files) {
        for (size_t i = 0; i < parent->n_children; i++)
                if (parent->children[i].channel)
                        (void)ipc_send(parent->children[i].channel, IPC_CONFIG, NULL,
                                       NULL, 0, &parent->conf_text, 1);
        if (diff & CONF_DIFF_FOLDERS) {
                close_folders(parent);
                open_folders(parent);
                parent_close_log(parent);
                (void)open_access_log(parent);
        }
        if (renews_files)
                parent_renew(parent, IPC_FILES);
        else if (diff & CONF_DIFF_DOORS)
                parent_tell_interfaces(parent, IPC_FILES);
        if (diff & CONF_DIFF_FOLDERS)
                parent_renew(parent, IPC_LIBRARY);
        if (diff & CONF_DIFF_DOORS)
                parent_renew(parent, IPC_CORE);
}

/* The old snapshot stays in place until the new one has everything it needs. */
void parent_reload(struct parent *parent) {
        struct conf *conf = NULL, *old = parent->conf;
        struct certificate_pair given = { 0 };
        unsigned diff;
        int text;

        if (load(parent, &conf, &text) != 0) {
                refuse_reload(parent, "the configuration is wrong; see above, or run "
                                      "bootjack check");
                return;
        }
        diff = conf_diff(old, conf);
        if (parent_reread_certificate(parent, conf, &given) != 0) {
                conf_free(conf);
                close(text);
                refuse_reload(parent, "the certificate cannot be used; see above");
                return;
        }
        parent->conf = conf;
        if (diff & CONF_DIFF_DOORS && (parent_choose_interfaces(parent) != 0 ||
                                       parent_open_doors(parent, true) != 0)) {
                parent->conf = old;
                (void)parent_choose_interfaces(parent);
                (void)parent_open_doors(parent, false);
                conf_free(conf);
                close(text);
                certificate_pair_done(&given);
                refuse_reload(parent, "a door could not be opened; see above");
                return;
        }
        close(parent->conf_text);
        parent->conf_text = text;
        parent_take_certificate(parent, &given);
        parent_certify(parent);
        apply_reload(parent, diff, must_renew_files(old, conf, diff));
        conf_free(old);
        say_reloaded(parent, diff);
}

static void on_hangup(int number, void *userdata) {
        notify_systemd("RELOADING=1");
        parent_reload(userdata);
        notify_systemd("READY=1");
}

static int watch_signals(struct parent *parent) {
        int r = loop_signal_new(parent->loop, SIGTERM, on_terminate, parent,
                                &parent->terminate);

        if (r == 0)
                r = loop_signal_new(parent->loop, SIGINT, on_terminate, parent,
                                    &parent->interrupt);
        if (r == 0)
                r = loop_signal_new(parent->loop, SIGHUP, on_hangup, parent,
                                    &parent->hangup);
        if (r == 0)
                r = loop_signal_new(parent->loop, SIGCHLD, parent_on_child_signal,
                                    parent, &parent->child);
        if (r == 0)
                r = loop_timer_new(parent->loop, on_stop_timer, parent,
                                   &parent->stop_timer);
        return r < 0 ? parent_fail("cannot watch signals: %s", strerror(-r)) : 0;
}

/* Out of the way of the channel, which takes a fixed place in every role. */
static int open_executable(struct parent *parent) {
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

        if (fd >= 0) {
                parent->executable = fcntl(fd, F_DUPFD_CLOEXEC, ROLE_CHANNEL_FD + 1);
                close(fd);
        }
        return parent->executable < 0
                       ? parent_fail("cannot open this program: %s", strerror(errno))
                       : 0;
}

/* A transfer is a socket and a file; what the roles inherit is what we may have. */
static void raise_file_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
                limit.rlim_cur = min_u64(limit.rlim_max, 65536);
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
}

static int set_up(struct parent *parent) {
        struct certificate_pair given = { 0 };
        int r = load(parent, &parent->conf, &parent->conf_text);

        if (r == 0)
                r = parent_choose_interfaces(parent);
        if (r != 0)
                return r;
        parent->n_workers = parent->conf->workers;
        r = open_executable(parent);
        if (r != 0)
                return r;
        open_folders(parent);
        r = parent_read_certificate(parent->conf, &given);
        if (r == 0)
                r = become_user(parent);
        if (r == 0) {
                parent_take_certificate(parent, &given);
                parent_certify(parent);
        }
        certificate_pair_done(&given);
        if (r == 0)
                parent_read_nfs_key(parent);
        if (r == 0 && loop_new(&parent->loop) < 0)
                r = parent_fail("cannot make an event loop");
        if (r == 0)
                r = watch_signals(parent);
        if (r == 0)
                r = parent_watch_interfaces(parent);
        if (r == 0)
                r = parent_open_doors(parent, true);
        if (r == 0)
                r = open_access_log(parent);
        if (r == 0)
                r = parent_open_control(parent);
        return r == 0 ? parent_start_children(parent) : r;
}

static void tear_down(struct parent *parent) {
        log_waiting(parent);
        parent_free_children(parent);
        parent_close_doors(parent);
        close_folders(parent);
        loop_watch_free(parent->netlink_watch);
        loop_timer_free(parent->netlink_timer);
        loop_timer_free(parent->stop_timer);
        loop_signal_free(parent->terminate);
        loop_signal_free(parent->interrupt);
        loop_signal_free(parent->hangup);
        loop_signal_free(parent->child);
        loop_free(parent->loop);
        if (parent->netlink >= 0)
                close(parent->netlink);
        if (parent->executable >= 0)
                close(parent->executable);
        if (parent->control[0])
                (void)unlink(parent->control);
        certificate_pair_done(&parent->certificate);
        conf_free(parent->conf);
        if (parent->conf_text >= 0)
                close(parent->conf_text);
}

int parent_main(struct conf_flags *flags) {
        struct parent *parent = calloc(1, sizeof(*parent));
        int r;

        if (!parent)
                return parent_fail("out of memory");
        parent->flags = flags;
        parent->netlink = parent->executable = parent->conf_text = -1;
        log_open();
        signal(SIGPIPE, SIG_IGN);
        raise_file_limit();
        r = set_up(parent);
        if (r == 0) {
                loop_run(parent->loop);
                r = parent->exit_code;
        } else if (parent->loop && parent_is_any_running(parent)) {
                parent_signal_children(parent, SIGKILL);
        }
        tear_down(parent);
        free(parent);
        return r;
}
