/*
 * Statements become frames: each block of dhcpd.conf with what it says itself, and the
 * blocks inside. What has no counterpart is remarked on here, where its line is known.
 */
#include "import/dhcpd.h"

enum { CLASSES_MAX = 4096 };

struct walk {
        struct dhcpd *d;
        struct frame *global;
};

static void read_all(struct walk *w, struct frame *frame, const struct statement *s);

static struct frame *new_frame(struct walk *w, struct frame *parent,
                               enum frame_kind kind, const struct statement *s) {
        struct frame *frame = import_take(w->d->im, sizeof(*frame));

        if (!frame)
                return NULL;
        frame->kind = kind;
        frame->parent = parent;
        frame->at = s ? s->tokens[0].at : (struct place){ 0 };
        frame->inner_end = &frame->inner;
        frame->ranges_end = &frame->ranges;
        frame->permits_end = &frame->permits;
        return frame;
}

static void attach(struct frame *parent, struct frame *frame) {
        *parent->inner_end = frame;
        parent->inner_end = &frame->next;
}

static void refuse(struct walk *w, const struct token *token, const char *wanted) {
        import_refuse(w->d->im, token->at, "expected ", wanted,
                      token->kind == TOKEN_END ? "" : ", not '", token->s,
                      token->kind == TOKEN_END ? "" : "'", NULL);
}

/* Nothing may follow: what does is mostly the next statement, its ';' forgotten. */
static bool ends_at(struct walk *w, const struct statement *s, size_t n) {
        if (s->n == n)
                return true;
        refuse(w, &s->tokens[s->n < n ? s->n : n],
               s->n < n       ? "a value"
               : s->has_block ? "'{'"
                              : "';'");
        return false;
}

/* ---- values ---- */

static bool read_seconds(const char *s, uint32_t *ret) {
        uint64_t v;

        if (strcmp(s, "infinite") == 0 || strcmp(s, "-1") == 0) {
                *ret = UINT32_MAX;
                return true;
        }
        if (!parse_decimal(s, UINT32_MAX, &v))
                return false;
        *ret = (uint32_t)v;
        return true;
}

static void set_time(struct walk *w, struct frame *frame, const struct statement *s,
                     enum scope_key key) {
        uint32_t seconds;

        if (!ends_at(w, s, 2))
                return;
        if (!read_seconds(s->tokens[1].s, &seconds))
                refuse(w, &s->tokens[1], "a number of seconds");
        else
                frame->scope.keys[key] =
                        (struct value){ true, seconds, NULL, s->tokens[0].at };
}

static bool is_harmless(const struct token *token) {
        if (!text_is_utf8(token->s, token->n) || strlen(token->s) != token->n)
                return false;
        for (const char *s = token->s; *s; s++)
                if ((*s > 0 && *s < 0x20) || *s == 0x7f)
                        return false;
        return true;
}

static void set_text(struct walk *w, struct frame *frame, const struct statement *s,
                     enum scope_key key) {
        if (s->n != 2 || s->tokens[1].kind != TOKEN_STRING) {
                if (s->n > 2 && s->tokens[1].kind == TOKEN_WORD)
                        import_remark(w->d->im, s->tokens[0].at, s->tokens[0].s,
                                      " is not carried: its value is worked out for "
                                      "each client",
                                      NULL);
                else if (ends_at(w, s, 2))
                        refuse(w, &s->tokens[1], "a text in quotes");
        } else if (!is_harmless(&s->tokens[1])) {
                import_remark(w->d->im, s->tokens[0].at, s->tokens[0].s,
                              " is not carried: it is not plain text", NULL);
        } else {
                frame->scope.keys[key] =
                        (struct value){ true, 0, s->tokens[1].s, s->tokens[0].at };
        }
}

static void set_next_server(struct walk *w, struct frame *frame,
                            const struct statement *s) {
        ip4_t address;

        if (!ends_at(w, s, 2))
                return;
        if (ip4_parse(s->tokens[1].s, &address))
                frame->scope.keys[KEY_NEXT_SERVER] =
                        (struct value){ true, address, NULL, s->tokens[0].at };
        else
                import_remark(w->d->im, s->tokens[0].at, "next-server ", s->tokens[1].s,
                              " is not carried: names are not looked up, write its "
                              "address",
                              NULL);
}

