/*
 * What is known of single machines, from three sources: the configuration (machines:),
 * what they say themselves, and what was remembered of both in the store.
 *
 * `once` is over when the machine has the last file of its entry, the initrd or else
 * the kernel: from then on the installer is its own master, and whoever installs does
 * not want to find the installer again at the next start.
 */
#include <stdlib.h>

#include "policy/menu_path.h"
#include "role/core.h"

enum { KNOWN_MAX = 4096, KEY_MAX = 32 };

static const char memory_key[] = "memory ", booted_key[] = "booted ";

static struct core_known *find(const struct core *core, struct mac mac) {
        for (size_t i = 0; i < core->n_known; i++)
                if (mac_is_equal(core->known[i].mac, mac))
                        return &core->known[i];
        return NULL;
}

/* MACs cost nothing to invent: when there are too many, nothing new is learned. */
static struct core_known *get(struct core *core, struct mac mac) {
        struct core_known *known = find(core, mac), *grown;

        if (known || mac_is_zero(mac) || core->n_known == KNOWN_MAX)
                return known;
        grown = realloc(core->known, (core->n_known + 1) * sizeof(*grown));
        if (!grown)
                return NULL;
        core->known = grown;
        grown[core->n_known] = (struct core_known){ .mac = mac };
        return &grown[core->n_known++];
}

static void remember(struct core *core, const char *what, struct mac mac,
                     const char *value) {
        char key[KEY_MAX] = "", text[MAC_TEXT_MAX];

        strncat(key, what, sizeof(key) - 1);
        strncat(key, mac_format(mac, text), sizeof(key) - 1 - strlen(key));
        (void)!store_put_note(core->store, key, value);
}

static bool parse_key(const char *key, const char *what, struct mac *ret) {
        size_t n = strlen(what);

        return strncmp(key, what, n) == 0 && mac_parse(key + n, ret);
}

static void set_booted(struct core_known *known, const char *entry) {
        memset(known->booted, 0, sizeof(known->booted));
        strncat(known->booted, entry, sizeof(known->booted) - 1);
}

bool core_machines_load(struct core *core, const char *key, const char *value) {
        struct core_known *known = NULL;
        struct mac mac;

        if (parse_key(key, memory_key, &mac)) {
                known = get(core, mac);
                if (known)
                        known->memory = strtoull(value, NULL, 10);
        } else if (parse_key(key, booted_key, &mac)) {
                known = get(core, mac);
                if (known)
                        set_booted(known, value);
        } else {
                return false;
        }
        return true;
}

/* ---- rows of the configuration ---- */

static bool is_about(const struct conf_machine *row, const struct policy_facts *facts) {
        if (row->has_uuid && facts->has_uuid &&
            memcmp(row->uuid.b, facts->uuid.b, sizeof(row->uuid.b)) == 0)
                return true;
        return !mac_is_zero(row->mac) && mac_is_equal(row->mac, facts->mac);
}

static uint64_t configured_memory(const struct conf *conf,
                                  const struct policy_facts *facts) {
        for (size_t i = 0; i < conf->n_machines; i++)
                if (is_about(&conf->machines[i], facts) && conf->machines[i].memory > 0)
                        return conf->machines[i].memory;
        return 0;
}

bool core_machines_is_done(const struct core *core, struct mac mac, const char *boot) {
        const struct core_known *known = find(core, mac);

        return known && strcmp(known->booted, boot) == 0;
}

bool core_machines_is_over(const struct core *core, const struct conf_machine *row,
                           struct mac mac) {
        return row->once && core_machines_is_done(core, mac, row->boot);
}

/* ---- memory ---- */

uint64_t core_machines_memory(const struct core *core, const struct machine *machine) {
        const struct core_known *known;
        uint64_t memory;

        if (!machine)
                return 0;
        memory = configured_memory(core->role->conf, &machine->facts);
        if (memory > 0)
                return memory;
        if (machine->memory > 0)
                return machine->memory;
        known = find(core, machine->facts.mac);
        return known ? known->memory : 0;
}

