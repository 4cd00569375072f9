/*
 * dnsmasq's tags as classes. There a value wants tags (tag:efi) and others not
 * (tag:!ipxe); of those whose tags a client has the last of the file wins, and any
 * tagged one wins against an untagged one. Our classes are asked in their order and
 * cannot say "not", so
 *
 * - values become classes from the last of the file to the first, one for each set of
 *   tags that is wanted;
 * - untagged ones are the global scope, and those of a tag that is only set by a
 *   dhcp-range stand in its subnet;
 * - values that want tag:!x come after those of x: clients with x have their own value
 *   by then. Where there is none but an untagged one, x becomes a class with that.
 */
#include "import/dnsmasq.h"

enum { TAGS_MAX = 1024, VALUES_MAX = 4096, ROUNDS_MAX = 8 };

static struct tag *find(const struct tags *tags, const char *name) {
        for (struct tag *tag = tags->tags; tag; tag = tag->next)
                if (strcmp(tag->name, name) == 0)
                        return tag;
        return NULL;
}

struct tag *tags_get(struct import *im, struct tags *tags, const char *name,
                     struct place at) {
        struct tag *tag = find(tags, name);

        if (tag)
                return tag;
        if (++tags->n_tags > TAGS_MAX)
                import_refuse(im, at, "there are too many tags", NULL);
        tag = import_take(im, sizeof(*tag));
        if (!tag)
                return NULL;
        tag->name = name;
        tag->at = at;
        tag->next = tags->tags;
        tags->tags = tag;
        return tag;
}

void tags_set(struct import *im, struct tags *tags, const char *name,
              enum match_key key, const char *value, struct place at) {
        struct tag *tag = tags_get(im, tags, name, at);

        if (!tag)
                return;
        tag->is_of_ranges |= key == MATCH_SUBNET;
        tag->is_of_others |= key != MATCH_SUBNET;
        for (struct match *m = tag->matches.first; m; m = m->next)
                if (m->keys[key].n) {
                        words_add(im, &m->keys[key], value);
                        return;
                }
        matches_add_word(im, &tag->matches, key, value);
}

struct tagged *tags_value(struct import *im, struct tags *tags, struct place at) {
        struct tagged *value = import_take(im, sizeof(*value));

        if (++tags->n_values > VALUES_MAX)
                import_refuse(im, at, "there are too many values with tags", NULL);
        if (!value)
                return NULL;
        value->at = at;
        if (tags->values_last)
                tags->values_last->next = value;
        else
                tags->values = value;
        tags->values_last = value;
        return value;
}

/* ---- whom a set of tags means ---- */

static bool matches_of(struct import *im, struct tags *tags, const char *name,
                       struct place at, struct matches *ret) {
        struct tag *tag = find(tags, name);

        *ret = (struct matches){ 0 };
        if (strcmp(name, "known") == 0) {
                tags->has_known = true;
                matches_add_word(im, ret, MATCH_HOST, "*");
                return true;
        }
        if (tag && tag->matches.n) {
                *ret = tag->matches;
                return true;
        }
        import_remark(im, at, "what wants the tag ", name,
                      tag ? " is not carried: what sets it is not carried"
                          : " is not carried: nothing here sets it (if it is the name "
                            "of a card, put this into the subnet of that)",
                      NULL);
        return false;
}

bool tags_match(struct import *im, struct tags *tags, const struct words *needs,
                struct place at, struct matches *ret) {
        struct matches all, one, both;

        matches_all(im, &all);
        for (const struct word *word = needs->first; word; word = word->next) {
                if (!matches_of(im, tags, word->s, at, &one))
                        return false;
                if (!matches_and(im, &all, &one, &both) || !both.n) {
                        import_remark(im, at,
                                      "what wants all these tags is not carried: they "
                                      "cannot be matched on at the same time",
                                      NULL);
                        return false;
                }
                all = both;
        }
        *ret = all;
        return true;
}

static bool is_settled(const struct tags *tags, const struct words *needs) {
        for (const struct word *word = needs->first; word; word = word->next) {
                const struct tag *tag = find(tags, word->s);

                if (strcmp(word->s, "known") != 0 && (!tag || !tag->matches.n))
                        return false;
        }
        return true;
}

/* tag-if may build upon tag-if; a circle stays unsettled. */
static void settle_ifs(struct import *im, struct tags *tags) {
        bool again = tags->ifs != NULL;

        for (int round = 0; again && round < ROUNDS_MAX; round++) {
                again = false;
                for (struct tag_if *i = tags->ifs; i && !im->failed; i = i->next) {
                        struct tag *tag = find(tags, i->name);
                        struct matches all, any;

                        if (!i->needs.n || !tag || !is_settled(tags, &i->needs))
                                continue;
                        if (tags_match(im, tags, &i->needs, i->at, &all) &&
                            matches_or(im, &tag->matches, &all, &any))
                                tag->matches = any;
                        tag->is_of_others = true;
                        i->needs = (struct words){ 0 };
                        again = true;
                }
        }
}

