/*
 * The frames of dhcpd.conf as scopes of ours. dhcpd looks from the inside out: host and
 * its groups, class, pool, subnet, its groups and shared network, the whole. We have
 * host, classes in their order, subnet, the whole. So
 *
 * - what groups and shared networks say is written where it applies;
 * - a condition becomes a class that also matches on where it stood (these subnets,
 *   these hosts). Classes stand in dhcpd's order, from the inside out; of two ladders
 *   in one block the last one wins there, so it comes first here;
 * - `else` is what the block itself says, for classes go before it;
 * - what a subnet says plainly would lose against the class of a condition further
 *   out: it becomes a class itself, before that one. What a host says plainly in the
 *   same block as a condition would win: it becomes a class, after that one.
 */
#include "import/dhcpd.h"

enum { TARGETS_MAX = 4096, LADDERS_MAX = 1024 };

/* ---- which values ---- */

struct keys {
        bool keys[N_KEYS];
        bool codes[256];
        bool any;
};

static void keys_of_scope(const struct scope *scope, struct keys *keys) {
        for (size_t i = 0; i < N_KEYS; i++)
                if (scope->keys[i].is_set)
                        keys->keys[i] = keys->any = true;
        for (const struct option_value *o = scope->options; o; o = o->next)
                if (!o->space && o->code < 256)
                        keys->codes[o->code] = keys->any = true;
}

static void keys_of_ladders(const struct frame *frame, struct keys *keys) {
        for (const struct ladder *l = frame->ladders; l; l = l->next)
                for (const struct branch *b = l->branches; b; b = b->next) {
                        keys_of_scope(&b->frame->scope, keys);
                        keys_of_ladders(b->frame, keys);
                }
}

/* What `from` says of these keys (or, with `others`, of the others) and `to` does not.
 */
static void inherit_some(struct import *im, struct scope *to, const struct scope *from,
                         const struct keys *keys, bool others) {
        struct scope some = { 0 };

        for (size_t i = 0; i < N_KEYS; i++)
                if (from->keys[i].is_set && keys->keys[i] != others)
                        some.keys[i] = from->keys[i];
        for (const struct option_value *o = from->options; o; o = o->next)
                if ((!o->space && keys->codes[o->code & 255]) != others)
                        scope_set_option(im, &some, o);
        scope_inherit(im, to, &some);
}

/* ---- ladders set right ---- */

static struct branch *last_branch(struct ladder *ladder) {
        struct branch *branch = ladder->branches;

        while (branch && branch->next)
                branch = branch->next;
        return branch;
}

/* "if not A {x} elsif B {y} else {z}" is "if A and B {y} elsif A {z} else {x}". */
static void turn_round(struct dhcpd *d, struct frame *frame, struct ladder *ladder) {
        struct branch *first = ladder->branches, *last = last_branch(ladder);
        struct condition positive = first->condition;

        if (first->is_else || !positive.is_known || !positive.is_negated)
                return;
        positive.is_negated = false;
        for (struct branch *b = first->next; b; b = b->next)
                if (!b->is_else && b->condition.is_known && !b->condition.is_negated) {
                        struct matches both;

                        b->condition.is_known = matches_and(
                                d->im, &positive.matches, &b->condition.matches, &both);
                        b->condition.matches = both;
                }
        if (!last->is_else) { /* an empty one, which keeps these clients from x */
                struct branch *kept = import_take(d->im, sizeof(*kept));

                if (!kept)
                        return;
                kept->frame = import_take(d->im, sizeof(*kept->frame));
                if (!kept->frame)
                        return;
                kept->frame->kind = FRAME_BRANCH;
                kept->frame->parent = frame;
                kept->frame->at = first->frame->at;
                last->next = kept;
                last = kept;
        }
        last->is_else = false;
        last->condition = positive;
        ladder->branches = first->next;
        first->is_else = true;
        first->condition = (struct condition){ 0 };
        first->next = NULL;
        last->next = first;
}

static void drop_unknown(struct dhcpd *d, struct ladder *ladder) {
        struct branch **at = &ladder->branches;

        while (*at) {
                struct branch *b = *at;
                bool is_negated = b->condition.is_known && b->condition.is_negated;

                if (is_negated)
                        import_remark(
                                d->im, b->frame->at,
                                "this condition and what it sets are not carried: "
                                "classes cannot say 'not'",
                                NULL);
                if (b->is_else || (b->condition.is_known && !is_negated))
                        at = &b->next;
                else
                        *at = b->next;
        }
}

