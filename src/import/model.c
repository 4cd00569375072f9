/*
 * What was understood, and the last step before it is written: what dhcpd and dnsmasq
 * put up with and our own parser refuses is set right here, with a remark, so that the
 * YAML is taken as it is.
 */
#include "import/internal.h"

enum {
        CLASSES_MAX = 4096,
        OPTIONS_MAX = 1024,
        NAMES_TRIED_MAX = 16,
        FILENAME_MAX_BYTES = 127,
        SUBNETS_MAX = 4096
};

const char *const scope_key_names[N_KEYS] = {
        [KEY_LEASE_TIME] = "lease-time",
        [KEY_MIN_LEASE_TIME] = "min-lease-time",
        [KEY_MAX_LEASE_TIME] = "max-lease-time",
        [KEY_RENEWAL_TIME] = "renewal-time",
        [KEY_REBINDING_TIME] = "rebinding-time",
        [KEY_NEXT_SERVER] = "next-server",
        [KEY_FILENAME] = "filename",
        [KEY_SERVER_NAME] = "server-name",
};

void words_add(struct import *im, struct words *words, const char *s) {
        struct word *word = import_take(im, sizeof(*word));

        if (!word)
                return;
        word->s = s;
        if (words->last)
                words->last->next = word;
        else
                words->first = word;
        words->last = word;
        words->n++;
}

bool words_have(const struct words *words, const char *s) {
        for (const struct word *word = words->first; word; word = word->next)
                if (strcmp(word->s, s) == 0)
                        return true;
        return false;
}

void words_add_once(struct import *im, struct words *words, const char *s) {
        if (!words_have(words, s))
                words_add(im, words, s);
}

/* ---- scopes ---- */

