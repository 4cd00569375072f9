/*
 * Three small languages. dhcpd's is one of statements in braces, with quoted texts that
 * may hold octal escapes; Kea's a table whose first line names the columns; dnsmasq's a
 * line of five words.
 */
#include "leasefile/leasefile.h"

enum { WORDS_MAX = 40, FIELD_MAX = 1024 };

static const char *const names[LEASEFILE_N_FORMATS] = { "unknown", "isc", "kea",
                                                        "dnsmasq" };

const char *leasefile_format_name(enum leasefile_format format) {
        return names[(unsigned)format < LEASEFILE_N_FORMATS ? format : 0];
}

bool leasefile_format_parse(const char *name, enum leasefile_format *ret) {
        for (unsigned i = 1; i < LEASEFILE_N_FORMATS; i++)
                if (strcmp(names[i], name) == 0) {
                        *ret = (enum leasefile_format)i;
                        return true;
                }
        return false;
}

/* ---- lines and numbers ---- */

struct lines {
        const char *at, *end;
        size_t number;
};

/* The next line without its end, into `ret`, cut at FIELD_MAX - 1. */
static bool next_line(struct lines *l, char ret[static FIELD_MAX]) {
        const char *newline;
        size_t n;

        if (l->at >= l->end)
                return false;
        newline = memchr(l->at, '\n', (size_t)(l->end - l->at));
        n = newline ? (size_t)(newline - l->at) : (size_t)(l->end - l->at);
        memcpy(ret, l->at, min_size(n, FIELD_MAX - 1));
        l->at += n + (newline != NULL);
        l->number++;
        n = min_size(n, FIELD_MAX - 1);
        ret[n] = '\0';
        if (n > 0 && ret[n - 1] == '\r')
                ret[n - 1] = '\0';
        return true;
}

static bool parse_u64(const char *s, uint64_t *ret) {
        uint64_t v = 0;

        if (*s == '\0')
                return false;
        for (; *s >= '0' && *s <= '9'; s++) {
                if (v > UINT64_MAX / 10 - 1)
                        return false;
                v = v * 10 + (uint64_t)(*s - '0');
        }
        *ret = v;
        return *s == '\0';
}

static nsec_t seconds(uint64_t v) {
        return v > UINT32_MAX ? NSEC_NEVER : v * NSEC_PER_SEC;
}

static int hex(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* Bytes of one or two digits with colons between them. */
static bool parse_bytes(const char *s, uint8_t *ret, size_t room, size_t *ret_n) {
        size_t n = 0;

        while (*s) {
                int high = hex(s[0]), low = high < 0 ? -1 : hex(s[1]);

                if (high < 0 || n == room)
                        return false;
                ret[n++] = (uint8_t)(low < 0 ? high : high << 4 | low);
                s += low < 0 ? 1 : 2;
                if (*s == ':' && s[1])
                        s++;
                else if (*s)
                        return false;
        }
        *ret_n = n;
        return n > 0;
}

static bool parse_mac_text(const char *s, struct mac *ret) {
        uint8_t bytes[6];
        size_t n;

        if (!parse_bytes(s, bytes, sizeof(bytes), &n) || n != 6)
                return false;
        memcpy(ret->b, bytes, 6);
        return true;
}

static void set_hostname(struct lease_record *lease, const char *name) {
        size_t n = min_size(strlen(name), LEASE_HOSTNAME_MAX - 1);

        memcpy(lease->hostname, name, n);
        lease->hostname[n] = '\0';
}

/* ---- dnsmasq: ENDS MAC ADDRESS NAME CLIENT-ID ---- */

static size_t split_words(char *line, char *ret[static WORDS_MAX]) {
        size_t n = 0;

        for (char *p = line; *p && n < WORDS_MAX;) {
                p += strspn(p, " \t");
                if (*p == '\0')
                        break;
                ret[n++] = p;
                p += strcspn(p, " \t");
                if (*p)
                        *p++ = '\0';
        }
        return n;
}

static const char *read_dnsmasq_line(char **words, size_t n, struct lease_record *ret) {
        size_t n_id = 0;
        uint64_t ends;

        if (n < 4)
                return "a lease has five words: end, MAC, address, name, client id";
        if (!parse_u64(words[0], &ends))
                return "the first word is no time in seconds";
        if (!ip4_parse(words[2], &ret->address))
                return "the third word is no IPv4 address";
        if (!parse_mac_text(words[1], &ret->mac))
                return "the second word is no MAC address";
        ret->ends = ends == 0 ? NSEC_NEVER : seconds(ends);
        if (strcmp(words[3], "*") != 0)
                set_hostname(ret, words[3]);
        if (n > 4 && strcmp(words[4], "*") != 0 &&
            !parse_bytes(words[4], ret->client_id, LEASE_CLIENT_ID_MAX, &n_id))
                return "the fifth word is no client identifier";
        ret->n_client_id = (uint8_t)n_id;
        return NULL;
}

static void read_dnsmasq(struct lines *l, const struct leasefile_reader *reader) {
        char line[FIELD_MAX], *words[WORDS_MAX];

        while (next_line(l, line)) {
                struct lease_record lease = { 0 };
                size_t n = split_words(line, words);
                const char *why;

                /* IPv6: behind the server's DUID, or with such an address. */
                if (n == 0 || strcmp(words[0], "duid") == 0 ||
                    (n > 2 && strchr(words[2], ':')))
                        continue;
                why = read_dnsmasq_line(words, n, &lease);
                if (why)
                        reader->problem(l->number, why, reader->userdata);
                else
                        reader->lease(&lease, l->number, reader->userdata);
        }
}

/* ---- Kea: a table ---- */

/* RFC 4180, of which Kea needs no quotes; a comma in a name is written &#x2c. */
static size_t split_fields(char *line, char *ret[static WORDS_MAX]) {
        size_t n = 0;

        for (char *p = line; n < WORDS_MAX;) {
                char *comma = strchr(p, ',');

                ret[n++] = p;
                if (!comma)
                        break;
                *comma = '\0';
                p = comma + 1;
        }
        return n;
}

struct columns {
        size_t address, hwaddr, client_id, lifetime, expire, hostname, state;
};

static size_t column(char **fields, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(fields[i], name) == 0)
                        return i;
        return SIZE_MAX;
}