static bool is_arch_only(const struct branch *branch) {
        for (const struct match *m = branch->condition.matches.first; m; m = m->next)
                for (size_t i = 0; i < N_MATCHES; i++)
                        if ((m->keys[i].n > 0) != (i == MATCH_ARCH))
                                return false;
        return !branch->is_else;
}

/* The first rung that holds is all of a ladder; of classes each gives what those before
 * it did not. So a rung says also what those below it would add: what holds without
 * the ladder, or at least a word about it. */
static void fill(struct dhcpd *d, const struct frame *frame, struct branch *branch) {
        struct keys later = { 0 }, own = { 0 };
        bool lacks = false;

        for (const struct branch *b = branch->next; b; b = b->next)
                if (b->is_else || !is_arch_only(b) || !is_arch_only(branch)) {
                        keys_of_scope(&b->frame->scope, &later);
                        keys_of_ladders(b->frame, &later);
                }
        inherit_some(d->im, &branch->frame->scope, &frame->scope, &later, false);
        keys_of_scope(&branch->frame->scope, &own);
        for (size_t i = 0; i < N_KEYS; i++)
                lacks |= later.keys[i] && !own.keys[i];
        for (size_t i = 0; i < 256; i++)
                lacks |= later.codes[i] && !own.codes[i];
        if (lacks)
                import_remark(d->im, branch->frame->at,
                              "clients of this condition are also given what the ones "
                              "below set and it does not: add it to the class if that "
                              "matters",
                              NULL);
}

static void settle_frame(struct dhcpd *d, struct frame *frame);

/* Puts `else` into the frame; its own ladders come after this one. */
static void take_else(struct dhcpd *d, struct frame *frame, struct ladder *ladder) {
        struct branch **at = &ladder->branches;
        struct frame *otherwise;
        struct ladder *nested;

        while (*at && !(*at)->is_else)
                at = &(*at)->next;
        if (!*at)
                return;
        otherwise = (*at)->frame;
        *at = NULL;
        scope_override(d->im, &frame->scope, &otherwise->scope);
        nested = otherwise->ladders;
        if (otherwise->vendor_space)
                frame->vendor_space = otherwise->vendor_space;
        if (!nested)
                return;
        while (nested->next)
                nested = nested->next;
        nested->next = ladder->next;
        ladder->next = otherwise->ladders;
}

static void settle_ladder(struct dhcpd *d, struct frame *frame, struct ladder *ladder) {
        if (!ladder->branches)
                return;
        turn_round(d, frame, ladder);
        drop_unknown(d, ladder);
        for (struct branch *b = ladder->branches; b && !d->im->failed; b = b->next)
                settle_frame(d, b->frame);
        for (struct branch *b = ladder->branches; b && !d->im->failed; b = b->next)
                if (!b->is_else)
                        fill(d, frame, b);
        take_else(d, frame, ladder);
}

/* The ladders in the order of the file, for each `else` replaces what was before; the
 * list goes from the last to the first, and grows behind what was done. */
static void settle_ladders(struct dhcpd *d, struct frame *frame, struct ladder *ladder,
                           unsigned depth) {
        if (!ladder || d->im->failed)
                return;
        if (depth > LADDERS_MAX) {
                import_refuse(
                        d->im, ladder->at,
                        "expected less: these are too many conditions in one block",
                        NULL);
                return;
        }
        settle_ladders(d, frame, ladder->next, depth + 1);
        settle_ladder(d, frame, ladder);
}

static void settle_frame(struct dhcpd *d, struct frame *frame) {
        settle_ladders(d, frame, frame->ladders, 0);
        for (struct frame *f = frame->inner; f && !d->im->failed; f = f->next)
                settle_frame(d, f);
}

/* ---- options in options ---- */

static const char *vendor_space(const struct frame *frame) {
        for (; frame; frame = frame->parent)
                if (frame->vendor_space)
                        return frame->vendor_space;
        return NULL;
}

static const struct frame *global_of(const struct frame *frame) {
        while (frame->parent)
                frame = frame->parent;
        return frame;
}

static bool has_space(const struct scope *scope, const char *space) {
        for (const struct option_value *o = scope->options; o; o = o->next)
                if (o->space && strcmp(o->space, space) == 0)
                        return true;
        return false;
}