static bool is_same_space(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

const struct option_value *scope_option(const struct scope *scope, const char *space,
                                        unsigned code) {
        for (const struct option_value *o = scope->options; o; o = o->next)
                if (o->code == code && is_same_space(o->space, space))
                        return o;
        return NULL;
}

void scope_drop_option(struct scope *scope, const char *space, unsigned code) {
        struct option_value **at = &scope->options;

        while (*at && ((*at)->code != code || !is_same_space((*at)->space, space)))
                at = &(*at)->next;
        if (!*at)
                return;
        *at = (*at)->next;
        scope->n_options--;
        scope->options_end = NULL;
}

void scope_set_option(struct import *im, struct scope *scope,
                      const struct option_value *option) {
        struct option_value *old =
                (struct option_value *)scope_option(scope, option->space, option->code);
        struct option_value *added, *next = old ? old->next : NULL;

        if (old) {
                *old = *option;
                old->next = next;
                return;
        }
        if (scope->n_options == OPTIONS_MAX) {
                import_refuse(im, option->at, "there are too many options here", NULL);
                return;
        }
        added = import_take(im, sizeof(*added));
        if (!added)
                return;
        *added = *option;
        added->next = NULL;
        if (!scope->options_end)
                for (scope->options_end = &scope->options; *scope->options_end;)
                        scope->options_end = &(*scope->options_end)->next;
        *scope->options_end = added;
        scope->options_end = &added->next;
        scope->n_options++;
}

void scope_inherit(struct import *im, struct scope *to, const struct scope *from) {
        for (size_t i = 0; i < N_KEYS; i++)
                if (!to->keys[i].is_set)
                        to->keys[i] = from->keys[i];
        for (const struct option_value *o = from->options; o && !im->failed;
             o = o->next)
                if (!scope_option(to, o->space, o->code))
                        scope_set_option(im, to, o);
}

void scope_override(struct import *im, struct scope *to, const struct scope *from) {
        for (size_t i = 0; i < N_KEYS; i++)
                if (from->keys[i].is_set)
                        to->keys[i] = from->keys[i];
        for (const struct option_value *o = from->options; o && !im->failed;
             o = o->next)
                scope_set_option(im, to, o);
}

bool scope_is_empty(const struct scope *scope) {
        for (size_t i = 0; i < N_KEYS; i++)
                if (scope->keys[i].is_set)
                        return false;
        return !scope->options;
}

static bool value_is_equal(const struct value *a, const struct value *b) {
        if (a->is_set != b->is_set || a->number != b->number)
                return false;
        return a->text == b->text ||
               (a->text && b->text && strcmp(a->text, b->text) == 0);
}

bool scope_is_equal(const struct scope *a, const struct scope *b) {
        if (a->n_options != b->n_options)
                return false;
        for (size_t i = 0; i < N_KEYS; i++)
                if (!value_is_equal(&a->keys[i], &b->keys[i]))
                        return false;
        for (const struct option_value *o = a->options; o; o = o->next) {
                const struct option_value *other = scope_option(b, o->space, o->code);

                if (!other || other->bytes.n != o->bytes.n ||
                    memcmp(other->bytes.data, o->bytes.data, o->bytes.n) != 0)
                        return false;
        }
        return true;
}

/* ---- building ---- */

void model_init(struct model *model) {
        *model = (struct model){ 0 };
        model->subnets_end = &model->subnets;
        model->classes_end = &model->classes;
        model->hosts_end = &model->hosts;
        model->menu_end = &model->menu;
}

struct subnet *model_subnet(struct import *im, struct place at) {
        struct subnet *subnet = import_take(im, sizeof(*subnet));

        if (!subnet)
                return NULL;
        subnet->at = at;
        subnet->pools_end = &subnet->pools;
        *im->model->subnets_end = subnet;
        im->model->subnets_end = &subnet->next;
        return subnet;
}

struct pool *subnet_pool(struct import *im, struct subnet *subnet, struct place at) {
        struct pool *pool = import_take(im, sizeof(*pool));

        if (!pool)
                return NULL;
        pool->at = at;
        *subnet->pools_end = pool;
        subnet->pools_end = &pool->next;
        return pool;
}

struct host *model_host(struct import *im, struct place at) {
        struct host *host = import_take(im, sizeof(*host));

        if (!host)
                return NULL;
        host->at = at;
        *im->model->hosts_end = host;
        im->model->hosts_end = &host->next;
        im->model->n_hosts++;
        return host;
}

static bool class_exists(const struct model *model, const char *name) {
        for (const struct class_entry *class = model->classes; class;
             class = class->next)
                if (strcmp(class->name, name) == 0)
                        return true;
        return false;
}

static const char *free_name(struct import *im, const char *name) {
        const char *tried = name;

        for (size_t i = 2; class_exists(im->model, tried) && !im->failed; i++) {
                if (i == NAMES_TRIED_MAX)
                        i += im->model->n_classes;
                tried = import_join(im, name, "-", import_decimal(im, i), NULL);
        }
        return tried;
}

struct class_entry *model_class(struct import *im, const char *name, struct place at) {
        struct class_entry *class;

        if (im->model->n_classes == CLASSES_MAX) {
                import_refuse(im, at, "this makes too many classes", NULL);
                return NULL;
        }
        name = free_name(im, name);
        class = import_take(im, sizeof(*class));
        if (!class || im->failed)
                return NULL;
        class->name = name;
        class->at = at;
        *im->model->classes_end = class;
        im->model->classes_end = &class->next;
        im->model->n_classes++;
        return class;
}

void model_classes(struct import *im, const char *name, const struct matches *matches,
                   const struct scope *scope, struct place at, struct words *names) {
        for (const struct match *match = matches->first; match; match = match->next) {
                struct class_entry *class = model_class(im, name, at);

                if (!class)
                        return;
                class->match = *match;
                class->match.next = NULL;
                if (scope)
                        scope_override(im, &class->scope, scope);
                if (names)
                        words_add(im, names, class->name);
        }
}

/* ---- setting right ---- */

static const char *range_text(struct import *im, ip4_t first, ip4_t last) {
        return import_join(im, import_address(im, first), "-", import_address(im, last),
                           NULL);
}

static bool settle_bounds(struct import *im, const struct subnet *subnet,
                          struct pool *pool) {
        ip4_t broadcast = subnet->network | ~subnet->mask;
        ip4_t first = pool->first, last = pool->last;
        bool has_ends = subnet->mask < 0xfffffffeu;

        if (last < subnet->network || first > broadcast) {
                import_remark(im, pool->at, "the range ", range_text(im, first, last),
                              " is not carried: it is not in the subnet ",
                              import_address(im, subnet->network), NULL);
                return false;
        }
        if (first <= subnet->network)
                first = subnet->network + has_ends;
        if (last >= broadcast)
                last = broadcast - has_ends;
        if (first > last)
                return false;
        if (first != pool->first || last != pool->last)
                import_remark(im, pool->at, "the range ",
                              range_text(im, pool->first, pool->last),
                              " is carried as ", range_text(im, first, last),
                              ": the network's own address and its broadcast address "
                              "are nobody's",
                              NULL);
        pool->first = first;
        pool->last = last;
        return true;
}

/* The first of two pools keeps what both have. */
static bool settle_overlap(struct import *im, const struct pool *before,
                           struct pool *pool) {
        ip4_t first = pool->first, last = pool->last;

        if (last < before->first || first > before->last)
                return true;
        import_remark(im, pool->at, "the range ", range_text(im, first, last),
                      " overlaps with ", range_text(im, before->first, before->last),
                      ": what is in both stays with the first", NULL);
        if (first >= before->first && last <= before->last)
                return false;
        if (first < before->first)
                pool->last = before->first - 1;
        else
                pool->first = before->last + 1;
        return true;
}

enum { POOLS_COMPARED_MAX = 512 };

static void settle_pools(struct import *im, struct subnet *subnet) {
        struct pool **at = &subnet->pools;
        size_t n = 0;

        while (*at && !im->failed) {
                struct pool *pool = *at;
                bool keep = settle_bounds(im, subnet, pool);

                for (struct pool *before = subnet->pools; keep && before != pool;
                     before = before->next)
                        keep = settle_overlap(im, before, pool);
                if (keep && ++n > POOLS_COMPARED_MAX) {
                        import_refuse(im, pool->at, "a subnet can have 512 ranges",
                                      NULL);
                } else if (keep) {
                        at = &pool->next;
                } else {
                        *at = pool->next;
                }
        }
        subnet->pools_end = at;
}

/* What is said here goes before what is said outside. */
static const struct value *effective(const struct scope *scope,
                                     const struct scope *outer, enum scope_key key) {
        return scope->keys[key].is_set || !outer ? &scope->keys[key]
                                                 : &outer->keys[key];
}

static bool is_longer(const struct value *a, const struct value *b) {
        return a->is_set && b->is_set && a->number > b->number;
}

/* As dhcpd does with a default time below the minimum. */
static void settle_minimum(struct import *im, struct scope *scope) {
        struct value *time = &scope->keys[KEY_LEASE_TIME];
        struct value *min = &scope->keys[KEY_MIN_LEASE_TIME];

        if (min->is_set && min->number == 0)
                *min = (struct value){ 0 };
        if (!is_longer(min, time))
                return;
        import_remark(im, time->at,
                      "the default time of a lease is shorter than min-lease-time: it "
                      "is carried as that, which is what clients were given",
                      NULL);
        time->number = min->number;
}

/* dhcpd takes a default time above the maximum and then gives the maximum. */
static void settle_times(struct import *im, struct scope *scope,
                         const struct scope *outer) {
        const struct value *max = effective(scope, outer, KEY_MAX_LEASE_TIME);
        const struct value *min = effective(scope, outer, KEY_MIN_LEASE_TIME);
        const struct value *time = effective(scope, outer, KEY_LEASE_TIME);

        if (!scope->keys[KEY_MAX_LEASE_TIME].is_set &&
            !scope->keys[KEY_LEASE_TIME].is_set &&
            !scope->keys[KEY_MIN_LEASE_TIME].is_set)
                return;
        if (is_longer(min, max)) {
                import_remark(im, min->at,
                              "min-lease-time is longer than max-lease-time: it is "
                              "carried as that",
                              NULL);
                scope->keys[KEY_MIN_LEASE_TIME] = *max;
        }
        if (is_longer(time, max)) {
                import_remark(im,
                              scope->keys[KEY_LEASE_TIME].is_set ? time->at : max->at,
                              "the default time of a lease is longer than "
                              "max-lease-time: it is carried as that, which is what "
                              "clients were given",
                              NULL);
                scope->keys[KEY_LEASE_TIME] = *max;
        }
        settle_minimum(im, scope);
}

/* Whole seconds of less than a minute are for tests; our parser wants a minute. */
static void settle_short_times(struct import *im, struct scope *scope) {
        static const enum scope_key keys[] = { KEY_LEASE_TIME, KEY_MAX_LEASE_TIME };

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                struct value *value = &scope->keys[keys[i]];

                if (!value->is_set || value->number >= 60)
                        continue;
                import_remark(im, value->at, scope_key_names[keys[i]],
                              " of less than a minute is carried as 1m", NULL);
                value->number = 60;
        }
}