static bool read_switch(struct walk *w, const struct statement *s, bool *ret) {
        static const char *const yes[] = { "true", "on", "yes", "1" };
        static const char *const no[] = { "false", "off", "no", "0" };

        *ret = true;
        if (s->n == 1)
                return true;
        for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
                if (token_is(&s->tokens[1], yes[i]) || token_is(&s->tokens[1], no[i])) {
                        *ret = token_is(&s->tokens[1], yes[i]);
                        return ends_at(w, s, 2);
                }
        refuse(w, &s->tokens[1], "on or off");
        return false;
}

static void set_authoritative(struct walk *w, struct frame *frame,
                              const struct statement *s, bool value) {
        struct model *model = w->d->im->model;

        if (frame->kind != FRAME_GLOBAL)
                import_remark(w->d->im, s->tokens[0].at,
                              value ? "'authoritative' is carried for all networks: "
                                      "Bootjack is it everywhere or nowhere"
                                    : "'not authoritative' is not carried: Bootjack is "
                                      "it everywhere or nowhere",
                              NULL);
        if (value)
                model->authoritative = YES;
        else if (frame->kind == FRAME_GLOBAL)
                model->authoritative = NO;
}

static void set_ping_check(struct walk *w, struct frame *frame,
                           const struct statement *s) {
        bool value;

        if (!read_switch(w, s, &value))
                return;
        if (frame->kind != FRAME_GLOBAL)
                import_remark(w->d->im, s->tokens[0].at,
                              "ping-check is carried for all networks: Bootjack probes "
                              "everywhere or nowhere",
                              NULL);
        w->d->im->model->probe = value ? YES : NO;
}

/* We wait as long as machines do that boot. */
static uint32_t probe_msec(struct walk *w, const struct token *token, uint32_t msec) {
        enum { LEAST = 50, MOST = 5000 };

        if (msec > MOST)
                import_remark(w->d->im, token->at,
                              "a ping-timeout of more than 5s is carried as that",
                              NULL);
        return msec == 0 ? 0 : msec < LEAST ? LEAST : msec > MOST ? MOST : msec;
}

static void set_ping_timeout(struct walk *w, struct frame *frame,
                             const struct statement *s, uint32_t unit) {
        uint64_t v;

        if (!ends_at(w, s, 2))
                return;
        if (!parse_decimal(s->tokens[1].s, 3600 * 1000 / unit, &v))
                refuse(w, &s->tokens[1], "a time");
        else
                w->d->im->model->probe_msec =
                        probe_msec(w, &s->tokens[1], (uint32_t)v * unit);
}

/* ---- networks ---- */

static void add_range(struct walk *w, struct frame *frame, const struct statement *s) {
        struct range *range = import_take(w->d->im, sizeof(*range));
        bool bootp = s->n > 1 && token_is(&s->tokens[1], "dynamic-bootp");
        size_t at = 1 + bootp;

        if (!range)
                return;
        if (frame->kind != FRAME_SUBNET && frame->kind != FRAME_POOL &&
            frame->kind != FRAME_SHARED) {
                refuse(w, &s->tokens[0], "a range in a subnet or pool only");
                return;
        }
        range->at = s->tokens[0].at;
        range->bootp = bootp;
        if (s->n > at + 2 || s->n <= at) {
                ends_at(w, s, at + 2);
        } else if (!ip4_parse(s->tokens[at].s, &range->first)) {
                refuse(w, &s->tokens[at], "an IPv4 address");
        } else if (s->n == at + 1) {
                range->last = range->first;
        } else if (!ip4_parse(s->tokens[at + 1].s, &range->last)) {
                refuse(w, &s->tokens[at + 1], "an IPv4 address");
        } else if (range->last < range->first) {
                ip4_t first = range->last;

                range->last = range->first;
                range->first = first;
        }
        *frame->ranges_end = range;
        frame->ranges_end = &range->next;
}

