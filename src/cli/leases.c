/*
 * bootjack leases: who has which address; ends leases, and takes over those of other
 * servers. The list comes in pages and is printed as it comes, but for the table, whose
 * columns want to know all of it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"
#include "leasefile/leasefile.h"
#include "policy/scope.h"

enum { PAGE = 1000, FILE_MAX = 512 << 20, BATCH_BYTES = 40000 };

struct filter {
        const char *state, *subnet, *mac, *address, *hostname;
        struct scope_network network;
        bool is_for_people; /* who are not told of leases that are over, unless asked */
};

struct wish {
        struct client_flags flags;
        struct filter filter;
        bool csv, dry_run;
        const char *from;
};

/* ---- which ---- */

static bool begins(const char *text, const char *prefix) {
        return !prefix || strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *text_of(const json_t *lease, const char *name) {
        const char *text = json_string_value(json_object_get(lease, name));

        return text ? text : "";
}

static bool is_wanted(const struct filter *f, const json_t *lease) {
        const char *state = text_of(lease, "state"), *name = text_of(lease, "hostname");
        ip4_t address = 0;

        if (!ip4_parse(text_of(lease, "address"), &address))
                return false;
        if (f->state ? strcmp(f->state, "all") != 0 && strcmp(f->state, state) != 0
                     : f->is_for_people && strcmp(state, "bound") != 0 &&
                               strcmp(state, "declined") != 0)
                return false;
        if (f->subnet && (address & f->network.mask) != f->network.network)
                return false;
        return begins(text_of(lease, "mac"), f->mac) &&
               (!f->address || strcmp(text_of(lease, "address"), f->address) == 0) &&
               (!f->hostname ||
                scope_glob(f->hostname,
                           (struct span){ (const uint8_t *)name, strlen(name) }));
}

static bool read_network(const char *text, struct scope_network *ret) {
        const char *slash = strchr(text, '/');
        char *end;
        unsigned long width = slash ? strtoul(slash + 1, &end, 10) : 32;

        if (!ip4_parse_n(text, slash ? (size_t)(slash - text) : strlen(text),
                         &ret->network) ||
            width > 32 || (slash && (slash[1] == '\0' || *end)))
                return false;
        ret->mask = width ? UINT32_MAX << (32 - width) : 0;
        ret->network &= ret->mask;
        return true;
}

/* ---- how ---- */

/* The answer's seconds since 1970; null is no end. */
static const char *time_text(const json_t *value, bool is_for_programs,
                             char ret[static 40]) {
        time_t seconds = (time_t)json_integer_value(value);
        struct tm tm;

        ret[0] = '\0';
        if (json_is_null(value))
                strcpy(ret, is_for_programs ? "" : "never");
        else if (is_for_programs && gmtime_r(&seconds, &tm))
                strftime(ret, 40, "%Y-%m-%dT%H:%M:%SZ", &tm);
        else if (localtime_r(&seconds, &tm))
                strftime(ret, 40, "%Y-%m-%d %H:%M:%S", &tm);
        return ret;
}

static void add_row(struct table *table, const json_t *lease) {
        char time[40];

        table_cell(table, text_of(lease, "address"));
        table_cell(table, text_of(lease, "mac"));
        table_cell(table, text_of(lease, "state"));
        table_cell(table, time_text(json_object_get(lease, "ends"), false, time));
        table_cell(table, text_of(lease, "hostname"));
}

/* RFC 4180: in quotes what has a comma, a quote or a line's end in it; what would move
 * a terminal's cursor is made visible first. */
static void add_csv(struct text *out, const char *value, bool is_last) {
        struct text clean = { 0 };
        const char *s;

        text_printable(&clean, value, strlen(value));
        s = text_string(&clean);
        if (strpbrk(s, ",\"\r\n")) {
                text_char(out, '"');
                for (; *s; s++) {
                        if (*s == '"')
                                text_char(out, '"');
                        text_char(out, *s);
                }
                text_char(out, '"');
        } else {
                text_add(out, s);
        }
        text_add(out, is_last ? "\r\n" : ",");
        text_done(&clean);
}

static void add_csv_row(struct text *out, const json_t *lease) {
        static const char *const names[] = { "address",  "mac",   "client_id",
                                             "hostname", "state", "subnet" };
        char time[40];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                add_csv(out, text_of(lease, names[i]), false);
        add_csv(out, time_text(json_object_get(lease, "starts"), true, time), false);
        add_csv(out, time_text(json_object_get(lease, "ends"), true, time), true);
}

/* ---- the list ---- */

struct listing {
        const struct wish *wish;
        struct table table;
        size_t n;
        bool has_begun;
};

static void add_json_row(struct text *out, const json_t *lease, bool is_first) {
        char *dumped = json_dumps(lease, JSON_COMPACT);

        text_char(out, is_first ? '[' : ',');
        text_add(out, dumped ? dumped : "null");
        free(dumped);
}

static int print_page(struct listing *l, const json_t *page) {
        struct text out = { 0 };
        const json_t *lease;
        size_t i;

        if (l->wish->csv && !l->has_begun)
                text_add(&out, "address,mac,client_id,hostname,state,subnet,starts,"
                               "ends\r\n");
        l->has_begun = true;
        json_array_foreach(page, i, lease) {
                if (!is_wanted(&l->wish->filter, lease))
                        continue;
                if (l->wish->flags.json)
                        add_json_row(&out, lease, l->n == 0);
                else if (l->wish->csv)
                        add_csv_row(&out, lease);
                else
                        add_row(&l->table, lease);
                l->n++;
        }
        return client_print(&out);
}

static int list_pages(struct listing *l) {
        struct client_flags quietly = l->wish->flags;
        char arguments[64], last[IP4_TEXT_MAX] = "0.0.0.0";
        size_t n = PAGE;
        int r = CLI_DONE;

        quietly.json = false;
        while (r == CLI_DONE && n == PAGE) {
                json_t *page = NULL;

                snprintf(arguments, sizeof(arguments), "after=%s n=%d", last, PAGE);
                r = client_ask(&quietly, "leases", arguments, &page);
                if (r == CLI_DONE)
                        r = print_page(l, page);
                n = json_array_size(page);
                if (n > 0)
                        snprintf(last, sizeof(last), "%s",
                                 text_of(json_array_get(page, n - 1), "address"));
                json_decref(page);
        }
        return r;
}

static int list(const struct wish *wish) {
        static const char *const headings[] = { "ADDRESS", "MAC",  "STATE",
                                                "ENDS",    "NAME", NULL };
        struct listing l = { .wish = wish };
        struct text out = { 0 };
        int r;

        table_init(&l.table, headings);
        r = list_pages(&l);
        if (r == CLI_DONE && wish->flags.json)
                text_add(&out, l.n > 0 ? "]\n" : "[]\n");
        else if (r == CLI_DONE && !wish->csv && table_is_empty(&l.table))
                text_add(&out, "No address is leased.\n");
        else if (r == CLI_DONE && !wish->csv)
                table_format(&l.table, &out);
        table_done(&l.table);
        if (r == CLI_DONE)
                return client_print(&out);
        text_done(&out);
        return r;
}

/* ---- release ---- */

static int release(const struct wish *wish, const char *const *addresses) {
        struct text out = { 0 };
        int r = CLI_DONE;

        for (; *addresses && r == CLI_DONE; addresses++) {
                char arguments[64];
                json_t *answer = NULL;
                ip4_t address;

                if (!ip4_parse(*addresses, &address))
                        return client_fail("leases release needs addresses, such as "
                                           "192.168.1.20");
                snprintf(arguments, sizeof(arguments), "address=%s", *addresses);
                r = client_ask(&wish->flags, "lease-release", arguments, &answer);
                json_decref(answer);
                if (r != CLI_DONE || wish->flags.json)
                        continue;
                text_add(&out, *addresses);
                text_add(&out, " released; its client is not told and goes on until it "
                               "renews\n");
        }
        if (wish->flags.json)
                return r;
        if (client_print(&out) != CLI_DONE)
                return CLI_FAILED;
        return r;
}

/* ---- import ---- */

struct import {
        const struct wish *wish;
        const char *file;
        nsec_t now;
        struct text batch;
        size_t n, n_ended, n_refused, n_problems;
        int r;
};

static void complain(struct import *import, size_t line, const char *what,
                     const char *why) {
        struct text out = { 0 };

        text_printable(&out, import->file, strlen(import->file));
        if (line) {
                text_char(&out, ':');
                text_u64(&out, line);
        }
        text_add(&out, ": ");
        text_printable(&out, what, strlen(what));
        text_add(&out, why);
        fprintf(stderr, "%s\n", text_string(&out));
        text_done(&out);
}

static void send_batch(struct import *import) {
        struct client_flags quietly = import->wish->flags;
        const json_t *refused, *one;
        json_t *answer = NULL;
        size_t i;

        quietly.json = false;
        if (import->batch.n == 0 || import->r != CLI_DONE)
                return;
        import->r = client_ask(&quietly, "lease-import", import->batch.s, &answer);
        refused = json_object_get(answer, "refused");
        json_array_foreach(refused, i, one) {
                char what[64];

                snprintf(what, sizeof(what),
                         "%s is not imported: ", text_of(one, "address"));
                complain(import, 0, what, text_of(one, "why"));
                import->n_refused++;
        }
        json_decref(answer);
        text_done(&import->batch);
}

static void add_hex(struct text *out, const uint8_t *bytes, size_t n) {
        static const char digits[] = "0123456789abcdef";

        if (n == 0)
                text_char(out, '-');
        for (size_t i = 0; i < n; i++) {
                text_char(out, digits[bytes[i] >> 4]);
                text_char(out, digits[bytes[i] & 15]);
        }
}

static void import_lease(const struct lease_record *lease, size_t line,
                         void *userdata) {
        struct import *import = userdata;
        struct text *out = &import->batch;

        if (lease->ends <= import->now || lease->state == LEASE_EXPIRED ||
            lease->state == LEASE_RELEASED) {
                import->n_ended++;
                return;
        }
        import->n++;
        if (import->wish->dry_run)
                return;
        text_add(out, out->n ? "\n" : "");
        text_ip4(out, lease->address);
        text_char(out, ' ');
        text_mac(out, lease->mac);
        text_char(out, ' ');
        add_hex(out, lease->client_id, lease->n_client_id);
        text_char(out, ' ');
        text_add(out, lease_state_name(lease->state));
        text_char(out, ' ');
        text_u64(out, lease->starts / NSEC_PER_SEC);
        text_char(out, ' ');
        if (lease->ends == NSEC_NEVER)
                text_char(out, '-');
        else
                text_u64(out, lease->ends / NSEC_PER_SEC);
        text_char(out, ' ');
        add_hex(out, (const uint8_t *)lease->hostname, strlen(lease->hostname));
        if (out->n > BATCH_BYTES)
                send_batch(import);
}

static void import_problem(size_t line, const char *why, void *userdata) {
        struct import *import = userdata;

        import->n_problems++;
        complain(import, line, "", why);
}

/* For free(); NULL after saying why. */
static char *read_file(const char *path, size_t *ret_n) {
        FILE *file = fopen(path, "re");
        struct text why = { 0 };
        struct stat stat;
        char *text = NULL;

        if (file && fstat(fileno(file), &stat) == 0 && S_ISREG(stat.st_mode) &&
            stat.st_size < FILE_MAX)
                text = malloc((size_t)stat.st_size + 1);
        else if (file)
                errno = EINVAL;
        if (text) {
                *ret_n = fread(text, 1, (size_t)stat.st_size, file);
        } else {
                text_add(&why, path);
                text_add(&why, ": ");
                text_add(&why, errno == EINVAL ? "no file of leases" : strerror(errno));
                client_fail(text_string(&why));
                text_done(&why);
        }
        if (file)
                fclose(file);
        return text;
}

static int say_imported(const struct import *import, enum leasefile_format format) {
        struct text out = { 0 };

        if (import->wish->flags.json) {
                text_char(&out, '{');
                text_json_pair(&out, "format", leasefile_format_name(format));
                text_json_pair_u64(&out, "imported", import->n - import->n_refused);
                text_json_pair_u64(&out, "refused", import->n_refused);
                text_json_pair_u64(&out, "ended", import->n_ended);
                text_json_pair_u64(&out, "not_understood", import->n_problems);
                text_add(&out, "}\n");
                return client_print(&out);
        }
        text_add(&out, import->wish->dry_run ? "would import " : "imported ");
        text_u64(&out, import->n - import->n_refused);
        text_add(&out, ", refused ");
        text_u64(&out, import->n_refused);
        text_add(&out, ", not understood ");
        text_u64(&out, import->n_problems);
        text_add(&out, ", over already ");
        text_u64(&out, import->n_ended);
        text_char(&out, '\n');
        return client_print(&out);
}

static int import(const struct wish *wish, const char *path) {
        struct import import = { .wish = wish, .file = path, .r = CLI_DONE };
        const struct leasefile_reader reader = { import_lease, import_problem,
                                                 &import };
        enum leasefile_format format = LEASEFILE_UNKNOWN;
        size_t n = 0;
        char *text = read_file(path, &n);

        if (!text)
                return CLI_FAILED;
        if (wish->from ? !leasefile_format_parse(wish->from, &format)
                       : (format = leasefile_recognise(text, n)) == LEASEFILE_UNKNOWN) {
                free(text);
                return client_fail("no lease file of a kind that is known; --from can "
                                   "be isc, kea or dnsmasq");
        }
        import.now = (nsec_t)time(NULL) * NSEC_PER_SEC;
        leasefile_read(format, text, n, &reader);
        send_batch(&import);
        free(text);
        text_done(&import.batch);
        return import.r == CLI_DONE ? say_imported(&import, format) : import.r;
}

/* ---- entry ---- */

int cli_leases(int argc, char **argv) {
        struct wish wish = { 0 };
        struct filter *f = &wish.filter;
        struct option_row rows[CLIENT_ROWS + 9] = {
                [CLIENT_ROWS] = { "csv", 0, OPTION_FLAG, NULL,
                                  "as comma-separated "
                                  "values",
                                  &wish.csv, 0 },
                { "show", 0, OPTION_TEXT, "STATE",
                  "bound, declined, released, expired or all; a table has the first "
                  "two",
                  &f->state, 0 },
                { "subnet", 0, OPTION_TEXT, "NETWORK", "only those in 192.168.1.0/24",
                  &f->subnet, 0 },
                { "mac", 0, OPTION_TEXT, "PREFIX", "only MACs that begin so", &f->mac,
                  0 },
                { "address", 0, OPTION_TEXT, "ADDRESS", "only this one", &f->address,
                  0 },
                { "hostname", 0, OPTION_TEXT, "PATTERN", "only such names, as node*",
                  &f->hostname, 0 },
                { "from", 0, OPTION_TEXT, "FORMAT",
                  "import: isc, kea or dnsmasq; else what it looks like", &wish.from,
                  0 },
                { "dry-run", 0, OPTION_FLAG, NULL, "import: only say what it would",
                  &wish.dry_run, 0 },
        };
        const struct options options = {
                "leases",
                "Show who has which address, and until when; end leases; take over "
                "those of\nISC dhcpd, Kea or dnsmasq from their lease files.",
                "[release ADDRESS... | import FILE]", OPTIONS_OPERANDS_MAX, rows
        };
        struct options_found found;
        enum lease_state state;
        int r;

        client_rows(&wish.flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r != OPTIONS_GO_ON)
                return r;
        if (f->state && strcmp(f->state, "all") != 0 &&
            !lease_state_parse(f->state, &state))
                return options_wrong(&options, "--show can be bound, declined, "
                                               "released, expired or all");
        if (f->subnet && !read_network(f->subnet, &f->network))
                return options_wrong(&options, "--subnet must be a network such as "
                                               "192.168.1.0/24");
        f->is_for_people = !wish.csv && !wish.flags.json;
        if (found.n_operands == 0)
                return list(&wish);
        if (strcmp(found.operands[0], "release") == 0 && found.n_operands > 1)
                return release(&wish, found.operands + 1);
        if (strcmp(found.operands[0], "import") == 0 && found.n_operands == 2)
                return import(&wish, found.operands[1]);
        return options_wrong(&options, "leases can release ADDRESS... or import FILE");
}
