/*
 * What machines boot: dhcp-boot, and the menu of firmware (pxe-service, pxe-prompt).
 * dnsmasq shows no menu that would have one line, and has one for each kind of
 * firmware.
 */
#include "import/dnsmasq.h"

enum { SERVICES_MAX = 256 };

void dnsmasq_boot(struct dnsmasq *d, const struct line *line) {
        struct tagged *value = tags_value(d->im, &d->tags, line->at);
        size_t i = 0;
        ip4_t address;

        if (!value)
                return;
        while (i < line->n &&
               dnsmasq_take_tag(d, line, i, &value->needs, &value->nots, NULL))
                i++;
        if (i >= line->n || !line->items[i].n) {
                dnsmasq_refuse(d, line, i, "the name of a file");
                return;
        }
        value->scope.keys[KEY_FILENAME] =
                (struct value){ true, 0, line->items[i].s, line->at };
        if (i + 1 < line->n && line->items[i + 1].n)
                value->scope.keys[KEY_SERVER_NAME] =
                        (struct value){ true, 0, line->items[i + 1].s, line->at };
        if (i + 2 >= line->n || !line->items[i + 2].n)
                return;
        if (ip4_parse(line->items[i + 2].s, &address))
                value->scope.keys[KEY_NEXT_SERVER] =
                        (struct value){ true, address, NULL, line->at };
        else
                import_remark(d->im, line->at, "the TFTP server ", line->items[i + 2].s,
                              " is not carried: names are not looked up, write its "
                              "address",
                              NULL);
}

static bool read_csa(struct dnsmasq *d, const struct item *item, struct service *ret) {
        static const struct {
                const char *name, *words[2];
        } types[] = {
                { "x86PC", { "bios" } },      { "PC98", { "1" } },
                { "IA64_EFI", { "2" } },      { "Alpha", { "3" } },
                { "Arc_x86", { "4" } },       { "Intel_Lean_Client", { "5" } },
                { "IA32_EFI", { "ia32" } },   { "x86-64_EFI", { "x64", "9" } },
                { "Xscale_EFI", { "8" } },    { "BC_EFI", { "x64", "9" } },
                { "ARM32_EFI", { "arm32" } }, { "ARM64_EFI", { "arm64" } },
        };
        uint64_t number;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                if (strcmp(types[i].name, item->s) == 0)
                        for (size_t j = 0; j < 2 && types[i].words[j]; j++)
                                words_add(d->im, &ret->arch, types[i].words[j]);
        if (!ret->arch.n && parse_decimal(item->s, 65535, &number))
                words_add(d->im, &ret->arch, item->s);
        ret->csa = item->s;
        return ret->arch.n > 0;
}

static void read_service_file(struct dnsmasq *d, const struct line *line, size_t i,
                              struct service *service) {
        const char *s = i < line->n ? line->items[i].s : "";
        uint64_t type;

        if (!*s || parse_decimal(s, 65535, &type)) {
                service->has_type = true;
                service->type = *s ? (uint32_t)type : 0;
        } else {
                service->file = strchr(s, '.') ? s : import_join(d->im, s, ".0", NULL);
                if (strlen(service->file) > 127)
                        dnsmasq_refuse(d, line, i, "a shorter name of a file");
        }
        if (i + 1 < line->n && line->items[i + 1].n &&
            !ip4_parse(line->items[i + 1].s, &service->server))
                import_remark(d->im, line->at, "the server ", line->items[i + 1].s,
                              " is not carried: names are not looked up, write its "
                              "address",
                              NULL);
}

void dnsmasq_service(struct dnsmasq *d, const struct line *line) {
        struct service *service = import_take(d->im, sizeof(*service));
        struct words needs = { 0 }, nots = { 0 };
        size_t i = 0;

        if (!service)
                return;
        while (i < line->n && dnsmasq_take_tag(d, line, i, &needs, &nots, NULL))
                i++;
        if (i >= line->n || !read_csa(d, &line->items[i], service)) {
                dnsmasq_refuse(d, line, i,
                               "a kind of firmware such as x86PC or x86-64_EFI");
                return;
        }
        if (i + 1 >= line->n) {
                dnsmasq_refuse(d, line, line->n, "the text of the menu");
                return;
        }
        if (++d->n_services > SERVICES_MAX)
                dnsmasq_refuse(d, line, line->n, "fewer entries");
        if (needs.n || nots.n)
                import_remark(d->im, line->at,
                              "that this entry is only for some tags is not carried",
                              NULL);
        service->at = line->at;
        service->title = line->items[i + 1].s;
        read_service_file(d, line, i + 2, service);
        *d->services_end = service;
        d->services_end = &service->next;
}

void dnsmasq_prompt(struct dnsmasq *d, const struct line *line) {
        struct words needs = { 0 }, nots = { 0 };
        size_t i = 0;

        while (i < line->n && dnsmasq_take_tag(d, line, i, &needs, &nots, NULL))
                i++;
        if (i >= line->n) {
                dnsmasq_refuse(d, line, i, "a text");
                return;
        }
        d->im->model->prompt = line->items[i].s;
        d->im->model->prompt_seconds = UINT32_MAX;
        if (i + 1 < line->n &&
            !dnsmasq_parse_time(line->items[i + 1].s, &d->im->model->prompt_seconds))
                dnsmasq_refuse(d, line, i + 1, "a number of seconds");
}

static bool is_one_each(const struct dnsmasq *d) {
        for (const struct service *a = d->services; a; a = a->next)
                for (const struct service *b = a->next; b; b = b->next)
                        if (strcmp(a->csa, b->csa) == 0)
                                return false;
        return true;
}

/* dnsmasq shows no menu where it would have one line: the firmware boots that. */
static void services_to_classes(struct dnsmasq *d) {
        for (const struct service *s = d->services; s && !d->im->failed; s = s->next) {
                struct matches whom = { 0 };
                struct match *match = matches_add(d->im, &whom);
                struct scope scope = { 0 };

                if (!match || !s->file) {
                        import_remark(
                                d->im, s->at,
                                "this entry is not carried: it is the only one for "
                                "its firmware and has no file",
                                NULL);
                        continue;
                }
                match->keys[MATCH_ARCH] = s->arch;
                scope.keys[KEY_FILENAME] = (struct value){ true, 0, s->file, s->at };
                if (s->server)
                        scope.keys[KEY_NEXT_SERVER] =
                                (struct value){ true, s->server, NULL, s->at };
                model_classes(d->im, s->csa, &whom, &scope, s->at, NULL);
        }
}

static void services_to_menu(struct dnsmasq *d) {
        struct model *model = d->im->model;

        for (const struct service *s = d->services; s && !d->im->failed; s = s->next) {
                struct menu_item *item;

                if (strcmp(s->csa, d->services->csa) != 0) {
                        import_remark(
                                d->im, s->at, "this entry for ", s->csa,
                                " is not carried: the menu is one for all "
                                "firmware, and without 'file' Bootjack finds what "
                                "each needs",
                                NULL);
                        continue;
                }
                item = import_take(d->im, sizeof(*item));
                if (!item)
                        return;
                item->title = s->title;
                item->file = s->file;
                item->server = s->server;
                item->type = s->type;
                item->has_type = s->has_type;
                *model->menu_end = item;
                model->menu_end = &item->next;
        }
}

void dnsmasq_settle_menu(struct dnsmasq *d) {
        if (d->services && !d->im->model->prompt && is_one_each(d))
                services_to_classes(d);
        else if (d->services)
                services_to_menu(d);
}
