/*
 * What each line of dnsmasq.conf says about DHCP, PXE and TFTP, dnsmasq(8). All of DNS
 * is left where it is, with a word. Tags are gathered and become classes at the end.
 */
#include "import/dnsmasq.h"

#include <stdlib.h>

enum { WORDS_MAX = 256 };

/* ---- lines of one value ---- */

static void read_interface(struct dnsmasq *d, const struct line *line) {
        for (size_t i = 0; i < line->n; i++) {
                const char *s = line->items[i].s;

                if (!*s || strcmp(s, "lo") == 0)
                        continue;
                if (strpbrk(s, "*:/ ") || strlen(s) > 15)
                        import_remark(d->im, line->at, "the card ", s,
                                      " is not carried: name each under 'interfaces'",
                                      NULL);
                else
                        words_add_once(d->im, &d->im->model->interfaces, s);
        }
}

static void read_domain(struct dnsmasq *d, const struct line *line) {
        const char *s = line->n ? line->items[0].s : "";
        struct tagged *value;

        if (line->n > 1 || !*s || strcmp(s, "#") == 0) {
                import_remark(
                        d->im, line->at,
                        "this domain is not carried: set option domain-name in the "
                        "subnets that it is for",
                        NULL);
                return;
        }
        value = tags_value(d->im, &d->tags, line->at);
        if (!value)
                return;
        scope_set_option(d->im, &value->scope,
                         &(struct option_value){
                                 .code = 15,
                                 .format = "t",
                                 .bytes = { (const uint8_t *)s, line->items[0].n },
                                 .at = line->at });
        /* An option says it better, wherever that stands. */
        value->next = d->tags.values == value ? NULL : d->tags.values;
        if (value->next) {
                struct tagged *last = value->next;

                while (last->next != value)
                        last = last->next;
                last->next = NULL;
                d->tags.values_last = last;
                d->tags.values = value;
        }
}

static void read_root(struct dnsmasq *d, const struct line *line) {
        const char *s = line->n ? line->items[0].s : "";

        if (line->n > 1 || d->im->model->root)
                import_remark(d->im, line->at,
                              "a root for one card is not carried: there is one tree",
                              NULL);
        else if (*s != '/')
                import_remark(d->im, line->at, "the root ", s,
                              " is not carried: write an absolute path", NULL);
        else
                d->im->model->root = s;
}

/* ---- more files ---- */

static void each_line(void *userdata, const struct line *line);

static void read_file(struct dnsmasq *d, const char *path, struct place at,
                      const char *word) {
        const struct import_text *text = import_load(d->im, path, at, d->open);
        struct open_file open = { path, d->open };
        const struct open_file *outer = d->open;

        if (!text)
                return;
        d->open = &open;
        if (word)
                dnsmasq_values(d->im, text, word, each_line, d);
        else
                dnsmasq_lines(d->im, text, each_line, d);
        d->open = outer;
}

static bool ends_in(const char *s, const char *suffix) {
        size_t n = strlen(s), n_suffix = strlen(suffix);

        return n >= n_suffix && strcmp(s + n - n_suffix, suffix) == 0;
}

/* conf-dir=/etc/dnsmasq.d,*.conf takes these; ,.bak leaves those out. */
static bool is_wanted(const struct line *line, const char *name) {
        bool has_wanted = false, is_one = false;

        if (*name == '.' || *name == '#' || !*name || ends_in(name, "~"))
                return false;
        for (size_t i = 1; i < line->n; i++) {
                const char *s = line->items[i].s;

                if (*s == '*') {
                        has_wanted = true;
                        is_one |= ends_in(name, s + 1);
                } else if (*s && ends_in(name, s)) {
                        return false;
                }
        }
        return is_one || !has_wanted;
}

/* In the order of their names, so that it is the same one every time. */
static const char *next_name(const char *names, size_t n, const char *before) {
        const char *best = NULL;

        for (size_t at = 0; at < n; at += strlen(names + at) + 1)
                if ((!before || strcmp(names + at, before) > 0) &&
                    (!best || strcmp(names + at, best) < 0))
                        best = names + at;
        return best;
}