static const char *field(char **fields, size_t n, size_t at) {
        return at < n ? fields[at] : "";
}

static const char *read_kea_line(char **f, size_t n, const struct columns *c,
                                 struct lease_record *ret) {
        const char *id = field(f, n, c->client_id);
        uint64_t expire, lifetime, state = 0;
        size_t n_id = 0;

        if (!ip4_parse(field(f, n, c->address), &ret->address))
                return "its address is none of IPv4";
        if (!parse_u64(field(f, n, c->expire), &expire) ||
            !parse_u64(field(f, n, c->lifetime), &lifetime) ||
            (*field(f, n, c->state) && !parse_u64(field(f, n, c->state), &state)))
                return "expire, valid_lifetime and state must be numbers";
        if (!parse_mac_text(field(f, n, c->hwaddr), &ret->mac) && state != 1)
                return "its hwaddr is no MAC address";
        if (*id && !parse_bytes(id, ret->client_id, LEASE_CLIENT_ID_MAX, &n_id))
                return "its client_id is not hexadecimal";
        ret->n_client_id = (uint8_t)n_id;
        ret->ends = lifetime >= UINT32_MAX ? NSEC_NEVER : seconds(expire);
        ret->starts = lifetime >= UINT32_MAX || lifetime > expire
                              ? 0
                              : seconds(expire - lifetime);
        ret->state = state == 0   ? LEASE_BOUND
                     : state == 1 ? LEASE_DECLINED
                                  : LEASE_EXPIRED;
        set_hostname(ret, field(f, n, c->hostname));
        return NULL;
}

static void read_kea(struct lines *l, const struct leasefile_reader *reader) {
        char line[FIELD_MAX], *fields[WORDS_MAX];
        struct columns c;
        size_t n;

        if (!next_line(l, line))
                return;
        n = split_fields(line, fields);
        c = (struct columns){
                column(fields, n, "address"),   column(fields, n, "hwaddr"),
                column(fields, n, "client_id"), column(fields, n, "valid_lifetime"),
                column(fields, n, "expire"),    column(fields, n, "hostname"),
                column(fields, n, "state")
        };
        if (c.address == SIZE_MAX || c.hwaddr == SIZE_MAX || c.expire == SIZE_MAX ||
            c.lifetime == SIZE_MAX) {
                reader->problem(1,
                                "the first line must name the columns address, "
                                "hwaddr, valid_lifetime and expire",
                                reader->userdata);
                return;
        }
        while (next_line(l, line)) {
                struct lease_record lease = { 0 };
                const char *why;

                if (line[0] == '\0')
                        continue;
                n = split_fields(line, fields);
                why = read_kea_line(fields, n, &c, &lease);
                if (why)
                        reader->problem(l->number, why, reader->userdata);
                else
                        reader->lease(&lease, l->number, reader->userdata);
        }
}

/* ---- ISC dhcpd: statements ---- */

