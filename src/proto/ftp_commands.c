/*
 * What each command does, a function a command.
 *
 * Data connections are made for the client alone: to its own address, not to a low
 * port (RFC 2577 3: nobody is attacked through us), and from it. There is one user,
 * anonymous, whose password nobody looks at. Nothing can be written.
 */
#include "proto/ftp_internal.h"

enum { LOW_PORTS = 1024 };

/* ---- paths ---- */

static bool is_pattern(const char *s) {
        return strpbrk(s, "*?") != NULL;
}

/* RFC 959 4.1.1: relative to the working folder, or from the top. */
static bool clean_path(struct ftp_session *s, struct span argument,
                       char ret[static PATH_MAX_BYTES]) {
        char full[PATH_MAX_BYTES + FTP_LINE_MAX + 1];
        bool is_absolute =
                argument.n > 0 && (argument.data[0] == '/' || argument.data[0] == '\\');
        size_t n = is_absolute ? 0 : strlen(s->cwd);
        enum path_verdict verdict;

        memcpy(full, s->cwd, n);
        if (n > 0)
                full[n++] = '/';
        if (argument.n > 0)
                memcpy(full + n, argument.data, argument.n);
        verdict = path_clean(full, n + argument.n, ret);
        if (verdict == PATH_OK)
                return true;
        ftp_add(s, "550 ");
        ftp_reply(s, path_verdict_text(verdict));
        return false;
}

static void look_up(struct ftp_session *s, struct span argument) {
        if (clean_path(s, argument, s->path))
                s->state = FTP_STATE_LOOKUP;
}

/* The options of ls that clients send along mean nothing here. */
static struct span without_options(struct span argument) {
        while (argument.n > 0 && argument.data[0] == '-') {
                const uint8_t *space = memchr(argument.data, ' ', argument.n);
                size_t n = space ? (size_t)(space - argument.data) + 1 : argument.n;

                argument = (struct span){ argument.data + n, argument.n - n };
        }
        return argument;
}

/* Everything up to the last slash, with it. */
static size_t folder_length(struct span argument) {
        size_t n = argument.n;

        while (n > 0 && argument.data[n - 1] != '/')
                n--;
        return n;
}

/* RFC 1123 4.1.2.7: what NLST names can be asked for as it stands, so the way that the
 * client named stands before each name. */
static void keep_prefix(struct ftp_session *s, struct span argument, bool is_folder) {
        size_t n = min_size(argument.n, sizeof(s->prefix) - 2);

        memcpy(s->prefix, argument.data, n);
        if (is_folder && n > 0 && s->prefix[n - 1] != '/')
                s->prefix[n++] = '/';
        s->prefix[n] = '\0';
}

/* A folder, a file, or a pattern of names in a folder. */
static void look_up_list(struct ftp_session *s, struct span argument) {
        size_t n;
        char *slash;

        argument = without_options(argument);
        n = folder_length(argument);
        s->pattern[0] = s->prefix[0] = '\0';
        if (!clean_path(s, argument, s->path))
                return;
        s->state = FTP_STATE_LOOKUP;
        slash = strrchr(s->path, '/');
        if (n == argument.n || !is_pattern(slash ? slash + 1 : s->path)) {
                if (argument.n > 0)
                        keep_prefix(s, argument, true);
                return;
        }
        memcpy(s->pattern, slash ? slash + 1 : s->path,
               strlen(slash ? slash + 1 : s->path) + 1);
        if (slash)
                *slash = '\0';
        else
                s->path[0] = '\0';
        if (n > 0)
                keep_prefix(s, (struct span){ argument.data, n }, false);
}

/* ---- data connections ---- */

static void forget_way(struct ftp_session *s) {
        if (s->way == FTP_WAY_PASSIVE)
                s->must_drop = true;
        s->way = FTP_WAY_NONE;
}

static bool has_way(struct ftp_session *s) {
        if (s->way != FTP_WAY_NONE)
                return true;
        ftp_reply(s, "425 There is no data connection: send PASV, EPSV, PORT or EPRT.");
        return false;
}

/* ---- commands ---- */

static void log_in(struct ftp_session *s, struct span name, nsec_t now) {
        s->is_logged_in = false;
        s->has_name = ftp_is_word(name, "ANONYMOUS") || ftp_is_word(name, "FTP");
        if (s->has_name)
                ftp_reply(s, "331 Welcome. Any password will do.");
        else /* and before a password was sent in the clear */
                ftp_refuse(s, "530 There is one user here: anonymous.");
}

static void do_user(struct ftp_session *s, struct span argument, nsec_t now) {
        log_in(s, argument, now);
}