/* Each option of the space with its code and length. */
static void enclose(struct dhcpd *d, struct scope *scope, const struct scope *global,
                    const char *space, unsigned code) {
        struct scope all = *scope;
        struct text bytes = { 0 };
        struct place at = { 0 };

        if (global && global != scope) {
                all = (struct scope){ 0 };
                scope_override(d->im, &all, global);
                scope_override(d->im, &all, scope);
        }
        for (const struct option_value *o = all.options; o; o = o->next) {
                if (!o->space || strcmp(o->space, space) != 0 || o->bytes.n > 255)
                        continue;
                text_char(&bytes, (char)o->code);
                text_char(&bytes, (char)o->bytes.n);
                text_bytes(&bytes, o->bytes.data, o->bytes.n);
                at = o->at;
        }
        if (bytes.n > 0 && bytes.n <= 1024)
                scope_set_option(d->im, scope,
                                 &(struct option_value){
                                         .code = code,
                                         .format = "O",
                                         .bytes = { (const uint8_t *)import_copy(
                                                            d->im, bytes.s, bytes.n),
                                                    bytes.n },
                                         .at = at });
        text_done(&bytes);
}

/* Options of other spaces become bytes of the option that encloses them. */
static void resolve_spaces(struct dhcpd *d, const struct frame *frame,
                           struct scope *scope, bool has_vendor) {
        const struct frame *global = global_of(frame);
        const char *vendor = vendor_space(frame);
        struct scope plain = { 0 };

        if (vendor && (has_vendor || has_space(scope, vendor)))
                enclose(d, scope, &global->scope, vendor, 43);
        for (const struct definition *i = d->definitions; i; i = i->next)
                if (i->encloses && !i->space && has_space(scope, i->encloses) &&
                    i->code < 256 && !option_reserved(i->code))
                        enclose(d, scope, &global->scope, i->encloses, i->code);
        for (size_t i = 0; i < N_KEYS; i++)
                plain.keys[i] = scope->keys[i];
        for (const struct option_value *o = scope->options; o && !d->im->failed;
             o = o->next) {
                struct option_value one = *o;
                bool is_site = one.space && global->site_space &&
                               strcmp(one.space, global->site_space) == 0;

                if (is_site)
                        one.space = NULL;
                if (!one.space)
                        scope_set_option(d->im, &plain, &one);
        }
        *scope = plain;
}

/* ---- names of classes ---- */

static const char *sane_name(struct import *im, const char *name) {
        struct text text = { 0 };
        const char *made;

        for (; *name && text.n < 48; name++) {
                bool is_plain = (*name >= 'a' && *name <= 'z') ||
                                (*name >= 'A' && *name <= 'Z') ||
                                (*name >= '0' && *name <= '9') || strchr("-_.", *name);

                text_char(&text, is_plain ? *name : '-');
        }
        made = import_copy(im, text.s, text.n);
        text_done(&text);
        return *made ? made : "class";
}

static const char *branch_name(struct import *im, const struct branch *branch) {
        const struct match *match = branch->condition.matches.first;
        const struct words *arch = &match->keys[MATCH_ARCH];
        const struct words *user = &match->keys[MATCH_USER_CLASS];

        if (user->n && strcmp(user->first->s, "iPXE") == 0)
                return "ipxe";
        if (arch->n == 1 || (arch->n > 1 && arch->n < 4)) {
                const char *name = import_join(im, "arch-", arch->first->s, NULL);

                for (const struct word *w = arch->first->next; w; w = w->next)
                        name = import_join(im, name, "-", w->s, NULL);
                return name;
        }
        return import_join(im, "line-", import_decimal(im, branch->frame->at.line),
                           NULL);
}

/* ---- conditions as classes ---- */

static void emit_ladders(struct dhcpd *d, const struct frame *frame,
                         const struct matches *where);

static void emit_branch(struct dhcpd *d, const struct branch *branch,
                        const struct matches *where) {
        struct matches whom;
        struct scope scope = { 0 };

        if (!matches_and(d->im, where, &branch->condition.matches, &whom) || !whom.n) {
                import_remark(d->im, branch->frame->at,
                              "this condition and what it sets are not carried: "
                              "together with where it stands it cannot be matched on",
                              NULL);
                return;
        }
        emit_ladders(d, branch->frame, &whom);
        scope_override(d->im, &scope, &branch->frame->scope);
        resolve_spaces(d, branch->frame, &scope, branch->frame->vendor_space != NULL);
        if (!scope_is_empty(&scope))
                model_classes(d->im, branch_name(d->im, branch), &whom, &scope,
                              branch->frame->at, NULL);
}