static void read_folder(struct dnsmasq *d, const struct line *line, const char *word) {
        const char *folder = line->n ? line->items[0].s : "";
        char *listed = NULL;
        const char *names, *name = NULL;
        size_t n = 0;
        int r = d->im->files->list ? d->im->files->list(folder, &listed, &n,
                                                        d->im->files->userdata)
                                   : -ENOENT;

        if (r != 0) {
                import_refuse(d->im, line->at, "cannot read the folder '", folder, "'",
                              NULL);
                return;
        }
        d->im->n_read += n;
        if (n > IMPORT_BYTES_MAX / 64)
                import_refuse(d->im, line->at, "there are too many files in '", folder,
                              "'", NULL);
        names = import_copy(d->im, listed, n);
        free(listed);
        while (!d->im->failed && (name = next_name(names, n, name)) != NULL)
                if (is_wanted(line, name))
                        read_file(d, import_join(d->im, folder, "/", name, NULL),
                                  line->at, word);
}

static void read_include(struct dnsmasq *d, const struct line *line, const char *word) {
        if (line->n != 1 || !line->items[0].n)
                dnsmasq_refuse(d, line, line->n, "the name of a file");
        else
                read_file(d, line->items[0].s, line->at, word);
}

/* ---- what is carried ---- */

static void read_vendorclass(struct dnsmasq *d, const struct line *line) {
        dnsmasq_class(d, line, MATCH_VENDOR_CLASS);
}
static void read_userclass(struct dnsmasq *d, const struct line *line) {
        dnsmasq_class(d, line, MATCH_USER_CLASS);
}
static void read_circuit(struct dnsmasq *d, const struct line *line) {
        dnsmasq_relay_id(d, line, MATCH_CIRCUIT_ID);
}
static void read_remote(struct dnsmasq *d, const struct line *line) {
        dnsmasq_relay_id(d, line, MATCH_REMOTE_ID);
}
static void read_plain_option(struct dnsmasq *d, const struct line *line) {
        dnsmasq_option(d, line, false);
}
static void read_forced_option(struct dnsmasq *d, const struct line *line) {
        dnsmasq_option(d, line, true);
}
static void read_authoritative(struct dnsmasq *d, const struct line *line) {
        d->im->model->authoritative = YES;
}
static void read_no_ping(struct dnsmasq *d, const struct line *line) {
        d->im->model->probe = NO;
}
static void read_port(struct dnsmasq *d, const struct line *line) {
        d->has_dns = line->n != 1 || strcmp(line->items[0].s, "0") != 0;
        if (d->has_dns)
                import_remark(
                        d->im, line->at, "port is not carried: ",
                        "Bootjack answers no DNS; leave that to dnsmasq or another "
                        "resolver",
                        NULL);
}
static void read_bootp(struct dnsmasq *d, const struct line *line) {
        d->bootp = true;
        if (line->n)
                import_remark(d->im, line->at,
                              "that this is only for some tags is not carried", NULL);
}
static void read_conf_file(struct dnsmasq *d, const struct line *line) {
        read_include(d, line, NULL);
}
static void read_conf_dir(struct dnsmasq *d, const struct line *line) {
        read_folder(d, line, NULL);
}
static void read_hosts_file(struct dnsmasq *d, const struct line *line) {
        read_include(d, line, "dhcp-host");
}
static void read_hosts_dir(struct dnsmasq *d, const struct line *line) {
        read_folder(d, line, "dhcp-host");
}
static void read_options_file(struct dnsmasq *d, const struct line *line) {
        read_include(d, line, "dhcp-option");
}
static void read_options_dir(struct dnsmasq *d, const struct line *line) {
        read_folder(d, line, "dhcp-option");
}