static void do_pass(struct ftp_session *s, struct span argument, nsec_t now) {
        if (!s->has_name) {
                ftp_refuse(s, "503 Send USER first.");
                return;
        }
        s->is_logged_in = true;
        ftp_reply(s, "230 You are logged in, and may read everything.");
}

static void do_acct(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "202 No account is needed here.");
}

static void do_allo(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "202 No storage is needed here.");
}

static void do_clnt(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "200 Noted.");
}

static void do_rein(struct ftp_session *s, struct span argument, nsec_t now) {
        forget_way(s);
        s->has_name = s->is_logged_in = s->only_epsv = false;
        s->is_ascii = true;
        s->facts = FTP_FACTS_ALL;
        s->rest = 0;
        s->cwd[0] = '\0';
        ftp_reply(s, "220 Ready for another user.");
}

static void do_quit(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "221 Goodbye.");
        s->state = FTP_STATE_LEAVING;
}

static void do_noop(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "200 Done: nothing.");
}

static void do_syst(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "215 UNIX Type: L8");
}

static void do_help(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "214-This server is read-only. It knows:");
        ftp_reply(s, " ABOR ACCT ALLO CDUP CLNT CWD  EPRT EPSV FEAT HELP LIST MDTM");
        ftp_reply(s, " MLSD MLST MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN");
        ftp_reply(s, " REST RETR SIZE STAT STRU SYST TYPE USER");
        ftp_reply(s, "214 End");
}

/* RFC 2389 3.2; TVFS is RFC 3659 6. */
static void do_feat(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_reply(s, "211-Features:");
        ftp_reply(s, " EPRT");
        ftp_reply(s, " EPSV");
        ftp_reply(s, " MDTM");
        ftp_add(s, " MLST ");
        ftp_add_fact_names(&s->out, s->facts, true);
        ftp_end_line(s);
        ftp_reply(s, " REST STREAM");
        ftp_reply(s, " SIZE");
        ftp_reply(s, " TVFS");
        ftp_reply(s, " UTF8");
        ftp_reply(s, "211 End");
}

static void do_opts(struct ftp_session *s, struct span argument, nsec_t now) {
        const uint8_t *space =
                argument.n ? memchr(argument.data, ' ', argument.n) : NULL;
        struct span word = { argument.data,
                             space ? (size_t)(space - argument.data) : argument.n };
        struct span rest = { space ? space + 1 : NULL,
                             space ? argument.n - word.n - 1 : 0 };

        if (ftp_is_word(word, "UTF8") && (rest.n == 0 || ftp_is_word(rest, "ON"))) {
                ftp_reply(s, "200 Names are UTF-8.");
        } else if (ftp_is_word(word, "MLST")) { /* RFC 3659 7.9 */
                s->facts = ftp_parse_facts(rest);
                ftp_add(s, "200 MLST OPTS ");
                ftp_add_fact_names(&s->out, s->facts, false);
                ftp_end_line(s);
        } else {
                ftp_refuse(s, "501 That option cannot be set.");
        }
}

static void do_pwd(struct ftp_session *s, struct span argument, nsec_t now) {
        struct text path = { 0 };

        text_char(&path, '/');
        text_add(&path, s->cwd);
        ftp_add(s, "257 ");
        ftp_add_quoted(&s->out, text_string(&path));
        ftp_reply(s, " is where you are.");
        s->out.failed |= path.failed;
        text_done(&path);
}

/* The folder above the top is the top. */
static void do_cdup(struct ftp_session *s, struct span argument, nsec_t now) {
        char *slash = strrchr(s->cwd, '/');

        s->cwd[slash ? slash - s->cwd : 0] = '\0';
        ftp_add(s, "250 Now in ");
        ftp_add_path(s, s->cwd);
        ftp_reply(s, ".");
}

static void do_path(struct ftp_session *s, struct span argument, nsec_t now) {
        look_up(s, argument);
}

static void do_retr(struct ftp_session *s, struct span argument, nsec_t now) {
        if (has_way(s))
                look_up(s, argument);
        /* RFC 959 4.1.3: REST is about the command behind it. */
        if (s->state != FTP_STATE_LOOKUP)
                s->rest = 0;
}

static void do_list(struct ftp_session *s, struct span argument, nsec_t now) {
        if (has_way(s))
                look_up_list(s, argument);
}

static void do_mlsd(struct ftp_session *s, struct span argument, nsec_t now) {
        s->pattern[0] = s->prefix[0] = '\0';
        if (has_way(s))
                look_up(s, argument);
}