static void praise(struct dhcpd *d, const struct ladder *ladder) {
        size_t n = 0;

        for (const struct branch *b = ladder->branches; b; b = b->next, n++) {
                const struct scope *scope = &b->frame->scope;

                if (!scope->keys[KEY_FILENAME].is_set || scope->options ||
                    b->frame->ladders ||
                    !is_usual_loader(scope->keys[KEY_FILENAME].text))
                        return;
        }
        if (n)
                import_remark(d->im, ladder->at,
                              "this ladder chooses the usual loaders by firmware: "
                              "without its classes, and without the filename below "
                              "them, Bootjack chooses by itself",
                              NULL);
}

static void emit_ladders(struct dhcpd *d, const struct frame *frame,
                         const struct matches *where) {
        for (const struct ladder *l = frame->ladders; l && !d->im->failed;
             l = l->next) {
                for (const struct branch *b = l->branches; b; b = b->next)
                        emit_branch(d, b, where);
                praise(d, l);
        }
}

/* ---- hosts ---- */

static bool is_of_hosts(const struct frame *frame) {
        return frame && (frame->kind == FRAME_HOST || frame->kind == FRAME_GROUP);
}

static enum answer effective(const struct frame *frame, size_t offset) {
        for (; frame; frame = frame->parent) {
                enum answer answer =
                        *(const enum answer *)(const void *)((const char *)frame +
                                                             offset);

                if (answer != UNSAID)
                        return answer;
        }
        return UNSAID;
}

static bool is_hostname(const char *s) {
        if (!*s || strlen(s) > 253)
                return false;
        for (; *s; s++)
                if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
                      (*s >= '0' && *s <= '9') || strchr("-_.", *s)))
                        return false;
        return true;
}

static bool is_identified(const struct frame *frame) {
        return frame->has_mac || frame->client_id || frame->circuit_id || frame->uuid;
}

/* The name it is told, and goes by in classes; NULL: none. */
static const char *hostname_of(const struct dhcpd *d, const struct frame *host) {
        bool is_wanted =
                effective(host, offsetof(struct frame, use_host_names)) == YES ||
                d->has_known || !host->has_mac;

        for (const struct frame *f = host; is_of_hosts(f); f = f->parent) {
                const struct option_value *option = scope_option(&f->scope, NULL, 12);

                if (option && is_hostname((const char *)option->bytes.data))
                        return (const char *)option->bytes.data;
        }
        return is_wanted && host->name && is_hostname(host->name) ? host->name : NULL;
}

/* A host is found by its MAC, or by its name. */
static void add_target(struct dhcpd *d, const struct frame *host,
                       struct matches *where) {
        char mac[MAC_TEXT_MAX];
        size_t key = host->has_mac ? MATCH_MAC : MATCH_HOST;
        const char *s =
                host->has_mac ? mac_format(host->mac, mac) : hostname_of(d, host);

        if (!s)
                return;
        for (struct match *m = where->first; m; m = m->next)
                if (m->keys[key].n) {
                        words_add(d->im, &m->keys[key],
                                  import_copy(d->im, s, strlen(s)));
                        return;
                }
        matches_add_word(d->im, where, (enum match_key)key,
                         import_copy(d->im, s, strlen(s)));
}

/* All hosts inside, but not those of a network: what that says they have anyway. */
static void find_hosts(struct dhcpd *d, const struct frame *frame,
                       struct matches *where) {
        if (frame->kind == FRAME_HOST && is_identified(frame))
                add_target(d, frame, where);
        for (const struct frame *f = frame->inner; f && !d->im->failed; f = f->next)
                if (f->kind == FRAME_HOST || f->kind == FRAME_GROUP)
                        find_hosts(d, f, where);
}