static const struct {
        const char *word;
        void (*read)(struct dnsmasq *d, const struct line *line);
} readers[] = {
        { "bootp-dynamic", read_bootp },
        { "conf-dir", read_conf_dir },
        { "conf-file", read_conf_file },
        { "dhcp-authoritative", read_authoritative },
        { "dhcp-boot", dnsmasq_boot },
        { "dhcp-circuitid", read_circuit },
        { "dhcp-host", dnsmasq_host },
        { "dhcp-hostsdir", read_hosts_dir },
        { "dhcp-hostsfile", read_hosts_file },
        { "dhcp-ignore", dnsmasq_ignore },
        { "dhcp-mac", dnsmasq_mac },
        { "dhcp-match", dnsmasq_match },
        { "dhcp-option", read_plain_option },
        { "dhcp-option-force", read_forced_option },
        { "dhcp-optsdir", read_options_dir },
        { "dhcp-optsfile", read_options_file },
        { "dhcp-range", dnsmasq_range },
        { "dhcp-remoteid", read_remote },
        { "dhcp-subscrid", dnsmasq_subscriber },
        { "dhcp-userclass", read_userclass },
        { "dhcp-vendorclass", read_vendorclass },
        { "domain", read_domain },
        { "interface", read_interface },
        { "no-ping", read_no_ping },
        { "port", read_port },
        { "pxe-prompt", dnsmasq_prompt },
        { "pxe-service", dnsmasq_service },
        { "tag-if", dnsmasq_tag_if },
        { "tftp-root", read_root },
};

static void report_unknown(struct dnsmasq *d, const struct line *line) {
        const char *names[WORDS_MAX + 1] = { 0 };
        const char *near;
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                names[n++] = readers[i].word;
        for (size_t i = 0; dnsmasq_left_out(i) && n < WORDS_MAX; i++)
                names[n++] = dnsmasq_left_out(i);
        near = text_nearest(line->word, names);
        import_remark(d->im, line->at, "'", line->word,
                      "' is not known and not carried", near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "", NULL);
}

static void each_line(void *userdata, const struct line *line) {
        struct dnsmasq *d = userdata;

        if (dnsmasq_leave_out(d, line))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                if (strcmp(readers[i].word, line->word) == 0) {
                        bool is_option = dnsmasq_after(line->word, "dhcp-option");

                        if (is_option || dnsmasq_is_plain(d, line, line->n))
                                readers[i].read(d, line);
                        return;
                }
        report_unknown(d, line);
}

/* ---- the whole ---- */

static bool class_exists(const struct model *model, const char *name) {
        for (const struct class_entry *c = model->classes; c; c = c->next)
                if (strcmp(c->name, name) == 0)
                        return true;
        return false;
}

/* A class for a tag that a pool names; tags_settle() may have made it. */
static bool need_class(struct dnsmasq *d, const char *name, struct place at) {
        struct words needs = { 0 };
        struct matches whom;

        if (class_exists(d->im->model, name))
                return true;
        words_add(d->im, &needs, name);
        if (!tags_match(d->im, &d->tags, &needs, at, &whom))
                return false;
        model_classes(d->im, name, &whom, NULL, at, NULL);
        return true;
}

static void settle_pool(struct dnsmasq *d, struct pool *pool) {
        for (const struct word *word = pool->only.first; word; word = word->next)
                if (!need_class(d, word->s, pool->at)) {
                        pool->only = (struct words){ 0 };
                        break;
                }
        if (pool->only.n > 1)
                import_remark(d->im, pool->at,
                              "the range is for clients with all of its tags, the pool "
                              "for members of any of the classes",
                              NULL);
        if (d->known_only && !pool->only.n && need_class(d, "known", pool->at))
                words_add(d->im, &pool->only, "known");
        for (const struct word *word = d->ignored.first; word; word = word->next)
                if (need_class(d, word->s, pool->at))
                        words_add_once(d->im, &pool->except, word->s);
        pool->bootp |= d->bootp;
}

static void settle_pools(struct dnsmasq *d) {
        for (struct subnet *s = d->im->model->subnets; s; s = s->next)
                for (struct pool *p = s->pools; p && !d->im->failed; p = p->next)
                        settle_pool(d, p);
}