static void tell_status(struct ftp_session *s) {
        ftp_reply(s, "211-Bootjack, read-only.");
        ftp_add(s, " Connected from ");
        text_ip4(&s->out, s->peer);
        ftp_end_line(s);
        ftp_reply(s, s->is_logged_in ? " Logged in as anonymous" : " Not logged in");
        ftp_reply(s,
                  s->is_ascii ? " TYPE A, MODE S, STRU F" : " TYPE I, MODE S, STRU F");
        if (s->transfer == FTP_OPENING || s->transfer == FTP_MOVING) {
                ftp_add(s, " Sent so far: ");
                text_u64(&s->out, s->moved);
                ftp_reply(s, " bytes");
        } else {
                ftp_reply(s, " No transfer");
        }
        ftp_reply(s, "211 End");
}

static void do_stat(struct ftp_session *s, struct span argument, nsec_t now) {
        if (argument.n == 0)
                tell_status(s);
        else if (!s->is_logged_in)
                ftp_refuse(s, "530 Log in first: USER anonymous.");
        else
                look_up_list(s, argument);
}

/* RFC 959 3.1.1, 5.3.1. A second letter is about printers. */
static void do_type(struct ftp_session *s, struct span argument, nsec_t now) {
        if (ftp_is_word(argument, "A") || ftp_is_word(argument, "A N")) {
                s->is_ascii = true;
                ftp_reply(s, "200 Lines will end in CR LF.");
        } else if (ftp_is_word(argument, "I") || ftp_is_word(argument, "L 8")) {
                s->is_ascii = false;
                ftp_reply(s, "200 Bytes will be sent as they are.");
        } else {
                ftp_refuse(s, "504 The types are A and I.");
        }
}

static void do_mode(struct ftp_session *s, struct span argument, nsec_t now) {
        if (ftp_is_word(argument, "S"))
                ftp_reply(s, "200 The mode is Stream.");
        else
                ftp_refuse(s, "504 The mode is Stream.");
}

static void do_stru(struct ftp_session *s, struct span argument, nsec_t now) {
        if (ftp_is_word(argument, "F"))
                ftp_reply(s, "200 The structure is File.");
        else
                ftp_refuse(s, "504 The structure is File.");
}

static void do_rest(struct ftp_session *s, struct span argument, nsec_t now) {
        uint64_t rest;

        if (!ftp_parse_u64(argument, &rest)) {
                ftp_refuse(s, "501 REST needs a number of bytes.");
                return;
        }
        s->rest = rest;
        ftp_add(s, "350 The next file begins at ");
        text_u64(&s->out, rest);
        ftp_reply(s, ".");
}

/* RFC 2428 4: after EPSV ALL a translator on the way need not look any more. */
static bool may_choose_way(struct ftp_session *s) {
        if (!s->only_epsv)
                return true;
        ftp_refuse(s, "503 You said EPSV ALL: it is EPSV only.");
        return false;
}

static void do_pasv(struct ftp_session *s, struct span argument, nsec_t now) {
        if (!may_choose_way(s))
                return;
        s->is_extended = false;
        s->state = FTP_STATE_LISTEN;
}

static void do_epsv(struct ftp_session *s, struct span argument, nsec_t now) {
        if (ftp_is_word(argument, "ALL")) {
                s->only_epsv = true;
                ftp_reply(s, "200 EPSV only, from now on.");
        } else if (argument.n > 0 && !ftp_is_word(argument, "1")) {
                ftp_refuse(s, "522 The network protocol is IPv4, use (1).");
        } else {
                s->is_extended = true;
                s->state = FTP_STATE_LISTEN;
        }
}

/* RFC 2577 3: only to who asks, and to no service of that machine. */
static void take_address(struct ftp_session *s, ip4_t address, uint16_t port) {
        if (address != s->peer) {
                s->warning = "a data connection to another machine was asked for";
                ftp_refuse(s, "504 Data goes to your own address only.");
        } else if (port < LOW_PORTS) {
                s->warning = "a data connection to a port below 1024 was asked for";
                ftp_refuse(s, "504 Data goes to ports from 1024 on only.");
        } else {
                forget_way(s);
                s->way = FTP_WAY_ACTIVE;
                s->data_port = port;
                ftp_reply(s, "200 The data will go there.");
        }
}

static void do_port(struct ftp_session *s, struct span argument, nsec_t now) {
        ip4_t address;
        uint16_t port;

        if (!may_choose_way(s))
                return;
        if (ftp_parse_port(argument, &address, &port))
                take_address(s, address, port);
        else
                ftp_refuse(s, "501 PORT needs six numbers: h1,h2,h3,h4,p1,p2.");
}