static void emit_host_ladders(struct dhcpd *d, const struct frame *frame) {
        struct keys keys = { 0 };
        struct matches where = { 0 };
        struct scope scope = { 0 };

        for (const struct frame *f = frame->inner; f && !d->im->failed; f = f->next)
                emit_host_ladders(d, f);
        if (!frame->ladders || !is_of_hosts(frame))
                return;
        find_hosts(d, frame, &where);
        if (!where.n)
                return;
        emit_ladders(d, frame, &where);
        keys_of_ladders(frame, &keys);
        for (const struct frame *f = frame; is_of_hosts(f); f = f->parent)
                inherit_some(d->im, &scope, &f->scope, &keys, false);
        if (!scope_is_empty(&scope))
                model_classes(d->im,
                              sane_name(d->im, frame->name ? frame->name : "group"),
                              &where, &scope, frame->at, NULL);
}

static void build_host(struct dhcpd *d, const struct frame *frame) {
        struct host *host = model_host(d->im, frame->at);
        struct keys masked = { 0 };
        bool has_vendor = false;

        if (!host)
                return;
        host->name = frame->name;
        host->has_mac = frame->has_mac;
        host->mac = frame->mac;
        host->client_id = frame->client_id;
        host->circuit_id = frame->circuit_id;
        host->uuid = frame->uuid;
        host->address = frame->address;
        for (const struct frame *f = frame; is_of_hosts(f); f = f->parent) {
                keys_of_ladders(f, &masked);
                inherit_some(d->im, &host->scope, &f->scope, &masked, true);
                has_vendor |= f->vendor_space != NULL;
                if (host->is_ignored || f->is_ignored == YES)
                        host->is_ignored = true;
        }
        resolve_spaces(d, frame, &host->scope, has_vendor);
        scope_drop_option(&host->scope, NULL, 12);
        host->hostname = hostname_of(d, frame);
}

static void build_hosts(struct dhcpd *d, const struct frame *frame) {
        if (frame->kind == FRAME_HOST && !is_identified(frame))
                import_remark(d->im, frame->at, "host ", frame->name ? frame->name : "",
                              " is not carried: it says neither MAC nor identifier",
                              NULL);
        else if (frame->kind == FRAME_HOST)
                build_host(d, frame);
        for (const struct frame *f = frame->inner; f && !d->im->failed; f = f->next)
                build_hosts(d, f);
}

/* ---- classes ---- */

static void emit_class(struct dhcpd *d, struct frame *class) {
        const struct matches *whom =
                class->has_condition ? &class->condition.matches : &class->members;
        const char *name = sane_name(d->im, class->name), *why = NULL;
        struct scope scope = { 0 };

        if (class->has_condition && !class->condition.is_known)
                why = class->condition.why;
        else if (class->has_condition && class->condition.is_negated)
                why = "classes cannot say 'not'";
        else if (!whom->n)
                why = "nobody is a member of it";
        if (why) {
                import_remark(d->im, class->at, "class ", class->name,
                              " is not carried: ", why, NULL);
                return;
        }
        for (const struct frame *f = class->inner; f && !d->im->failed; f = f->next) {
                struct scope own = { 0 };

                if (f->kind != FRAME_SUBCLASS)
                        continue;
                emit_ladders(d, f, &f->members);
                scope_override(d->im, &own, &f->scope);
                resolve_spaces(d, f, &own, f->vendor_space != NULL);
                if (!scope_is_empty(&own))
                        model_classes(d->im, import_join(d->im, name, "-member", NULL),
                                      &f->members, &own, f->at, NULL);
        }
        emit_ladders(d, class, whom);
        scope_override(d->im, &scope, &class->scope);
        resolve_spaces(d, class, &scope, class->vendor_space != NULL);
        model_classes(d->im, name, whom, &scope, class->at, &class->made);
}

static void emit_classes(struct dhcpd *d, const struct frame *global) {
        for (struct frame *f = global->inner; f && !d->im->failed; f = f->next)
                if (f->kind == FRAME_CLASS)
                        emit_class(d, f);
}

/* ---- subnets ---- */

static void add_network(struct dhcpd *d, const struct frame *subnet,
                        struct matches *where) {
        unsigned bits = 32;
        const char *s;

        while (bits > 1 && !(subnet->mask >> (32 - bits) & 1))
                bits--;
        s = import_join(d->im, import_address(d->im, subnet->network), "/",
                        import_decimal(d->im, bits), NULL);
        if (where->n)
                words_add(d->im, &where->first->keys[MATCH_SUBNET], s);
        else
                matches_add_word(d->im, where, MATCH_SUBNET, s);
}

