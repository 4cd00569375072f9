/*
 * What the boot decision is told of this server: which loaders are there, and what the
 * configuration and the media say of single machines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "role/core.h"
#include "role/loader_places.h"
#include "role/menu_preview.h"

bool core_rules_has_file(const struct core *core, const char *name) {
        const struct loader_places places =
                loader_places_of(core->role->conf, core->role);

        return loader_places_has(&places, name);
}

/* ---- machines ---- */

static bool has_entry(const struct core_medium *medium, const char *boot) {
        struct medium m;
        bool has = strcmp(medium->name, boot) == 0;

        media_index_medium(&medium->index, &m);
        for (uint32_t i = 0; i < m.n_entries; i++)
                has |= strcmp(m.entries[i].id, boot) == 0;
        return has;
}

/* What is assigned to a machine is an entry's id, or a medium's name. */
static const struct core_medium *medium_of(const struct core *core, const char *boot) {
        for (size_t i = 0; boot[0] && i < core->n_media; i++)
                if (has_entry(&core->media[i], boot))
                        return &core->media[i];
        return NULL;
}

/* The paths belong to `texts`; a machine points to its own or to "". */
static void set_image(const struct core *core, struct policy_machine *machine,
                      char text[static CORE_IMAGE_PATH_MAX],
                      char chain[static CORE_IMAGE_PATH_MAX]) {
        const struct core_medium *medium = medium_of(core, machine->boot);
        struct medium m;

        text[0] = chain[0] = '\0';
        machine->iso = text;
        machine->chain = chain;
        machine->chain_firmware = machine->chain_by_proxy = machine->uki_firmware = 0;
        if (!medium)
                return;
        media_index_medium(&medium->index, &m);
        if (m.kind == MEDIUM_ISO)
                snprintf(text, CORE_IMAGE_PATH_MAX, "iso/%s.iso", medium->name);
        machine->chain_firmware = menu_chain_firmware(&m, &machine->chain_by_proxy);
        if (!core_machines_is_done(core, machine->mac, machine->boot))
                machine->uki_firmware =
                        menu_uki_firmware(&m, medium->name, machine->boot);
        if (machine->chain_firmware)
                snprintf(chain, CORE_IMAGE_PATH_MAX, "secure/%s", medium->name);
}

void core_rules_media(struct core *core) {
        for (size_t i = 0; i < core->machine_rules.n; i++)
                set_image(core, &core->machine_rules.items[i],
                          core->machine_rules.images[i], core->machine_rules.chains[i]);
}

static int by_mac(const void *a, const void *b) {
        const struct policy_machine *x = a, *y = b;

        return memcmp(x->mac.b, y->mac.b, sizeof(x->mac.b));
}

static void add_machine(struct core_machine_rules *rules,
                        const struct conf_machine *from, bool by_uuid) {
        rules->items[rules->n++] = (struct policy_machine){
                .mac = by_uuid ? (struct mac){ { 0 } } : from->mac,
                .has_uuid = by_uuid,
                .uuid = from->uuid,
                .loader = from->loader,
                .secure_boot = from->secure_boot,
                .boot = from->boot,
                .waits = from->timeout == 0,
        };
}

/* Who has both a MAC and a UUID is known by either. */
static int find_machines(const struct conf *conf, struct core_machine_rules *ret) {
        size_t room = conf->n_machines * 2;
        struct core_machine_rules rules = {
                .items = calloc(room + 1, sizeof(*rules.items)),
                .images = calloc(room + 1, sizeof(*rules.images)),
                .chains = calloc(room + 1, sizeof(*rules.chains)),
        };

        if (!rules.items || !rules.images || !rules.chains) {
                core_machine_rules_done(&rules);
                return -ENOMEM;
        }
        for (size_t i = 0; i < conf->n_machines; i++) {
                const struct conf_machine *machine = &conf->machines[i];

                if (!mac_is_zero(machine->mac))
                        add_machine(&rules, machine, false);
                if (machine->has_uuid)
                        add_machine(&rules, machine, true);
        }
        qsort(rules.items, rules.n, sizeof(*rules.items), by_mac);
        *ret = rules;
        return 0;
}

void core_machine_rules_done(struct core_machine_rules *rules) {
        free(rules->items);
        free(rules->images);
        free(rules->chains);
        *rules = (struct core_machine_rules){ 0 };
}

int core_rules_build(struct core *core, struct core_machine_rules *ret_before) {
        const struct conf *conf = core->role->conf;
        const struct loader_places places = loader_places_of(conf, core->role);
        struct core_machine_rules machines;
        int r = find_machines(conf, &machines);

        if (r < 0)
                return r;
        *ret_before = core->machine_rules;
        core->machine_rules = machines;
        core_rules_media(core);
        core->rules = (struct policy_rules){ .loaders = loader_places_mask(&places),
                                             .http_port = conf->http.port,
                                             .https_port = conf->https.port,
                                             .secure_boot = conf->secure_boot,
                                             .machines = machines.items,
                                             .n_machines = machines.n };
        return 0;
}
