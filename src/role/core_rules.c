/*
 * What the boot decision is told of this server: which loaders are there, and what the
 * configuration and the media say of single machines. Loaders are looked at by name
 * only; the files workers open them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "policy/loader.h"
#include "role/core.h"

static bool is_in(const struct core *core, const char *folder, const char *name) {
        char path[PATH_MAX_BYTES];
        struct writer w = writer_of(path, sizeof(path));

        if (folder[0] == '\0')
                return false;
        writer_text(&w, role_path(core->role, folder));
        writer_u8(&w, '/');
        writer_cstring(&w, name);
        return !w.failed && access(path, F_OK) == 0;
}

/* The folder of the administrator's that has it, root before the others; NULL. */
static const char *own_folder_with(const struct core *core, const char *name) {
        const struct conf *conf = core->role->conf;

        if (is_in(core, conf->root, name))
                return conf->root;
        for (size_t i = 0; i < conf->loaders.n; i++)
                if (is_in(core, conf->loaders.items[i], name))
                        return conf->loaders.items[i];
        return NULL;
}

static const struct policy_file *package_with(const char *name) {
        for (size_t i = 0; i < policy_n_files; i++)
                if (strcmp(policy_files[i].name, name) == 0 &&
                    access(policy_files[i].host_path, F_OK) == 0)
                        return &policy_files[i];
        return NULL;
}

/*
 * A chain is signed when both of its links are: shim and the GRUB that it will fetch
 * from beside it. In the administrator's own folders who puts a shim beside a GRUB
 * knows what for; a GRUB of the administrator's under a shim of ours is no chain.
 */
static bool is_chain(const struct core *core, const char *shim, const char *grub) {
        const char *of_shim = own_folder_with(core, shim);
        const char *of_grub = own_folder_with(core, grub);
        const struct policy_file *package;

        if (of_shim || of_grub)
                return of_shim == of_grub;
        package = package_with(grub);
        return package_with(shim) && package && package->is_signed;
}

static bool is_there(const struct core *core, enum policy_loader loader) {
        const struct policy_loader_info *info = policy_loader_info(loader);

        if (info->kind == POLICY_KIND_SHIM)
                return is_chain(core, info->file,
                                policy_loader_file(policy_loader_of(POLICY_KIND_GRUB,
                                                                    info->firmware)));
        return own_folder_with(core, info->file) || package_with(info->file);
}

bool core_rules_has_file(const struct core *core, const char *name) {
        return own_folder_with(core, name) || package_with(name);
}

static uint64_t find_loaders(const struct core *core) {
        uint64_t mask = 0;

        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++)
                if (is_there(core, (enum policy_loader)i))
                        mask |= POLICY_BIT(i);
        return mask;
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

/* The firmware for which the medium's own chain boots by network. */
static uint32_t chain_firmware(const struct medium *m) {
        static const enum policy_firmware firmware[MEDIUM_N_FIRMWARE] = {
                POLICY_BIOS, POLICY_UEFI_X64, POLICY_UEFI_IA32, POLICY_UEFI_ARM64
        };
        uint32_t mask = 0;

        for (unsigned i = 1; i < MEDIUM_N_FIRMWARE; i++)
                if (m->loaders[i].shim[0] && !m->loaders[i].why_not[0])
                        mask |= 1u << firmware[i];
        return mask;
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
        machine->chain_firmware = 0;
        if (!medium)
                return;
        media_index_medium(&medium->index, &m);
        if (m.kind == MEDIUM_ISO)
                snprintf(text, CORE_IMAGE_PATH_MAX, "iso/%s.iso", medium->name);
        machine->chain_firmware = chain_firmware(&m);
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
        struct core_machine_rules machines;
        int r = find_machines(conf, &machines);

        if (r < 0)
                return r;
        *ret_before = core->machine_rules;
        core->machine_rules = machines;
        core_rules_media(core);
        core->rules = (struct policy_rules){ .loaders = find_loaders(core),
                                             .http_port = conf->http.port,
                                             .https_port = conf->https.port,
                                             .secure_boot = conf->secure_boot,
                                             .machines = machines.items,
                                             .n_machines = machines.n };
        return 0;
}