static void drop_time(struct import *im, struct value *value, const char *which,
                      const char *why) {
        import_remark(im, value->at, which, " is not carried: ", why, NULL);
        *value = (struct value){ 0 };
}

static bool is_before(const struct value *a, const struct value *b) {
        return !a->is_set || !b->is_set || a->number < b->number;
}

/* T1 comes before T2, and T2 before the end. */
static void settle_renewal(struct import *im, struct scope *scope) {
        static const char t1[] = "the renewal time", t2[] = "the rebinding time";
        struct value *renewal = &scope->keys[KEY_RENEWAL_TIME];
        struct value *rebinding = &scope->keys[KEY_REBINDING_TIME];
        const struct value *time = &scope->keys[KEY_LEASE_TIME];

        if (renewal->is_set && renewal->number == 0)
                drop_time(im, renewal, t1, "it is zero");
        if (rebinding->is_set && rebinding->number == 0)
                drop_time(im, rebinding, t2, "it is zero");
        if (!is_before(renewal, rebinding))
                drop_time(im, renewal, t1, "it is not shorter than the rebinding time");
        if (!is_before(renewal, time))
                drop_time(im, renewal, t1, "it is not shorter than the lease");
        if (!is_before(rebinding, time))
                drop_time(im, rebinding, t2, "it is not shorter than the lease");
}