/* ---- values together ---- */

static bool is_same_set(const struct words *a, const struct words *b) {
        if (a->n != b->n)
                return false;
        for (const struct word *word = a->first; word; word = word->next)
                if (!words_have(b, word->s))
                        return false;
        return true;
}

static bool is_same(const struct tagged *a, const struct tagged *b) {
        return is_same_set(&a->needs, &b->needs) && is_same_set(&a->nots, &b->nots) &&
               (a->vendor == b->vendor ||
                (a->vendor && b->vendor && strcmp(a->vendor, b->vendor) == 0));
}

/* Values of the same tags join the last of them, which is where they count. */
static void gather(struct import *im, struct tags *tags) {
        for (struct tagged **at = &tags->values; *at && !im->failed;) {
                struct tagged *value = *at, *later = value->next;

                while (later && !is_same(value, later))
                        later = later->next;
                if (later) { /* in the order of the file; the last one wins */
                        struct scope both = value->scope;

                        scope_override(im, &both, &later->scope);
                        later->scope = both;
                        *at = value->next;
                } else {
                        at = &value->next;
                }
        }
}

/* encap:175 and vendor: are options in an option. */
static void enclose(struct import *im, struct scope *scope) {
        static const char prefix[] = "encap:";

        for (const struct option_value *o = scope->options; o && !im->failed;
             o = o->next) {
                struct text bytes = { 0 };
                bool is_forced = false;
                uint64_t code;

                if (!o->space || strncmp(o->space, prefix, 6) != 0 ||
                    !parse_decimal(o->space + 6, 254, &code) ||
                    scope_option(scope, NULL, (unsigned)code))
                        continue;
                for (const struct option_value *i = o; i; i = i->next)
                        if (i->space && strcmp(i->space, o->space) == 0 &&
                            i->bytes.n < 256) {
                                text_char(&bytes, (char)i->code);
                                text_char(&bytes, (char)i->bytes.n);
                                text_bytes(&bytes, i->bytes.data, i->bytes.n);
                                is_forced |= i->is_forced;
                        }
                scope_set_option(im, scope,
                                 &(struct option_value){
                                         .code = (unsigned)code,
                                         .is_forced = is_forced,
                                         .format = "O",
                                         .bytes = { (const uint8_t *)import_copy(
                                                            im, bytes.s, bytes.n),
                                                    bytes.n },
                                         .at = o->at });
                text_done(&bytes);
        }
}

static void drop_spaces(struct import *im, struct scope *scope) {
        struct scope plain = { 0 };

        enclose(im, scope);
        memcpy(plain.keys, scope->keys, sizeof(plain.keys));
        for (const struct option_value *o = scope->options; o && !im->failed;
             o = o->next)
                if (!o->space)
                        scope_set_option(im, &plain, o);
        *scope = plain;
}

/* ---- classes ---- */

static const char *class_name(struct import *im, const struct tagged *value) {
        const char *name = NULL;

        for (const struct word *word = value->needs.first; word; word = word->next)
                name = name ? import_join(im, name, "-", word->s, NULL) : word->s;
        if (value->vendor)
                name = name ? import_join(im, name, "-", value->vendor, NULL)
                            : value->vendor;
        return name ? name : "all";
}

static void emit(struct import *im, struct tags *tags, struct tagged *value,
                 const char *name) {
        struct matches whom, vendor = { 0 }, both;

        if (scope_is_empty(&value->scope) ||
            !tags_match(im, tags, &value->needs, value->at, &whom))
                return;
        if (value->vendor) {
                matches_add_word(im, &vendor, MATCH_VENDOR_CLASS,
                                 import_join(im, value->vendor, "*", NULL));
                if (!matches_and(im, &whom, &vendor, &both))
                        return;
                whom = both;
        }
        model_classes(im, name, &whom, &value->scope, value->at, NULL);
}

/* The subnets of a tag that only ranges set. */
static bool put_into_subnets(struct import *im, struct tags *tags,
                             const struct tagged *value) {
        const struct tag *tag =
                value->needs.n == 1 ? find(tags, value->needs.first->s) : NULL;
        const struct match *match = tag ? tag->matches.first : NULL;

        if (!tag || !tag->is_of_ranges || tag->is_of_others || value->nots.n ||
            value->vendor || !match)
                return false;
        for (struct subnet *s = im->model->subnets; s; s = s->next)
                for (const struct word *word = match->keys[MATCH_SUBNET].first; word;
                     word = word->next) {
                        ip4_t network;

                        if (ip4_parse_n(word->s, strcspn(word->s, "/"), &network) &&
                            network == s->network)
                                scope_override(im, &s->scope, &value->scope);
                }
        return true;
}