static void open_subnet(struct walk *w, struct frame *frame,
                        const struct statement *s) {
        struct frame *subnet = new_frame(w, frame, FRAME_SUBNET, s);

        if (!subnet || !ends_at(w, s, 4))
                return;
        if (!ip4_parse(s->tokens[1].s, &subnet->network))
                refuse(w, &s->tokens[1], "the address of a network");
        else if (!token_is(&s->tokens[2], "netmask"))
                refuse(w, &s->tokens[2], "'netmask'");
        else if (!ip4_parse(s->tokens[3].s, &subnet->mask) || !is_mask(subnet->mask))
                refuse(w, &s->tokens[3], "a netmask such as 255.255.255.0");
        else if (subnet->network & ~subnet->mask)
                refuse(w, &s->tokens[1],
                       "the address of a network; this is a host in it");
        attach(frame, subnet);
        read_all(w, subnet, s->inner);
}

static void open_named(struct walk *w, struct frame *frame, const struct statement *s,
                       enum frame_kind kind) {
        struct frame *named = new_frame(w, frame, kind, s);

        if (!named)
                return;
        if (s->n > 1)
                named->name = s->tokens[1].s;
        attach(frame, named);
        read_all(w, named, s->inner);
}

/* ---- who may have addresses of a pool ---- */

static void add_permit(struct walk *w, struct frame *frame, const struct statement *s,
                       struct permit permit) {
        struct permit *added = import_take(w->d->im, sizeof(*added));

        if (!added)
                return;
        *added = permit;
        added->at = s->tokens[0].at;
        added->is_denied = !token_is(&s->tokens[0], "allow");
        *frame->permits_end = added;
        frame->permits_end = &added->next;
}

static bool words_are(const struct statement *s, const char *a, const char *b,
                      const char *c) {
        return s->n > 1 && token_is(&s->tokens[1], a) &&
               (!b || (s->n > 2 && token_is(&s->tokens[2], b))) &&
               (!c || (s->n > 3 && token_is(&s->tokens[3], c)));
}

static bool read_permit(struct walk *w, struct frame *frame,
                        const struct statement *s) {
        bool is_unknown = words_are(s, "unknown-clients", NULL, NULL) ||
                          words_are(s, "unknown", "clients", NULL);
        bool is_known = words_are(s, "known-clients", NULL, NULL) ||
                        words_are(s, "known", "clients", NULL);

        if (frame->kind != FRAME_POOL)
                return false;
        if (words_are(s, "members", "of", NULL) && s->n == 4)
                add_permit(w, frame, s,
                           (struct permit){ PERMIT_MEMBERS, .name = s->tokens[3].s });
        else if (is_unknown)
                add_permit(w, frame, s, (struct permit){ PERMIT_UNKNOWN });
        else if (is_known)
                add_permit(w, frame, s, (struct permit){ PERMIT_KNOWN });
        else if (words_are(s, "dynamic", "bootp", "clients"))
                add_permit(w, frame, s, (struct permit){ PERMIT_BOOTP });
        else if (words_are(s, "all", "clients", NULL))
                add_permit(w, frame, s, (struct permit){ PERMIT_ALL });
        else
                return false;
        return true;
}

static const char *statement_text(struct walk *w, const struct statement *s) {
        const char *text = s->tokens[0].s;

        for (size_t i = 1; i < s->n && i < 6; i++)
                text = import_join(w->d->im, text, " ", s->tokens[i].s, NULL);
        return s->n > 6 ? import_join(w->d->im, text, " ...", NULL) : text;
}