static void find_subnets(struct dhcpd *d, const struct frame *frame,
                         struct matches *where) {
        if (frame->kind == FRAME_SUBNET)
                add_network(d, frame, where);
        for (const struct frame *f = frame->inner; f && !d->im->failed; f = f->next)
                find_subnets(d, f, where);
}

static const struct frame *enclosing(const struct frame *frame, enum frame_kind kind) {
        while (frame && frame->kind != kind)
                frame = frame->parent;
        return frame;
}

/* A pool that says something of its own: we have no scope for it. */
static void lift_pools(struct dhcpd *d, struct frame *subnet, struct scope *scope) {
        const struct frame *first = NULL;
        bool are_equal = !subnet->ranges;

        for (struct frame *f = subnet->inner; f; f = f->next) {
                if (f->kind != FRAME_POOL)
                        continue;
                if (first && !scope_is_equal(&first->scope, &f->scope))
                        are_equal = false;
                first = first ? first : f;
        }
        for (struct frame *f = subnet->inner; f && first; f = f->next) {
                if (f->kind != FRAME_POOL || scope_is_empty(&f->scope))
                        continue;
                if (!are_equal)
                        import_remark(d->im, f->at,
                                      "what this pool sets for itself is not carried: "
                                      "put it into a class of those that the pool is "
                                      "for",
                                      NULL);
                else
                        scope_override(d->im, scope, &f->scope);
        }
}

/* Plain values of a subnet and what is around it: those that a condition further out
 * sets, too, go into a class. */
static void collect_subnet(struct dhcpd *d, struct frame *frame, struct scope *ret,
                           struct scope *ret_class) {
        for (struct frame *f = frame; f->parent && !d->im->failed; f = f->parent) {
                struct keys outer = { 0 };
                struct scope own = { 0 }, rest = { 0 };

                for (const struct frame *o = f->parent; o; o = o->parent)
                        keys_of_ladders(o, &outer);
                scope_override(d->im, &own, &f->scope);
                if (f == frame)
                        lift_pools(d, frame, &own);
                inherit_some(d->im, &rest, &own, &outer, false);
                for (const struct option_value *o = rest.options; o; o = o->next)
                        if (scope_option(ret, o->space, o->code))
                                scope_drop_option(&rest, o->space, o->code);
                scope_inherit(d->im, ret_class, &rest);
                inherit_some(d->im, ret, &own, &outer, true);
        }
}

static bool has_vendor_space(const struct frame *frame) {
        for (; frame->parent; frame = frame->parent)
                if (frame->vendor_space)
                        return true;
        return false;
}

static void build_subnet(struct dhcpd *d, struct frame *frame, struct subnet **ret) {
        struct subnet *subnet = model_subnet(d->im, frame->at);
        const struct frame *shared = enclosing(frame, FRAME_SHARED);
        struct scope promoted = { 0 };
        struct matches where = { 0 };

        *ret = subnet;
        if (!subnet)
                return;
        subnet->network = frame->network;
        subnet->mask = frame->mask;
        for (const struct frame *f = frame; f && !subnet->interface; f = f->parent)
                subnet->interface = f->interface;
        if (shared && shared->name)
                subnet->shared_network = shared->name;
        collect_subnet(d, frame, &subnet->scope, &promoted);
        resolve_spaces(d, frame, &subnet->scope, has_vendor_space(frame));
        resolve_spaces(d, frame, &promoted, false);
        if (scope_is_empty(&promoted))
                return;
        add_network(d, frame, &where);
        model_classes(d->im,
                      import_join(d->im, "subnet-",
                                  import_address(d->im, frame->network), NULL),
                      &where, &promoted, frame->at, NULL);
}

/* Inner ones first. */
static void emit_network_ladders(struct dhcpd *d, const struct frame *frame) {
        struct matches where = { 0 };

        if (!frame->ladders || !frame->parent)
                return;
        if (frame->kind == FRAME_POOL) {
                const struct frame *subnet = enclosing(frame, FRAME_SUBNET);

                if (subnet)
                        add_network(d, subnet, &where);
                import_remark(d->im, frame->at,
                              "the conditions in this pool are carried for its whole "
                              "subnet",
                              NULL);
        } else {
                find_subnets(d, frame, &where);
        }
        if (where.n)
                emit_ladders(d, frame, &where);
}

/* ---- pools ---- */