struct isc {
        const char *at, *end;
        size_t line;
        char word[FIELD_MAX]; /* the last: a word, a quoted text, or one of { } ; */
        size_t n_word;
        bool is_quoted;
};

static void skip_blanks(struct isc *s) {
        while (s->at < s->end) {
                if (*s->at == '#')
                        while (s->at < s->end && *s->at != '\n')
                                s->at++;
                else if (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' ||
                         *s->at == '\n')
                        s->line += *s->at++ == '\n';
                else
                        return;
        }
}

static void add(struct isc *s, char c) {
        if (s->n_word < FIELD_MAX - 1)
                s->word[s->n_word++] = c;
}

/* Up to the closing quote; a backslash before three octal digits, or any character. */
static void read_quoted(struct isc *s) {
        for (s->at++; s->at < s->end && *s->at != '"' && *s->at != '\n'; s->at++) {
                unsigned v = 0, digits = 0;

                if (*s->at != '\\') {
                        add(s, *s->at);
                        continue;
                }
                while (digits < 3 && s->at + 1 < s->end && s->at[1] >= '0' &&
                       s->at[1] <= '7') {
                        v = v << 3 | (unsigned)(*++s->at - '0');
                        digits++;
                }
                if (digits)
                        add(s, (char)v);
                else if (s->at + 1 < s->end)
                        add(s, *++s->at);
        }
        if (s->at < s->end && *s->at == '"')
                s->at++;
}

static bool next_word(struct isc *s) {
        skip_blanks(s);
        s->n_word = 0;
        s->is_quoted = false;
        if (s->at >= s->end)
                return false;
        if (*s->at == '"') {
                s->is_quoted = true;
                read_quoted(s);
        } else if (strchr("{};", *s->at) && *s->at) {
                add(s, *s->at++);
        } else {
                while (s->at < s->end && !strchr(" \t\r\n{};\"", *s->at))
                        add(s, *s->at++);
                if (s->n_word == 0) /* a NUL */
                        s->at++;
        }
        s->word[s->n_word] = '\0';
        return true;
}

static bool is_word(const struct isc *s, const char *word) {
        return !s->is_quoted && strcmp(s->word, word) == 0;
}

/* To behind the next ';', or before a '}'. */
static void skip_statement(struct isc *s) {
        unsigned depth = 0;

        while (!is_word(s, ";") || depth > 0) {
                depth += is_word(s, "{");
                if (is_word(s, "}") && depth-- <= 1)
                        return;
                if (!next_word(s))
                        return;
        }
}

/* Days since 1970 of a date of the Gregorian calendar. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day) {
        uint64_t y = year - (month <= 2), era = y / 400, in_era = y - era * 400;
        uint64_t m = month > 2 ? month - 3 : month + 9;

        return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
               (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool parse_three(const char *s, char separator, uint64_t ret[static 3]) {
        char part[12];

        for (size_t i = 0; i < 3; i++) {
                size_t n = strspn(s, "0123456789");

                if (n == 0 || n >= sizeof(part) || s[n] != (i < 2 ? separator : '\0'))
                        return false;
                memcpy(part, s, n);
                part[n] = '\0';
                (void)parse_u64(part, &ret[i]);
                s += n + 1;
        }
        return true;
}

/* "never", "epoch 1700000000", or weekday, date and time in UTC. */
static bool read_time(struct isc *s, nsec_t *ret) {
        uint64_t date[3], time[3], v;

        if (!next_word(s))
                return false;
        if (is_word(s, "never")) {
                *ret = NSEC_NEVER;
                return true;
        }
        if (is_word(s, "epoch")) {
                if (!next_word(s) || !parse_u64(s->word, &v))
                        return false;
                *ret = seconds(v);
                return true;
        }
        if (!next_word(s) || !parse_three(s->word, '/', date) || !next_word(s) ||
            !parse_three(s->word, ':', time) || date[0] < 1970 || date[0] > 9999 ||
            date[1] < 1 || date[1] > 12 || date[2] < 1 || date[2] > 31)
                return false;
        *ret = seconds(days_of(date[0], date[1], date[2]) * 86400 + time[0] * 3600 +
                       time[1] * 60 + time[2]);
        return true;
}

struct isc_lease {
        struct lease_record record;
        bool has_mac, is_free;
        const char *why;
};

static void read_binding(struct isc *s, struct isc_lease *l) {
        if (!next_word(s) || !is_word(s, "state") || !next_word(s))
                l->why = "binding must be followed by state and its name";
        else if (is_word(s, "active"))
                l->record.state = LEASE_BOUND;
        else if (is_word(s, "abandoned"))
                l->record.state = LEASE_DECLINED;
        else if (is_word(s, "released"))
                l->record.state = LEASE_RELEASED;
        else if (is_word(s, "expired"))
                l->record.state = LEASE_EXPIRED;
        else /* free, backup, reset, bootp */
                l->is_free = true;
}