/* allow, deny, ignore */
static void read_allow(struct walk *w, struct frame *frame, const struct statement *s) {
        bool is_allowed = token_is(&s->tokens[0], "allow");

        if (s->n < 2) {
                refuse(w, &s->tokens[s->n], "whom to allow or deny");
        } else if (read_permit(w, frame, s)) {
                return;
        } else if (token_is(&s->tokens[1], "unknown-clients")) {
                frame->known_only = is_allowed ? NO : YES;
        } else if (token_is(&s->tokens[1], "booting") && frame->kind == FRAME_HOST) {
                frame->is_ignored = is_allowed ? NO : YES;
        } else if (is_allowed && (token_is(&s->tokens[1], "booting") ||
                                  token_is(&s->tokens[1], "bootp") ||
                                  token_is(&s->tokens[1], "duplicates") ||
                                  token_is(&s->tokens[1], "declines"))) {
                return; /* so it is with us */
        } else if (token_is(&s->tokens[1], "bootp")) {
                import_remark(
                        w->d->im, s->tokens[0].at, statement_text(w, s),
                        " is not carried: BOOTP clients have the hosts' addresses, "
                        "and those of pools only where 'bootp: true' stands",
                        NULL);
        } else if (token_is(&s->tokens[1], "client-updates")) {
                import_remark(w->d->im, s->tokens[0].at, statement_text(w, s),
                              " is not carried: Bootjack does not change DNS", NULL);
        } else {
                import_remark(w->d->im, s->tokens[0].at, statement_text(w, s),
                              " is not carried: Bootjack has no such switch", NULL);
        }
}

/* ---- hosts ---- */

static bool read_mac(const char *s, struct mac *ret) {
        struct text bytes = { 0 };
        bool ok = parse_hex_bytes(s, &bytes) && bytes.n == 6;

        if (ok)
                memcpy(ret->b, bytes.s, 6);
        text_done(&bytes);
        return ok;
}

static void read_hardware(struct walk *w, struct frame *frame,
                          const struct statement *s) {
        if (!ends_at(w, s, 3))
                return;
        if (!token_is(&s->tokens[1], "ethernet"))
                import_remark(w->d->im, s->tokens[0].at, "hardware ", s->tokens[1].s,
                              " is not carried: only Ethernet is known", NULL);
        else if (!read_mac(s->tokens[2].s, &frame->mac))
                refuse(w, &s->tokens[2], "a MAC address such as 52:54:00:12:34:56");
        else
                frame->has_mac = true;
}

static void read_fixed_address(struct walk *w, struct frame *frame,
                               const struct statement *s) {
        if (s->n < 2)
                refuse(w, &s->tokens[s->n], "an address");
        for (size_t i = 1; i < s->n; i += 2) {
                const struct token *token = &s->tokens[i];
                ip4_t address;

                if (i + 1 < s->n && !token_is(&s->tokens[i + 1], ",")) {
                        refuse(w, &s->tokens[i + 1], "',' or ';'");
                        return;
                }
                if (!ip4_parse(token->s, &address))
                        import_remark(w->d->im, s->tokens[0].at, "fixed-address ",
                                      token->s,
                                      " is not carried: names are not looked up, write "
                                      "the address",
                                      NULL);
                else if (frame->address)
                        import_remark(
                                w->d->im, s->tokens[0].at, "fixed-address ", token->s,
                                " is not carried: a host has one address, and one "
                                "from the pools of other subnets",
                                NULL);
                else
                        frame->address = address;
        }
}

static void read_host_identifier(struct walk *w, struct frame *frame,
                                 const struct statement *s) {
        struct text bytes = { 0 };
        struct span value;

        if (s->n < 4 || !token_is(&s->tokens[1], "option")) {
                import_remark(
                        w->d->im, s->tokens[0].at, statement_text(w, s),
                        " is not carried: hosts are known by their MAC, client-id, "
                        "uuid or circuit-id",
                        NULL);
                return;
        }
        if (!option_encode('X', s->tokens[3].s, s->tokens[3].n,
                           s->tokens[3].kind == TOKEN_STRING, &bytes))
                refuse(w, &s->tokens[3], "a text in quotes or bytes");
        value = (struct span){ (const uint8_t *)import_copy(w->d->im, bytes.s, bytes.n),
                               bytes.n };
        text_done(&bytes);
        if (strcmp(s->tokens[2].s, "agent.circuit-id") == 0)
                frame->circuit_id = match_text(w->d->im, value, 0, false);
        else if (strcmp(s->tokens[2].s, "dhcp-client-identifier") == 0)
                frame->client_id = match_text(w->d->im, value, 0, false);
        else if (strcmp(s->tokens[2].s, "pxe-client-id") == 0 && value.n == 17) {
                struct uuid uuid;
                char text[UUID_TEXT_MAX];

                memcpy(uuid.b, value.data + 1, 16);
                uuid_format(uuid, text);
                frame->uuid = import_copy(w->d->im, text, strlen(text));
        } else
                import_remark(
                        w->d->im, s->tokens[0].at, statement_text(w, s),
                        " is not carried: hosts are known by their MAC, client-id, "
                        "uuid or circuit-id",
                        NULL);
}