static const struct frame *class_called(const struct dhcpd *d, const char *name) {
        for (const struct frame *f = d->classes; f; f = f->next_class)
                if (strcmp(f->name, name) == 0)
                        return f;
        return NULL;
}

struct access { /* to a pool */
        struct words only, except;
        bool bootp, is_closed, only_unknown;
};

static void add_members(struct dhcpd *d, const struct permit *permit,
                        struct access *access) {
        const struct frame *class = class_called(d, permit->name);
        struct words *words = permit->is_denied ? &access->except : &access->only;

        if (!class || !class->made.n) {
                import_remark(d->im, permit->at, "members of ", permit->name,
                              permit->is_denied
                                      ? " are not kept out: there is no such class"
                                      : " are not let in: there is no such class",
                              NULL);
                access->is_closed |= !permit->is_denied;
                return;
        }
        for (const struct word *word = class->made.first; word; word = word->next)
                words_add_once(d->im, words, word->s);
}

static void add_access(struct dhcpd *d, const struct permit *permit,
                       struct access *access) {
        switch (permit->kind) {
        case PERMIT_MEMBERS:
                add_members(d, permit, access);
                break;
        case PERMIT_KNOWN:
                d->has_known = d->needs_known = true;
                words_add_once(d->im,
                               permit->is_denied ? &access->except : &access->only,
                               "known");
                break;
        case PERMIT_UNKNOWN:
                d->has_known = d->needs_known = true;
                if (permit->is_denied)
                        words_add_once(d->im, &access->only, "known");
                else
                        access->only_unknown = true;
                break;
        case PERMIT_BOOTP:
                access->bootp |= !permit->is_denied;
                break;
        case PERMIT_ALL:
                access->is_closed |= permit->is_denied;
        }
}

static void read_access(struct dhcpd *d, const struct frame *frame,
                        struct access *access) {
        bool known_only = effective(frame, offsetof(struct frame, known_only)) == YES;

        *access = (struct access){ 0 };
        for (const struct permit *p = frame->permits; p && !d->im->failed; p = p->next)
                add_access(d, p, access);
        if (access->only_unknown && !access->only.n)
                words_add_once(d->im, &access->except, "known");
        else if (access->only_unknown)
                import_remark(d->im, frame->at,
                              "unknown clients are not let into this pool: a pool is "
                              "for members of classes or for everybody",
                              NULL);
        if (!known_only || words_have(&access->only, "known"))
                return;
        d->has_known = d->needs_known = true;
        if (access->only.n)
                import_remark(d->im, frame->at,
                              "that unknown clients are denied is not carried for this "
                              "pool: it is for members of classes already",
                              NULL);
        else
                words_add_once(d->im, &access->only, "known");
}

static struct subnet *subnet_of(struct subnet *const *subnets, size_t n,
                                ip4_t address) {
        for (size_t i = 0; i < n; i++)
                if (subnets[i] && (address & subnets[i]->mask) == subnets[i]->network)
                        return subnets[i];
        return n ? subnets[0] : NULL;
}

static void add_ranges(struct dhcpd *d, const struct frame *frame,
                       struct subnet *const *subnets, size_t n) {
        struct access access;

        if (!frame->ranges)
                return;
        read_access(d, frame, &access);
        if (access.is_closed)
                import_remark(d->im, frame->at,
                              "the ranges of this pool are left out: nobody may have "
                              "them",
                              NULL);
        for (const struct range *r = frame->ranges; r && !access.is_closed;
             r = r->next) {
                struct subnet *subnet = subnet_of(subnets, n, r->first);
                struct pool *pool = subnet ? subnet_pool(d->im, subnet, r->at) : NULL;

                if (!pool)
                        return;
                pool->first = r->first;
                pool->last = r->last;
                pool->bootp = r->bootp || access.bootp;
                pool->only = access.only;
                pool->except = access.except;
        }
}

struct network { /* the subnets of one shared network */
        struct subnet *subnets[TARGETS_MAX];
        size_t n;
};

static void build_networks(struct dhcpd *d, struct frame *frame,
                           struct network *network);

static void build_inner(struct dhcpd *d, struct frame *frame, struct network *network) {
        for (struct frame *f = frame->inner; f && !d->im->failed; f = f->next)
                build_networks(d, f, network);
}

/* Ranges beside the subnets of a shared network belong to the one that they lie in, so
 * they are looked at when all are known. */