void core_machines_told(struct core *core, struct machine *machine, uint64_t memory) {
        struct core_known *known = get(core, machine->facts.mac);
        struct text value = { 0 };

        machine->memory = memory;
        if (memory == 0 || !known || known->memory == memory)
                return;
        known->memory = memory;
        text_u64(&value, memory);
        if (!value.failed)
                remember(core, memory_key, known->mac, text_string(&value));
        text_done(&value);
}

/* ---- once ---- */

/* The last file of an entry that its loader fetches. */
static bool is_last_file(const struct core_medium *at, const struct medium_entry *entry,
                         const char *path) {
        const char *last = entry->n_initrd > 0 ? entry->initrd[entry->n_initrd - 1]
                                               : entry->kernel;
        struct text full = { 0 };
        bool is;

        if (last[0] == '/') {
                const struct menu none = { 0 };

                menu_fill(last + strspn(last, "/"), at->name, &none, &full);
        } else {
                text_add(&full, "media/");
                text_add(&full, at->name);
                text_char(&full, '/');
                text_add(&full, last);
        }
        is = !full.failed && strcmp(text_string(&full), path) == 0;
        text_done(&full);
        return is;
}

static bool is_end_of_loading(const struct core *core, const char *id,
                              const char *path) {
        for (size_t i = 0; i < core->n_media; i++) {
                struct medium medium;

                media_index_medium(&core->media[i].index, &medium);
                for (uint32_t j = 0; j < medium.n_entries; j++)
                        /* By the medium's name, too, as menu_find() has it. */
                        if ((strcmp(medium.entries[j].id, id) == 0 ||
                             strcmp(core->media[i].name, id) == 0) &&
                            is_last_file(&core->media[i], &medium.entries[j], path))
                                return true;
        }
        return false;
}

/* Kernel and initrd in one. */
static bool is_own_program(struct mac mac, const char *path) {
        struct menu_path asked;

        return menu_path_parse(path, &asked) && asked.page == MENU_PAGE_UKI &&
               mac_is_equal(asked.mac, mac);
}

void core_machines_fetched(struct core *core, const struct event *event) {
        struct machine *machine = machines_by_mac(core->machines, event->mac);
        const struct conf_machine *row =
                machine ? core_menu_assigned(core, machine) : NULL;
        struct event done = { .kind = EVENT_BOOTED_ONCE, .mac = event->mac };
        struct core_known *known;

        if (!row || !row->once || core_machines_is_over(core, row, event->mac) ||
            !(is_end_of_loading(core, row->boot, event->values[1].text) ||
              is_own_program(event->mac, event->values[1].text)))
                return;
        known = get(core, event->mac);
        if (!known)
                return;
        set_booted(known, row->boot);
        remember(core, booted_key, event->mac, known->booted);
        done.values[0] = (struct event_value)EVENT_TEXT(known->booted);
        core_event(core, &done);
        core_rules_media(core);
}

static bool holds_once(const struct conf *conf, const char *entry) {
        for (size_t i = 0; i < conf->n_machines; i++)
                if (conf->machines[i].once &&
                    strcmp(conf->machines[i].boot, entry) == 0)
                        return true;
        return false;
}

static bool has_row(const struct conf *conf, const struct core_known *known) {
        for (size_t i = 0; i < conf->n_machines; i++)
                if (mac_is_equal(conf->machines[i].mac, known->mac))
                        return conf->machines[i].once &&
                               strcmp(conf->machines[i].boot, known->booted) == 0;
        return holds_once(conf, known->booted); /* by its UUID, or for a class */
}

void core_machines_reconfigured(struct core *core) {
        for (size_t i = 0; i < core->n_known; i++) {
                struct core_known *known = &core->known[i];

                if (known->booted[0] == '\0' || has_row(core->role->conf, known))
                        continue;
                set_booted(known, "");
                remember(core, booted_key, known->mac, "");
        }
}