/* Both have a field of that size in the message. */
static void settle_texts(struct import *im, struct scope *scope) {
        static const struct {
                enum scope_key key;
                size_t max;
        } texts[] = { { KEY_FILENAME, FILENAME_MAX_BYTES }, { KEY_SERVER_NAME, 63 } };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct value *value = &scope->keys[texts[i].key];

                if (!value->is_set || strlen(value->text) <= texts[i].max)
                        continue;
                import_remark(im, value->at, scope_key_names[texts[i].key],
                              " is not carried: it is too long", NULL);
                *value = (struct value){ 0 };
        }
}

static void settle_scope(struct import *im, struct scope *scope,
                         const struct scope *outer) {
        settle_texts(im, scope);
        settle_short_times(im, scope);
        settle_times(im, scope, outer);
        settle_renewal(im, scope);
}

/* The first one has what both say. */
static void merge_subnet(struct import *im, struct subnet *subnet,
                         const struct subnet *other) {
        if (!scope_is_empty(&other->scope) &&
            !scope_is_equal(&subnet->scope, &other->scope))
                import_remark(im, other->at,
                              "the subnet is declared twice: what the first one says "
                              "goes",
                              NULL);
        scope_inherit(im, &subnet->scope, &other->scope);
        subnet->bootp |= other->bootp;
        *subnet->pools_end = other->pools;
        if (other->pools)
                subnet->pools_end = other->pools_end;
}

static bool is_plain(const char *s) {
        for (const char *p = s; *p; p++)
                if ((*p > 0 && *p < 0x20) || *p == 0x7f)
                        return false;
        return *s && text_is_utf8(s, strlen(s));
}

static void settle_names(struct import *im, struct subnet *subnet) {
        const char **names[] = { &subnet->interface, &subnet->shared_network };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (!*names[i] || is_plain(*names[i]))
                        continue;
                import_remark(im, subnet->at, "the name '", *names[i],
                              "' is not carried: it is not plain text", NULL);
                *names[i] = NULL;
        }
}

static struct subnet *overlapping(struct subnet *first, const struct subnet *end) {
        for (; first != end; first = first->next) {
                ip4_t mask = first->mask & end->mask;

                if ((first->network & mask) == (end->network & mask))
                        return first;
        }
        return NULL;
}

