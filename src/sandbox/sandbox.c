/*
 * Capabilities by libcap, Landlock by system call: glibc has no wrapper, and the
 * kernel's own header in Debian 12 is older than the kernels this runs on, so the
 * newer bits are named here. Each bit is asked for only from the ABI on that has it
 * (Documentation/userspace-api/landlock.rst).
 */
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ABI 2, 3, 4, 5 and 6, in this order. */
#define ACCESS_REFER    (1ULL << 13)
#define ACCESS_TRUNCATE (1ULL << 14)
#define NET_BIND_TCP    (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define ACCESS_IOCTL    (1ULL << 15)
#define RULE_NET_PORT   2
#define SCOPE_ABSTRACT  (1ULL << 0)
#define SCOPE_SIGNAL    (1ULL << 1)

enum { ABI_MAX = 6 };

struct ruleset {
        uint64_t files, net, scoped;
};

struct net_port {
        uint64_t access, port;
};

static const struct ruleset all_of[ABI_MAX + 1] = {
        [1] = { (1ULL << 13) - 1, 0, 0 },
        [2] = { (1ULL << 14) - 1, 0, 0 },
        [3] = { (1ULL << 15) - 1, 0, 0 },
        [4] = { (1ULL << 15) - 1, NET_BIND_TCP | NET_CONNECT_TCP, 0 },
        [5] = { (1ULL << 16) - 1, NET_BIND_TCP | NET_CONNECT_TCP, 0 },
        [6] = { (1ULL << 16) - 1, NET_BIND_TCP | NET_CONNECT_TCP,
                SCOPE_ABSTRACT | SCOPE_SIGNAL },
};

/* The size that each ABI's kernel accepts for struct ruleset. */
static size_t ruleset_size(int abi) {
        return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

static const uint64_t read_access =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t write_access =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
        LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
        LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
        LANDLOCK_ACCESS_FS_MAKE_DIR | ACCESS_TRUNCATE;
static const uint64_t file_access = LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_WRITE_FILE |
                                    LANDLOCK_ACCESS_FS_EXECUTE | ACCESS_TRUNCATE;

static int landlock_abi(void) {
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);
        return abi < 0 ? 0 : abi > ABI_MAX ? ABI_MAX : (int)abi;
}

const char *sandbox_describe(void) {
        static const char *const texts[] = { "no landlock", "landlock 1", "landlock 2",
                                             "landlock 3",  "landlock 4", "landlock 5",
                                             "landlock 6" };
        return texts[landlock_abi()];
}

static uint64_t access_of(enum sandbox_access access) {
        switch (access) {
        case SANDBOX_READ:
                return read_access;
        case SANDBOX_WRITE:
                return write_access;
        case SANDBOX_EXEC:
                return read_access | LANDLOCK_ACCESS_FS_EXECUTE;
        }
        return 0;
}

static int allow(int ruleset, uint64_t handled, const struct sandbox_path *path) {
        int fd = open(path->path, O_PATH | O_CLOEXEC), folder, r = 0;
        struct landlock_path_beneath_attr rule = { .parent_fd = fd };

        if (fd < 0) /* not there, or not for us: then nothing is allowed */
                return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0
                                                                              : -errno;
        rule.allowed_access = access_of(path->access) & handled;
        /* A rule on a file may not name rights that only folders have. */
        folder = open(path->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0)
                close(folder);
        else
                rule.allowed_access &= file_access;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
                    0) < 0)
                r = -errno;
        close(fd);
        return r;
}

static int allow_port(int ruleset, uint64_t port) {
        const struct net_port rule = { NET_BIND_TCP, port };

        return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0
                       ? -errno
                       : 0;
}

/* Port 0 stands for those that the kernel chooses. */
static int allow_ports(int ruleset, struct sandbox_ports ports) {
        int r = allow_port(ruleset, 0);

        for (uint32_t port = ports.first; port > 0 && port <= ports.last && r == 0;
             port++)
                r = allow_port(ruleset, port);
        return r;
}

static int restrict_files(const struct sandbox_path *paths, size_t n_paths,
                          const struct sandbox_ports *ports) {
        int abi = landlock_abi(), ruleset, r = 0;
        struct ruleset attr = all_of[abi];

        if (abi == 0)
                return SANDBOX_WITHOUT_LANDLOCK;
        if (ports)
                attr.net &= ~NET_CONNECT_TCP;
        ruleset =
                (int)syscall(SYS_landlock_create_ruleset, &attr, ruleset_size(abi), 0);
        if (ruleset < 0)
                return -errno;
        for (size_t i = 0; i < n_paths && r == 0; i++)
                r = allow(ruleset, attr.files, &paths[i]);
        if (r == 0 && ports && attr.net & NET_BIND_TCP)
                r = allow_ports(ruleset, *ports);
        if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
                r = -errno;
        close(ruleset);
        return r;
}

static int set_capabilities(const cap_value_t *values, int n) {
        cap_t caps = cap_init();
        int r = 0;

        if (!caps)
                return -ENOMEM;
        if (n > 0 && (cap_set_flag(caps, CAP_PERMITTED, n, values, CAP_SET) < 0 ||
                      cap_set_flag(caps, CAP_EFFECTIVE, n, values, CAP_SET) < 0))
                r = -errno;
        if (r == 0 && cap_set_proc(caps) < 0)
                r = -errno;
        cap_free(caps);
        return r;
}

bool sandbox_can_serve(void) {
        cap_t caps = cap_get_proc();
        cap_flag_value_t bind = CAP_CLEAR, raw = CAP_CLEAR;

        if (!caps)
                return false;
        (void)cap_get_flag(caps, CAP_NET_BIND_SERVICE, CAP_EFFECTIVE, &bind);
        (void)cap_get_flag(caps, CAP_NET_RAW, CAP_EFFECTIVE, &raw);
        cap_free(caps);
        return bind == CAP_SET && raw == CAP_SET;
}

int sandbox_become(const char *user) {
        static const cap_value_t keep[] = { CAP_NET_BIND_SERVICE, CAP_NET_RAW };
        const struct passwd *entry;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        if (geteuid() != 0)
                return sandbox_can_serve() ? set_capabilities(keep, ARRAY_SIZE(keep))
                                           : 0;
        entry = getpwnam(user);
        if (!entry)
                return SANDBOX_NO_USER;
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
            initgroups(user, entry->pw_gid) < 0 ||
            setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) < 0 ||
            setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) < 0)
                return -errno;
        return set_capabilities(keep, ARRAY_SIZE(keep));
}

static int enter(const struct sandbox_path *paths, size_t n_paths,
                 const struct sandbox_ports *ports) {
        const struct rlimit none = { 0, 0 };
        int r = set_capabilities(NULL, 0);

        if (r < 0)
                return r;
        (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        return restrict_files(paths, n_paths, ports);
}

int sandbox_enter(const struct sandbox_path *paths, size_t n_paths) {
        return enter(paths, n_paths, NULL);
}

int sandbox_enter_with_ports(const struct sandbox_path *paths, size_t n_paths,
                             struct sandbox_ports ports) {
        return enter(paths, n_paths, &ports);
}