/* ---- classes ---- */

static struct frame *find_class(const struct walk *w, const char *name) {
        for (struct frame *frame = w->d->classes; frame; frame = frame->next_class)
                if (strcmp(frame->name, name) == 0)
                        return frame;
        return NULL;
}

static void open_class(struct walk *w, const struct statement *s) {
        struct frame *class;

        if (!ends_at(w, s, 2))
                return;
        class = find_class(w, s->tokens[1].s);
        if (!class) {
                class = new_frame(w, w->global, FRAME_CLASS, s);
                if (!class)
                        return;
                class->name = s->tokens[1].s;
                class->next_class = w->d->classes;
                w->d->classes = class;
                if (++w->d->n_classes > CLASSES_MAX)
                        refuse(w, &s->tokens[0], "less: these are too many classes");
                attach(w->global, class);
        }
        read_all(w, class, s->inner);
}

static void read_match(struct walk *w, struct frame *frame, const struct statement *s) {
        const struct token *end = s->tokens + s->n;

        if (frame->kind != FRAME_CLASS) {
                refuse(w, &s->tokens[0], "'match' in a class only");
        } else if (s->n > 1 && token_is(&s->tokens[1], "if")) {
                dhcpd_condition(w->d, s->tokens + 2, end, &frame->condition);
                frame->has_condition = true;
        } else {
                dhcpd_operand(w->d, s->tokens + 1, end, &frame->operand);
                frame->has_operand = true;
        }
}

/* Many members: they are put into one list without looking for the same one. */
static void add_member(struct walk *w, struct frame *class, const struct matches *one) {
        for (size_t key = 0; key < N_MATCHES; key++)
                if (one->first && one->first->keys[key].n) {
                        if (!class->members.n)
                                matches_add(w->d->im, &class->members);
                        if (class->members.last)
                                words_add(w->d->im, &class->members.last->keys[key],
                                          one->first->keys[key].first->s);
                }
}

static void open_subclass(struct walk *w, const struct statement *s) {
        struct frame *class, *frame;
        struct operand value;
        struct matches one;
        const char *why = NULL;

        if (s->n < 3) {
                refuse(w, &s->tokens[s->n], "a class and the value of its member");
                return;
        }
        class = find_class(w, s->tokens[1].s);
        if (!class) {
                refuse(w, &s->tokens[1], "a class that was declared before");
                return;
        }
        dhcpd_operand(w->d, s->tokens + 2, s->tokens + s->n, &value);
        if (!class->has_operand || class->operand.kind != OPERAND_FIELD)
                why = class->operand.why ? class->operand.why
                                         : "the class does not say what to match";
        else if (value.kind != OPERAND_CONSTANT)
                why = value.why ? value.why : "it is no fixed value";
        else
                dhcpd_equal(w->d, &class->operand, &value, &one, &why);
        if (why) {
                import_remark(w->d->im, s->tokens[0].at, statement_text(w, s),
                              " is not carried: ", why, NULL);
                return;
        }
        add_member(w, class, &one);
        frame = s->inner ? new_frame(w, class, FRAME_SUBCLASS, s) : NULL;
        if (!frame)
                return;
        frame->name = class->name;
        frame->members = one;
        attach(class, frame);
        read_all(w, frame, s->inner);
}

/* ---- conditions ---- */