/* Ours has one entry a network, and no network in another. */
static void settle_subnets(struct import *im) {
        struct subnet **at = &im->model->subnets;
        size_t n = 0;

        while (*at && !im->failed) {
                struct subnet *subnet = *at;
                struct subnet *other = overlapping(im->model->subnets, subnet);

                if (!other) {
                        at = &subnet->next;
                        if (++n > SUBNETS_MAX)
                                import_refuse(im, subnet->at,
                                              "there are too many subnets", NULL);
                        continue;
                }
                if (other->network == subnet->network && other->mask == subnet->mask)
                        merge_subnet(im, other, subnet);
                else
                        import_remark(im, subnet->at, "the subnet ",
                                      import_address(im, subnet->network),
                                      " is left out with its ranges: it overlaps with ",
                                      import_address(im, other->network), NULL);
                *at = subnet->next;
        }
        im->model->subnets_end = at;
}

static bool says_nothing(const struct host *host) {
        return !host->address && !host->hostname && !host->is_ignored &&
               scope_is_empty(&host->scope);
}

/* A host whose name was looked up, or that stands there to be known only. */
static void drop_empty_hosts(struct import *im) {
        struct host **at = &im->model->hosts;

        while (*at) {
                struct host *host = *at;

                if (!says_nothing(host)) {
                        at = &host->next;
                        continue;
                }
                import_remark(im, host->at, "the host ", host->name ? host->name : "",
                              host->name ? " " : "",
                              "is left out: nothing but who it is would be carried",
                              NULL);
                *at = host->next;
                im->model->n_hosts--;
        }
        im->model->hosts_end = at;
}

void model_settle(struct import *im) {
        struct model *model = im->model;

        if (!model->subnets && !model->is_proxy)
                import_remark(im, im->start,
                              "there is no network with addresses to give in "
                              "this file: mode is off until there is one",
                              NULL);
        settle_subnets(im);
        for (struct host *h = model->hosts; h && !im->failed; h = h->next)
                settle_scope(im, &h->scope, NULL);
        drop_empty_hosts(im);
        settle_scope(im, &model->scope, NULL);
        for (struct subnet *s = model->subnets; s && !im->failed; s = s->next) {
                settle_names(im, s);
                settle_pools(im, s);
                settle_scope(im, &s->scope, &model->scope);
        }
        for (struct class_entry *c = model->classes; c && !im->failed; c = c->next)
                settle_scope(im, &c->scope, NULL);
}

/* What tells nothing about the network: Bootjack has or finds all of these. */
bool is_usual_loader(const char *filename) {
        static const char *const names[] = {
                "pxelinux.0",
                "lpxelinux.0",
                "gpxelinux.0",
                "undionly.kpxe",
                "undionly.kkpxe",
                "undionly.0",
                "ipxe.pxe",
                "ipxe.efi",
                "snponly.efi",
                "snp.efi",
                "bootx64.efi",
                "bootia32.efi",
                "bootaa64.efi",
                "grubx64.efi",
                "grubia32.efi",
                "grubaa64.efi",
                "grubnetx64.efi",
                "grubnetaa64.efi",
                "shimx64.efi",
                "shim.efi",
                "shimaa64.efi",
                "syslinux.efi",
                "syslinux64.efi",
                "core.efi",
                "core.0",
                "ipxe-x86_64.efi",
                "ipxe32.efi",
                "ipxe64.efi",
                "bootnetx64.efi",
                "elilo.efi",
                "grubnetx64.efi.signed",
                "shimx64.efi.signed",
                "grubx64.efi.signed",
                "ipxe-i386.efi",
                "ipxe-arm64.efi",
                "snponly-x86_64.efi",
        };
        const char *slash = strrchr(filename, '/');
        const char *base = slash ? slash + 1 : filename;
        char lower[32];
        size_t n = strlen(base);

        if (n >= sizeof(lower) || strstr(filename, "://"))
                return false;
        for (size_t i = 0; i <= n; i++)
                lower[i] = base[i] >= 'A' && base[i] <= 'Z' ? (char)(base[i] + 32)
                                                            : base[i];
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strcmp(lower, names[i]) == 0)
                        return true;
        return false;
}