static void do_eprt(struct ftp_session *s, struct span argument, nsec_t now) {
        ip4_t address;
        uint16_t port;

        if (!may_choose_way(s))
                return;
        switch (ftp_parse_eprt(argument, &address, &port)) {
        case FTP_EXTENDED_OK:
                take_address(s, address, port);
                break;
        case FTP_EXTENDED_PROTOCOL:
                ftp_refuse(s, "522 The network protocol is IPv4, use (1).");
                break;
        case FTP_EXTENDED_WRONG:
                ftp_refuse(s, "501 EPRT needs |1|address|port|.");
                break;
        }
}

/* RFC 959 4.1.3: 226 when there is nothing to abort, else 426 and then 226. */
static void do_abor(struct ftp_session *s, struct span argument, nsec_t now) {
        s->rest = 0;
        if (s->transfer != FTP_IDLE) {
                ftp_end_transfer(s, FTP_END_ABORTED);
                return;
        }
        forget_way(s);
        ftp_reply(s, "226 There was nothing to abort.");
}

static void do_write(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_refuse(s, "550 This server is read-only.");
}

static void do_absent(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_refuse(s, "502 That is not done here.");
}

static void do_unknown(struct ftp_session *s, struct span argument, nsec_t now) {
        ftp_refuse(s, "500 There is no such command.");
}

enum { ANYBODY = 1, NEEDS_ARGUMENT = 2 };

static const struct {
        void (*fn)(struct ftp_session *s, struct span argument, nsec_t now);
        unsigned flags;
} commands[] = {
        [FTP_UNKNOWN] = { do_unknown, ANYBODY },
        [FTP_WRITES] = { do_write },
        [FTP_ABSENT] = { do_absent, ANYBODY },
        [FTP_ABOR] = { do_abor },
        [FTP_ACCT] = { do_acct, ANYBODY },
        [FTP_ALLO] = { do_allo },
        [FTP_CDUP] = { do_cdup },
        [FTP_CLNT] = { do_clnt, ANYBODY },
        [FTP_CWD] = { do_path, NEEDS_ARGUMENT },
        [FTP_EPRT] = { do_eprt, NEEDS_ARGUMENT },
        [FTP_EPSV] = { do_epsv },
        [FTP_FEAT] = { do_feat, ANYBODY },
        [FTP_HELP] = { do_help, ANYBODY },
        [FTP_LIST] = { do_list },
        [FTP_MDTM] = { do_path, NEEDS_ARGUMENT },
        [FTP_MLSD] = { do_mlsd },
        [FTP_MLST] = { do_path },
        [FTP_MODE] = { do_mode, NEEDS_ARGUMENT },
        [FTP_NLST] = { do_list },
        [FTP_NOOP] = { do_noop, ANYBODY },
        [FTP_OPTS] = { do_opts, ANYBODY | NEEDS_ARGUMENT },
        [FTP_PASS] = { do_pass, ANYBODY },
        [FTP_PASV] = { do_pasv },
        [FTP_PORT] = { do_port, NEEDS_ARGUMENT },
        [FTP_PWD] = { do_pwd },
        [FTP_QUIT] = { do_quit, ANYBODY },
        [FTP_REIN] = { do_rein, ANYBODY },
        [FTP_REST] = { do_rest, NEEDS_ARGUMENT },
        [FTP_RETR] = { do_retr, NEEDS_ARGUMENT },
        [FTP_SIZE] = { do_path, NEEDS_ARGUMENT },
        [FTP_STAT] = { do_stat, ANYBODY },
        [FTP_STRU] = { do_stru, NEEDS_ARGUMENT },
        [FTP_SYST] = { do_syst, ANYBODY },
        [FTP_TYPE] = { do_type, NEEDS_ARGUMENT },
        [FTP_USER] = { do_user, ANYBODY | NEEDS_ARGUMENT },
};

void ftp_dispatch(struct ftp_session *s, const struct ftp_command *command,
                  nsec_t now) {
        unsigned flags = commands[command->verb].flags, n_wrong = s->n_wrong;

        s->verb = command->verb;
        s->idle_deadline = ftp_later(now, s->limits.idle);
        if (!s->is_logged_in && !(flags & ANYBODY))
                ftp_refuse(s, "530 Log in first: USER anonymous.");
        else if (command->argument.n == 0 && flags & NEEDS_ARGUMENT)
                ftp_refuse(s, "501 An argument is missing.");
        else
                commands[command->verb].fn(s, command->argument, now);
        if (s->n_wrong == n_wrong)
                s->n_wrong = 0;
        if (!s->is_logged_in)
                s->idle_deadline = ftp_later(now, s->limits.login);
        if (s->n_wrong >= FTP_WRONG_MAX) {
                ftp_reply(s, "421 That was too much nonsense.");
                s->state = FTP_STATE_LEAVING;
        }
}