static bool sets_all(const struct scope *scope, const struct scope *wanted) {
        for (size_t i = 0; i < N_KEYS; i++)
                if (wanted->keys[i].is_set && !scope->keys[i].is_set)
                        return false;
        for (const struct option_value *o = wanted->options; o; o = o->next)
                if (!scope_option(scope, o->space, o->code))
                        return false;
        return true;
}

/* The same keys, as the global scope has them; file and server are one thing. */
static void copy_keys(struct import *im, struct scope *to, const struct scope *wanted,
                      const struct scope *from) {
        if (wanted->keys[KEY_FILENAME].is_set)
                for (size_t i = KEY_NEXT_SERVER; i <= KEY_SERVER_NAME; i++)
                        to->keys[i] = from->keys[i];
        for (size_t i = 0; i < N_KEYS; i++)
                if (wanted->keys[i].is_set)
                        to->keys[i] = from->keys[i];
        for (const struct option_value *o = wanted->options; o; o = o->next) {
                const struct option_value *base = scope_option(from, o->space, o->code);

                if (base)
                        scope_set_option(im, to, base);
        }
}

static bool has_own(const struct tags *tags, const char *name,
                    const struct scope *wanted) {
        for (const struct tagged *v = tags->values; v; v = v->next)
                if (v->needs.n == 1 && !v->nots.n && !v->vendor &&
                    strcmp(v->needs.first->s, name) == 0 && sets_all(&v->scope, wanted))
                        return true;
        return false;
}

/* Sees that clients of tag:!x are no worse off by the classes that come first. */
static void keep_out(struct import *im, struct tags *tags, const struct tagged *value,
                     const struct scope *base) {
        for (const struct word *word = value->nots.first; word; word = word->next) {
                struct tagged kept = { .at = value->at };

                if (has_own(tags, word->s, &value->scope))
                        continue;
                words_add(im, &kept.needs, word->s);
                copy_keys(im, &kept.scope, &value->scope, base);
                if (sets_all(&kept.scope, &value->scope))
                        emit(im, tags, &kept, word->s);
                else
                        import_remark(im, value->at, "tag:!", word->s,
                                      " is not carried: classes cannot say 'not', and "
                                      "nothing else is set for ",
                                      word->s, NULL);
        }
}

static void emit_backwards(struct import *im, struct tags *tags, bool with_nots) {
        for (size_t n = tags->n_values; n > 0 && !im->failed; n--) {
                struct tagged *value = tags->values;

                for (size_t i = 1; value && i < n; i++)
                        value = value->next;
                if (!value || (value->nots.n > 0) != with_nots ||
                    (!value->needs.n && !value->vendor) ||
                    put_into_subnets(im, tags, value))
                        continue;
                emit(im, tags, value, class_name(im, value));
        }
}

static void replace_boot(struct import *im, struct scope *to,
                         const struct scope *from) {
        if (from->keys[KEY_FILENAME].is_set)
                for (size_t i = KEY_NEXT_SERVER; i <= KEY_SERVER_NAME; i++)
                        to->keys[i] = (struct value){ 0 };
        scope_override(im, to, from);
}

/* A dhcp-boot without a server means dnsmasq itself. */
static void report_servers(struct import *im, const struct scope *base) {
        if (!base->keys[KEY_NEXT_SERVER].is_set)
                return;
        for (const struct class_entry *c = im->model->classes; c; c = c->next)
                if (c->scope.keys[KEY_FILENAME].is_set &&
                    !c->scope.keys[KEY_NEXT_SERVER].is_set)
                        import_remark(im, c->at, "the class ", c->name,
                                      " names no server and gets the one set for all: "
                                      "add next-server to it",
                                      NULL);
}

void tags_settle(struct import *im, struct tags *tags) {
        struct scope *global = &im->model->scope;
        struct scope base = { 0 };

        settle_ifs(im, tags);
        gather(im, tags);
        tags->n_values = 0;
        for (struct tagged *v = tags->values; v; v = v->next) {
                tags->n_values++;
                drop_spaces(im, &v->scope);
                if (!v->needs.n && !v->nots.n && !v->vendor)
                        scope_override(im, &base, &v->scope);
        }
        emit_backwards(im, tags, false);
        for (struct tagged *v = tags->values; v && !im->failed; v = v->next)
                if (v->nots.n)
                        keep_out(im, tags, v, &base);
        emit_backwards(im, tags, true);
        scope_override(im, global, &base);
        for (struct tagged *v = tags->values; v && !im->failed; v = v->next)
                if (v->nots.n && !v->needs.n && !v->vendor)
                        replace_boot(im, global, &v->scope);
        report_servers(im, global);
}
