#pragma once
/*
 * What a role gives up. The parent becomes an unprivileged user that keeps only the
 * right to open low ports and packet sockets; every other role, started from it, has
 * no capability at all and sees only the folders named here.
 *
 * One-way: nothing given up comes back, which is why the parent starts a role anew
 * when its folders change.
 */
#include "base/base.h"

enum sandbox_access {
        SANDBOX_READ,  /* files and folders below, read-only */
        SANDBOX_WRITE, /* and create, change, remove */
        SANDBOX_EXEC,  /* read and execute */
};

struct sandbox_path {
        const char *path; /* one that does not exist is passed over */
        enum sandbox_access access;
};

enum sandbox_answer {
        SANDBOX_WITHOUT_LANDLOCK =
                1,       /* the kernel has none; all the rest is in force */
        SANDBOX_NO_USER, /* there is no such user */
};

/* For the parent, as root: become `user`, keeping the capabilities to bind low ports
 * and to open packet sockets, and never to gain another by running a program. When not
 * root, only gives up what else it has. Returns 0, SANDBOX_NO_USER or -errno. */
MUST_USE int sandbox_become(const char *user);

/* True when the process may bind low ports and open packet sockets. */
bool sandbox_can_serve(void);

/* For every role: no capability, no new privileges, no core dump, nobody may trace
 * it; files only below `paths`; no TCP connection outwards, no new listener, no signal
 * or abstract socket to a process outside. 0, SANDBOX_WITHOUT_LANDLOCK or -errno. */
MUST_USE int sandbox_enter(const struct sandbox_path *paths, size_t n_paths);

/* The same, but for TCP: it may connect, and listen at a port that the kernel chooses
 * or at one of these (first 0: at none of them). */
struct sandbox_ports {
        uint16_t first, last;
};
MUST_USE int sandbox_enter_with_ports(const struct sandbox_path *paths, size_t n_paths,
                                      struct sandbox_ports ports);

/* What of it the kernel has: "landlock 7", or "no landlock". Static text. */
const char *sandbox_describe(void);
