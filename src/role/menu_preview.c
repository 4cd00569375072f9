/*
 * Two questions in a row: what boots with the loaders that are here; and when that is
 * nothing, what would with all of them, so that the lines can be read on a machine
 * where no loader is installed.
 */
#include "role/menu_preview.h"

/* By the numbers of the bits of medium_firmware; RFC 4578 2.1. */
static const uint16_t archs[MEDIUM_N_FIRMWARE] = { 0, 7, 6, 11 };

/* Locally administered, and nobody's. */
static const struct mac somebody = { { 0x02, 0, 0, 0, 0, 0x01 } };

uint32_t menu_chain_firmware(const struct medium *medium, uint32_t *ret_by_proxy) {
        uint32_t mask = 0, by_proxy = 0;

        for (unsigned i = 1; i < MEDIUM_N_FIRMWARE; i++) {
                const struct medium_loader *chain = &medium->loaders[i];

                if (!chain->shim[0] || chain->why_not[0])
                        continue;
                mask |= 1u << policy_arch(archs[i])->firmware;
                if (!chain->proxy_why_not[0])
                        by_proxy |= 1u << policy_arch(archs[i])->firmware;
        }
        *ret_by_proxy = by_proxy;
        return mask;
}

uint32_t menu_uki_firmware(const struct medium *medium, const char *name,
                           const char *boot) {
        uint32_t mask = 0;

        for (uint32_t i = 0; i < medium->n_entries; i++) {
                const struct medium_entry *entry = &medium->entries[i];

                if (entry->why_not[0] ||
                    (strcmp(entry->id, boot) != 0 && strcmp(name, boot) != 0))
                        continue;
                for (unsigned j = 1; j < MEDIUM_N_FIRMWARE; j++)
                        if (entry->boot == MEDIUM_LINUX && entry->n_initrd > 0 &&
                            entry->firmware & 1u << j)
                                mask |= 1u << policy_arch(archs[j])->firmware;
                break; /* by the medium's name it is its first */
        }
        return mask;
}

static void decide(const struct menu_preview_wish *wish, uint64_t loaders,
                   struct policy_decision *ret) {
        const struct conf *conf = wish->conf;
        const struct policy_facts facts = {
                .mac = somebody,
                .has_arch = true,
                .arch = archs[wish->firmware],
                .is_pxe = true,
                .is_proxy = conf->dhcp.mode == CONF_DHCP_PROXY,
                .server = wish->server,
                .loader = (uint8_t)conf->dhcp.scope.loader,
        };
        struct medium medium;
        char chain[POLICY_FILE_MAX];
        struct writer w = writer_of(chain, sizeof(chain));
        struct policy_machine machine = {
                .mac = somebody,
                .loader = (uint8_t)wish->pin,
                .secure_boot = wish->is_secure ? POLICY_SECURE_ON : POLICY_SECURE_OFF,
                .boot = wish->medium->name,
                .iso = "",
                .chain = chain,
        };
        const struct policy_rules rules = { .loaders = loaders,
                                            .http_port = conf->http.port,
                                            .https_port = conf->https.port,
                                            .machines = &machine,
                                            .n_machines = 1 };

        writer_text(&w, "secure/");
        writer_cstring(&w, wish->medium->name);
        media_index_medium(wish->medium->index, &medium);
        machine.chain_firmware = menu_chain_firmware(&medium, &machine.chain_by_proxy);
        if (w.failed)
                machine.chain_firmware = machine.chain_by_proxy = 0;
        policy_decide(&rules, &facts, ret);
}

static int build(const struct menu_preview_wish *wish, struct menu_preview *preview) {
        const struct policy_decision *d = &preview->decision;
        struct menu_wish menu = {
                .server = wish->server,
                .firmware = 1u << wish->firmware,
                .dialect = d->dialect,
                .by_http = menu_can_http(wish->conf, d->dialect,
                                         d->loader == POLICY_LPXELINUX),
                .is_secure = wish->is_secure,
                .media = wish->medium,
                .n_media = 1,
        };
        char chain[POLICY_FILE_MAX];

        menu_wish_configure(&menu, wish->conf);
        menu_chain_medium(d->file, chain);
        menu.chain = wish->is_secure && chain[0] ? chain : NULL;
        return menu_model_new(&menu, &preview->model);
}

int menu_preview_new(const struct menu_preview_wish *wish, struct menu_preview *ret) {
        struct menu_preview preview = { 0 };
        struct policy_decision with_all;
        int r = 0;

        decide(wish, wish->loaders, &preview.decision);
        if (preview.decision.verdict != POLICY_BOOT) {
                decide(wish, UINT64_MAX, &with_all);
                preview.is_missing = with_all.verdict == POLICY_BOOT;
                if (preview.is_missing)
                        preview.decision = with_all;
        }
        if (preview.decision.verdict == POLICY_BOOT)
                r = build(wish, &preview);
        if (r == 0)
                *ret = preview;
        return r;
}

void menu_preview_done(struct menu_preview *preview) {
        preview->model = menu_model_free(preview->model);
}

const struct menu_entry *menu_preview_entry(const struct menu_preview *preview,
                                            const char *id) {
        const struct menu *menu = preview->model ? &preview->model->menu : NULL;

        for (size_t i = 0; menu && i < menu->n_entries; i++)
                if (menu->entries[i].medium && strcmp(menu->entries[i].id, id) == 0)
                        return &menu->entries[i];
        return NULL;
}

bool menu_preview_lines(const struct menu_preview *preview,
                        const struct menu_entry *entry, struct text *out) {
        const struct menu *menu = &preview->model->menu;

        return render_start(menu, preview->decision.dialect,
                            (size_t)(entry - menu->entries), out);
}