static struct branch *new_branch(struct walk *w, struct frame *frame,
                                 const struct statement *s) {
        struct branch *branch = import_take(w->d->im, sizeof(*branch));
        bool is_else = token_is(&s->tokens[0], "else");
        size_t from = 1;

        if (!branch)
                return NULL;
        if (is_else && s->n > 1 && token_is(&s->tokens[1], "if")) {
                is_else = false;
                from = 2;
        }
        if (!s->has_block)
                refuse(w, &s->tokens[s->n], "'{' after the condition");
        branch->is_else = is_else;
        if (is_else)
                ends_at(w, s, 1);
        else
                dhcpd_condition(w->d, s->tokens + from, s->tokens + s->n,
                                &branch->condition);
        branch->frame = new_frame(w, frame, FRAME_BRANCH, s);
        if (!branch->frame)
                return NULL;
        read_all(w, branch->frame, s->inner);
        return branch;
}

static void report_branch(struct walk *w, const struct branch *branch) {
        if (branch->is_else || branch->condition.is_known || w->d->im->failed)
                return;
        import_remark(w->d->im, branch->frame->at,
                      "this condition and what it sets are not carried: ",
                      branch->condition.why, NULL);
}

/* Reads the ladder whose first rung `s` is; returns the last statement of it. */
static const struct statement *read_ladder(struct walk *w, struct frame *frame,
                                           const struct statement *s) {
        struct ladder *ladder = import_take(w->d->im, sizeof(*ladder));
        struct branch **end;

        if (!ladder)
                return s;
        ladder->at = s->tokens[0].at;
        end = &ladder->branches;
        for (;; s = s->next) {
                *end = new_branch(w, frame, s);
                if (!*end)
                        return s;
                report_branch(w, *end);
                if ((*end)->is_else || !s->next ||
                    (!token_is(&s->next->tokens[0], "else") &&
                     !token_is(&s->next->tokens[0], "elsif")))
                        break;
                end = &(*end)->next;
        }
        ladder->next = frame->ladders;
        frame->ladders = ladder;
        return s;
}

/* ---- everything else ---- */

static const struct {
        const char *word; /* a last '-' stands for all that begin so */
        const char *why;
} not_carried[] = {
        { "failover", "Bootjack keeps leases in one state folder" },
        { "key", "Bootjack does not change DNS and has no OMAPI" },
        { "zone", "Bootjack does not change DNS" },
        { "ddns-", "Bootjack does not change DNS" },
        { "update-", "Bootjack does not change DNS" },
        { "do-forward-updates", "Bootjack does not change DNS" },
        { "omapi-", "Bootjack has no OMAPI; ask with 'bootjack leases --json'" },
        { "log-facility", "the log goes to standard error, which systemd keeps" },
        { "log", "the log says what was decided by itself" },
        { "lease-file-name", "leases are in the state folder" },
        { "dhcpv6-", "IPv6 is not served" },
        { "pid-file-name", "Bootjack stays in the foreground and needs none" },
        { "local-port", "the ports of DHCP are 67 and 68" },
        { "remote-port", "the ports of DHCP are 67 and 68" },
        { "local-address", "name the cards under 'interfaces' instead" },
        { "server-identifier", "Bootjack answers with the address of its interface" },
        { "db-time-format", "leases are kept in a database" },
        { "one-lease-per-client", "a client has one address in each network anyway" },
        { "always-broadcast", "the answer goes where the client's flag says" },
        { "always-reply-rfc1048", "the answer has the form of the request" },
        { "stash-agent-options", "what the relay said is kept with the lease anyway" },
        { "get-lease-hostnames", "names are not looked up" },
        { "min-secs", "clients are answered at once" },
        { "dynamic-bootp-lease-cutoff", "a BOOTP client keeps its address" },
        { "dynamic-bootp-lease-length", "a BOOTP client keeps its address" },
        { "limited-broadcast-address", "255.255.255.255 is used" },
        { "adaptive-lease-time-threshold", "lease times do not depend on how full a "
                                           "pool is" },
        { "abandon-lease-time", "an address that was declined rests for a set time" },
        { "echo-client-id", "it is sent back always" },
        { "ignore-client-uids", "clients are told apart by what they send" },
        { "infinite-is-reserved", "an infinite lease is one without an end" },
        { "use-lease-addr-for-default-route", "write routers instead" },
        { "ldap-", "Bootjack reads its configuration from a file" },
        { "delayed-ack", "Bootjack gathers what arrives together by itself" },
        { "max-ack-delay", "Bootjack gathers what arrives together by itself" },
        { "dont-use-fsync", "an address is on disk before it is given" },
        { "on", "Bootjack runs no programs; follow 'bootjack events --json'" },
        { "execute", "Bootjack runs no programs; follow 'bootjack events --json'" },
        { "set", "there are no variables" },
        { "unset", "there are no variables" },
        { "define", "there are no functions" },
        { "function", "there are no functions" },
        { "eval", "there are no expressions" },
        { "switch", "write it as a ladder of 'if' first" },
        { "spawn", "classes do not make classes" },
        { "lease", "classes do not count leases; make the pool smaller" },
        { "subnet6", "IPv6 is not served" },
        { "pool6", "IPv6 is not served" },
        { "range6", "IPv6 is not served" },
        { "prefix6", "IPv6 is not served" },
        { "fixed-address6", "IPv6 is not served" },
        { "fixed-prefix6", "IPv6 is not served" },
        { "preferred-lifetime", "IPv6 is not served" },
        { "limit-addrs-per-ia", "IPv6 is not served" },
        { "ping-cltt-secs", "every address is probed before its first offer" },
        { "dynamic", "hosts stand in the configuration" },
        { "deleted", "hosts stand in the configuration" },
        { "release-on-roam", "a lease on another wire ends when its time is over" },
        { "check-secs-byte-order", "the field 'secs' is not looked at" },
        { "supersede", "it is a statement for clients" },
        { "send", "it is a statement for clients" },
        { "request", "it is a statement for clients" },
        { "default", "options have one value; say it with 'option'" },
        { "append", "options have one value; say it with 'option'" },
        { "prepend", "options have one value; say it with 'option'" },
        { "add", "membership comes from 'match' alone" },
        { "parse-vendor-option", "what a client sends in option 43 is not looked at" },
};