static void read_uid(struct isc *s, struct isc_lease *l) {
        size_t n = 0;

        if (!next_word(s)) {
                l->why = "uid has no value";
        } else if (s->is_quoted) {
                n = min_size(s->n_word, LEASE_CLIENT_ID_MAX);
                memcpy(l->record.client_id, s->word, n);
        } else if (!parse_bytes(s->word, l->record.client_id, LEASE_CLIENT_ID_MAX,
                                &n)) {
                l->why = "uid is neither a text in quotes nor hexadecimal";
        }
        l->record.n_client_id = (uint8_t)n;
}

static void read_isc_statement(struct isc *s, struct isc_lease *l) {
        if (is_word(s, "starts")) {
                if (!read_time(s, &l->record.starts))
                        l->why = "starts has no time that is understood";
        } else if (is_word(s, "ends")) {
                if (!read_time(s, &l->record.ends))
                        l->why = "ends has no time that is understood";
        } else if (is_word(s, "binding")) {
                read_binding(s, l);
        } else if (is_word(s, "hardware")) {
                if (next_word(s) && is_word(s, "ethernet") && next_word(s))
                        l->has_mac = parse_mac_text(s->word, &l->record.mac);
        } else if (is_word(s, "uid")) {
                read_uid(s, l);
        } else if (is_word(s, "client-hostname")) {
                if (next_word(s) && s->is_quoted)
                        set_hostname(&l->record, s->word);
        } else if (is_word(s, "abandoned")) {
                l->record.state = LEASE_DECLINED;
        }
        skip_statement(s);
}

static void read_isc_lease(struct isc *s, const struct leasefile_reader *reader) {
        struct isc_lease l = { 0 };
        size_t line = s->line;

        if (!next_word(s) || !ip4_parse(s->word, &l.record.address)) {
                l.why = "lease must be followed by an IPv4 address";
        } else if (!next_word(s) || !is_word(s, "{")) {
                l.why = "the address must be followed by '{'";
        } else {
                bool is_closed = false;

                while (!is_closed && next_word(s)) {
                        is_closed = is_word(s, "}");
                        if (!is_closed && !is_word(s, ";"))
                                read_isc_statement(s, &l);
                        is_closed |= is_word(s, "}");
                }
                if (!is_closed)
                        l.why = "it is not closed: the file ends in it";
        }
        if (l.why)
                reader->problem(line, l.why, reader->userdata);
        else if (!l.is_free && (l.has_mac || l.record.state == LEASE_DECLINED))
                reader->lease(&l.record, line, reader->userdata);
}

static void read_isc(const char *text, size_t n,
                     const struct leasefile_reader *reader) {
        struct isc s = { .at = text, .end = text + n, .line = 1 };

        while (next_word(&s))
                if (is_word(&s, "lease"))
                        read_isc_lease(&s, reader);
                else /* server-duid, authoring-byte-order, failover peer ... */
                        skip_statement(&s);
}

/* ---- all ---- */

enum leasefile_format leasefile_recognise(const char *text, size_t n) {
        struct lines l = { text, text + n, 0 };
        char line[FIELD_MAX], *words[WORDS_MAX];

        while (next_line(&l, line)) {
                size_t n_words;

                if (strncmp(line, "address,hwaddr,", 15) == 0)
                        return LEASEFILE_KEA;
                n_words = split_words(line, words);
                if (n_words == 0 || words[0][0] == '#')
                        continue;
                if (n_words >= 4 && strspn(words[0], "0123456789") == strlen(words[0]))
                        return LEASEFILE_DNSMASQ;
                if (strcmp(words[0], "duid") == 0)
                        return LEASEFILE_DNSMASQ;
                if (strcmp(words[0], "lease") == 0 ||
                    strcmp(words[0], "server-duid") == 0 ||
                    strcmp(words[0], "authoring-byte-order") == 0 ||
                    strcmp(words[0], "failover") == 0)
                        return LEASEFILE_ISC;
                return LEASEFILE_UNKNOWN;
        }
        return LEASEFILE_UNKNOWN;
}

void leasefile_read(enum leasefile_format format, const char *text, size_t n,
                    const struct leasefile_reader *reader) {
        struct lines lines = { text, text + n, 0 };

        if (format == LEASEFILE_ISC)
                read_isc(text, n, reader);
        else if (format == LEASEFILE_KEA)
                read_kea(&lines, reader);
        else if (format == LEASEFILE_DNSMASQ)
                read_dnsmasq(&lines, reader);
}