static void build_shared_pools(struct dhcpd *d, const struct frame *frame,
                               const struct network *network) {
        for (const struct frame *f = frame->inner; f && !d->im->failed; f = f->next) {
                if (f->kind == FRAME_GROUP)
                        build_shared_pools(d, f, network);
                if (f->kind != FRAME_POOL)
                        continue;
                add_ranges(d, f, network->subnets, network->n);
                if (!scope_is_empty(&f->scope))
                        import_remark(d->im, f->at,
                                      "what this pool sets for itself is not carried: "
                                      "put it into a class of those that the pool is "
                                      "for",
                                      NULL);
        }
        add_ranges(d, frame, network->subnets, network->n);
}

static void build_networks(struct dhcpd *d, struct frame *frame,
                           struct network *network) {
        struct subnet *subnet = NULL;

        if (frame->kind == FRAME_SHARED) {
                network->n = 0;
                build_inner(d, frame, network);
                build_shared_pools(d, frame, network);
        } else if (frame->kind == FRAME_SUBNET) {
                build_inner(d, frame, network);
                emit_network_ladders(d, frame);
                build_subnet(d, frame, &subnet);
                if (!subnet)
                        return;
                add_ranges(d, frame, &subnet, 1);
                for (struct frame *f = frame->inner; f; f = f->next)
                        if (f->kind == FRAME_POOL)
                                add_ranges(d, f, &subnet, 1);
                if (network->n < TARGETS_MAX)
                        network->subnets[network->n++] = subnet;
                return;
        } else {
                build_inner(d, frame, network);
        }
        emit_network_ladders(d, frame);
}

/* ---- the whole ---- */

/* What dhcpd does when nothing is said. */
static void add_defaults(struct model *model) {
        struct value *time = &model->scope.keys[KEY_LEASE_TIME];
        const struct value *max = &model->scope.keys[KEY_MAX_LEASE_TIME];
        bool has_pools = false;

        for (const struct subnet *s = model->subnets; s; s = s->next)
                has_pools |= s->pools && !s->scope.keys[KEY_LEASE_TIME].is_set;
        if (!has_pools || time->is_set)
                return;
        time->is_set = true;
        time->number = 12 * 3600;
        if (max->is_set && max->number < time->number)
                time->number = max->number;
}

static void add_known(struct dhcpd *d) {
        struct matches matches = { 0 };

        if (!d->needs_known)
                return;
        matches_add_word(d->im, &matches, MATCH_HOST, "*");
        model_classes(d->im, "known", &matches, NULL, (struct place){ 0 }, NULL);
}

static void build(struct dhcpd *d, struct frame *global) {
        struct model *model = d->im->model;
        struct network *network = import_take(d->im, sizeof(*network));
        struct matches everybody;

        settle_frame(d, global);
        if (!network || d->im->failed)
                return;
        emit_host_ladders(d, global);
        emit_classes(d, global);
        build_inner(d, global, network);
        matches_all(d->im, &everybody);
        emit_ladders(d, global, &everybody);
        scope_override(d->im, &model->scope, &global->scope);
        resolve_spaces(d, global, &model->scope, global->vendor_space != NULL);
        add_known(d);
        build_hosts(d, global);
        add_defaults(model);
}

void dhcpd_read(struct import *im, const struct import_text *text,
                const struct open_file *open) {
        struct dhcpd d = { .im = im };
        struct statement *statements = dhcpd_parse(im, text, open);
        struct frame *global = im->failed ? NULL : dhcpd_frames(&d, statements);

        if (global && !im->failed)
                build(&d, global);
}

/* ---- recognising ---- */

/* Semicolons and blocks are dhcpd's; dnsmasq has lines of `word` and `word=value`. */
bool dhcpd_is_likely(const struct import_text *text) {
        size_t n_ends = 0, n_lines = 0;
        const char *at = text->s, *end = text->s + text->n;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at));
                const char *last = newline ? newline : end;
                const char *next = newline ? newline + 1 : end;
                const char *comment = memchr(at, '#', (size_t)(last - at));

                if (comment)
                        last = comment;
                while (last > at &&
                       (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
                        last--;
                n_lines += last > at;
                n_ends += last > at && strchr(";{}", last[-1]) && last[-1];
                at = next;
        }
        return n_ends > 0 && n_ends * 2 >= n_lines;
}