static void read_other(struct walk *w, const struct statement *s) {
        const char *word = s->tokens[0].s;

        for (size_t i = 0; i < ARRAY_SIZE(not_carried); i++) {
                size_t n = strlen(not_carried[i].word);
                bool is_prefix = not_carried[i].word[n - 1] == '-';

                if (is_prefix ? strncmp(word, not_carried[i].word, n) == 0
                              : token_is(&s->tokens[0], not_carried[i].word)) {
                        import_remark(w->d->im, s->tokens[0].at, word,
                                      " is not carried: ", not_carried[i].why, NULL);
                        return;
                }
        }
        import_remark(w->d->im, s->tokens[0].at, "'", statement_text(w, s),
                      "' is not known and not carried", NULL);
}

static bool read_value(struct walk *w, struct frame *frame, const struct statement *s) {
        static const struct {
                const char *word;
                enum scope_key key;
        } times[] = { { "default-lease-time", KEY_LEASE_TIME },
                      { "max-lease-time", KEY_MAX_LEASE_TIME },
                      { "min-lease-time", KEY_MIN_LEASE_TIME } };
        const struct token *word = &s->tokens[0];

        for (size_t i = 0; i < ARRAY_SIZE(times); i++)
                if (token_is(word, times[i].word)) {
                        set_time(w, frame, s, times[i].key);
                        return true;
                }
        if (token_is(word, "next-server"))
                set_next_server(w, frame, s);
        else if (token_is(word, "filename"))
                set_text(w, frame, s, KEY_FILENAME);
        else if (token_is(word, "server-name"))
                set_text(w, frame, s, KEY_SERVER_NAME);
        else if (!token_is(word, "option"))
                return false;
        else if (!dhcpd_define(w->d, s))
                dhcpd_option(w->d, frame, s);
        return true;
}