static void report_defaults(struct dnsmasq *d) {
        if (d->has_range && !d->says_router)
                import_remark(
                        d->im, d->range_at,
                        "dnsmasq names itself as router, for no dhcp-option does: "
                        "set option routers",
                        NULL);
        if (d->has_range && !d->says_dns && d->has_dns)
                import_remark(d->im, d->range_at,
                              "dnsmasq names itself as DNS server, for no dhcp-option "
                              "does: set option domain-name-servers",
                              NULL);
}

static void report_nameless(struct dnsmasq *d) {
        for (const struct host *h = d->im->model->hosts; d->tags.has_known && h;
             h = h->next)
                if (!h->hostname)
                        import_remark(d->im, h->at,
                                      "give this host a hostname, or the class 'known' "
                                      "does not find it",
                                      NULL);
}

static bool is_by_firmware(const struct class_entry *class) {
        const struct match *match = &class->match;

        for (size_t i = 0; i < N_KEYS; i++)
                if (class->scope.keys[i].is_set != (i == KEY_FILENAME))
                        return false;
        return !class->scope.options &&
               match->keys[MATCH_ARCH].n + match->keys[MATCH_VENDOR_CLASS].n > 0 &&
               is_usual_loader(class->scope.keys[KEY_FILENAME].text);
}

static void praise(struct dnsmasq *d) {
        const char *names = NULL;
        struct place at = { 0 };

        for (const struct class_entry *c = d->im->model->classes; c; c = c->next) {
                if (!is_by_firmware(c))
                        continue;
                if (!names || c->at.line < at.line)
                        at = c->at;
                names = names ? import_join(d->im, names, ", ", c->name, NULL)
                              : c->name;
        }
        if (names)
                import_remark(d->im, at,
                              "usual loaders are chosen by firmware here: "
                              "without the classes ",
                              names, " Bootjack chooses by itself", NULL);
}

static void settle(struct dnsmasq *d) {
        struct model *model = d->im->model;

        if (d->has_proxy && !d->has_range)
                model->is_proxy = true;
        else if (d->has_proxy)
                import_remark(
                        d->im, d->proxy_at,
                        "this range for a proxy is not carried: Bootjack is server "
                        "or proxy, and other ranges want a server",
                        NULL);
        tags_settle(d->im, &d->tags);
        dnsmasq_settle_menu(d);
        praise(d);
        settle_pools(d);
        report_defaults(d);
        report_nameless(d);
}

void dnsmasq_read(struct import *im, const struct import_text *text,
                  const struct open_file *open) {
        struct dnsmasq d = { .im = im, .open = open, .has_dns = true };

        d.services_end = &d.services;
        d.tags.ifs_end = &d.tags.ifs;
        dnsmasq_lines(im, text, each_line, &d);
        if (!im->failed)
                settle(&d);
}

static bool is_known_word(const char *s, size_t n) {
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                if (strlen(readers[i].word) == n && memcmp(readers[i].word, s, n) == 0)
                        return true;
        for (size_t i = 0; dnsmasq_left_out(i); i++)
                if (strlen(dnsmasq_left_out(i)) == n &&
                    memcmp(dnsmasq_left_out(i), s, n) == 0)
                        return true;
        return false;
}

bool dnsmasq_is_likely(const struct import_text *text) {
        const char *at = text->s, *end = text->s + text->n;
        size_t n_known = 0, n_lines = 0;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));
                const char *last = newline ? newline : end, *word;

                while (at < last && (*at == ' ' || *at == '\t'))
                        at++;
                for (word = at;
                     at < last && strchr("abcdefghijklmnopqrstuvwxyzA-64", *at) && *at;
                     at++)
                        ;
                if (word < last && *word != '#') {
                        n_lines++;
                        n_known += (at == last || strchr(" =\r\t", *at)) &&
                                   is_known_word(word, (size_t)(at - word));
                }
                at = newline ? newline + 1 : end;
        }
        return n_known > 0 && n_known * 2 >= n_lines;
}