static bool read_switches(struct walk *w, struct frame *frame,
                          const struct statement *s) {
        const struct token *word = &s->tokens[0];
        bool value;

        if (token_is(word, "authoritative")) {
                if (ends_at(w, s, 1))
                        set_authoritative(w, frame, s, true);
        } else if (token_is(word, "not") && s->n == 2 &&
                   token_is(&s->tokens[1], "authoritative")) {
                set_authoritative(w, frame, s, false);
        } else if (token_is(word, "ping-check")) {
                set_ping_check(w, frame, s);
        } else if (token_is(word, "ping-timeout")) {
                set_ping_timeout(w, frame, s, 1000);
        } else if (token_is(word, "ping-timeout-ms")) {
                set_ping_timeout(w, frame, s, 1);
        } else if (token_is(word, "use-host-decl-names")) {
                if (read_switch(w, s, &value))
                        frame->use_host_names = value ? YES : NO;
        } else if (token_is(word, "boot-unknown-clients")) {
                if (read_switch(w, s, &value))
                        frame->known_only = value ? NO : YES;
        } else if (token_is(word, "vendor-option-space")) {
                if (ends_at(w, s, 2))
                        frame->vendor_space = s->tokens[1].s;
        } else if (token_is(word, "site-option-space")) {
                if (ends_at(w, s, 2))
                        w->global->site_space = s->tokens[1].s;
        } else if (token_is(word, "allow") || token_is(word, "deny") ||
                   token_is(word, "ignore")) {
                read_allow(w, frame, s);
        } else {
                return false;
        }
        return true;
}

static bool read_host_statement(struct walk *w, struct frame *frame,
                                const struct statement *s) {
        if (frame->kind != FRAME_HOST)
                return false;
        if (token_is(&s->tokens[0], "hardware"))
                read_hardware(w, frame, s);
        else if (token_is(&s->tokens[0], "fixed-address"))
                read_fixed_address(w, frame, s);
        else if (token_is(&s->tokens[0], "host-identifier"))
                read_host_identifier(w, frame, s);
        else
                return false;
        return true;
}

/* Blocks that may stand in a branch of a ladder are none. */
static bool read_block(struct walk *w, struct frame *frame, const struct statement *s) {
        static const struct {
                const char *word;
                enum frame_kind kind;
                size_t n; /* words at the most */
        } blocks[] = { { "group", FRAME_GROUP, 2 },
                       { "shared-network", FRAME_SHARED, 2 },
                       { "pool", FRAME_POOL, 1 },
                       { "host", FRAME_HOST, 2 } };
        const struct token *word = &s->tokens[0];

        if (!s->has_block || frame->kind == FRAME_BRANCH)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
                if (token_is(word, blocks[i].word)) {
                        if (s->n > blocks[i].n || (s->n < 2 && blocks[i].n == 2 &&
                                                   blocks[i].kind != FRAME_GROUP))
                                ends_at(w, s, blocks[i].n);
                        else
                                open_named(w, frame, s, blocks[i].kind);
                        return true;
                }
        if (token_is(word, "subnet"))
                open_subnet(w, frame, s);
        else if (token_is(word, "class"))
                open_class(w, s);
        else
                return false;
        return true;
}

static void read_one(struct walk *w, struct frame *frame, const struct statement *s) {
        const struct token *word = &s->tokens[0];

        if (word->kind != TOKEN_WORD) {
                refuse(w, word, "a statement");
                return;
        }
        if (read_value(w, frame, s) || read_switches(w, frame, s) ||
            read_host_statement(w, frame, s) || read_block(w, frame, s))
                return;
        if (token_is(word, "range"))
                add_range(w, frame, s);
        else if (token_is(word, "match"))
                read_match(w, frame, s);
        else if (token_is(word, "subclass"))
                open_subclass(w, s);
        else if (token_is(word, "interface") && s->n == 2)
                frame->interface = s->tokens[1].s;
        else if (token_is(word, "else") || token_is(word, "elsif"))
                refuse(w, word, "'if' before");
        else
                read_other(w, s);
}

static void read_all(struct walk *w, struct frame *frame, const struct statement *s) {
        for (; s && !w->d->im->failed; s = s->next) {
                if (token_is(&s->tokens[0], "if"))
                        s = read_ladder(w, frame, s);
                else
                        read_one(w, frame, s);
        }
}

struct frame *dhcpd_frames(struct dhcpd *d, const struct statement *statements) {
        struct walk w = { .d = d };

        w.global = new_frame(&w, NULL, FRAME_GLOBAL, NULL);
        if (w.global)
                read_all(&w, w.global, statements);
        return w.global;
}
