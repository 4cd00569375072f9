/*
 * What is generated for a client: the menu, in the language of the loader that asks.
 * Who asks is known by the address the request came from, and that by DHCP; a client
 * whose DHCP was not ours gets a menu for the firmware that its loader is made for.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "render/render.h"
#include "role/core.h"

/* ---- the catalog ---- */

static void forget(struct core *core, size_t i) {
        munmap(core->media[i].mapping, core->media[i].n_mapping);
        memmove(&core->media[i], &core->media[i + 1],
                (core->n_media - i - 1) * sizeof(core->media[0]));
        core->n_media--;
}

void core_media_remove(struct core *core, uint64_t id) {
        for (size_t i = 0; i < core->n_media; i++)
                if (core->media[i].id == id) {
                        forget(core, i);
                        core_rules_media(core);
                        return;
                }
}

/* By name, so that menus do not depend on the order in which media were found. */
static void insert(struct core *core, const struct core_medium *medium) {
        size_t at = 0;

        while (at < core->n_media && strcmp(core->media[at].name, medium->name) < 0)
                at++;
        memmove(&core->media[at + 1], &core->media[at],
                (core->n_media - at) * sizeof(core->media[0]));
        core->media[at] = *medium;
        core->n_media++;
}

/* An entry of the menu gets the rest of its medium by NFS and by nothing else. */
static bool needs_nfs(const struct core_medium *medium) {
        struct medium m;
        bool needs = false;

        media_index_medium(&medium->index, &m);
        for (uint32_t i = 0; i < m.n_entries; i++)
                needs |= m.entries[i].why_not[0] == '\0' &&
                         m.entries[i].transports == MEDIUM_NFS;
        return needs;
}

static void need_nfs(struct core *core) {
        const struct ipc_need need = { .door = IPC_DOOR_NFS };

        core->nfs_is_needed = true;
        (void)ipc_send(core->role->parent, IPC_NEED, &need, NULL, 0, NULL, 0);
}

void core_media_add(struct core *core, const struct ipc_message *message) {
        const struct ipc_medium *from = message->body;
        struct core_medium medium = { .id = from->id };
        struct stat st;

        if (message->n_fds < 1 || fstat(message->fds[0], &st) < 0 || st.st_size <= 0)
                return;
        memcpy(medium.name, from->name, sizeof(medium.name));
        medium.name[sizeof(medium.name) - 1] = '\0';
        for (size_t i = 0; i < core->n_media; i++)
                if (core->media[i].id == medium.id ||
                    strcmp(core->media[i].name, medium.name) == 0)
                        forget(core, i--);
        if (core->n_media == CORE_MEDIA_MAX)
                return;
        medium.n_mapping = (size_t)st.st_size;
        medium.mapping =
                mmap(NULL, medium.n_mapping, PROT_READ, MAP_SHARED, message->fds[0], 0);
        if (medium.mapping == MAP_FAILED)
                return;
        if (media_index_open(medium.mapping, medium.n_mapping, &medium.index) != 0) {
                munmap(medium.mapping, medium.n_mapping);
                return;
        }
        insert(core, &medium);
        core_rules_media(core);
        if (needs_nfs(&medium))
                need_nfs(core);
}

/* ---- the model ---- */

static struct text *new_text(struct core_menu *m) {
        assert(m->n_texts < ARRAY_SIZE(m->texts));
        return &m->texts[m->n_texts++];
}

static const char *tree_path(struct core_menu *m, const char *medium,
                             const char *path) {
        struct text *text = new_text(m);

        text_add(text, "media/");
        text_add(text, medium);
        text_char(text, '/');
        text_add(text, path);
        return text_string(text);
}

static void add_entry(struct core_menu *m, const char *medium,
                      const struct medium_entry *from) {
        struct menu_entry *entry = &m->menu.entries[m->menu.n_entries];
        struct text *args;

        /* A text for the kernel, one for the arguments, one for each initrd. */
        if (m->menu.n_entries == MENU_ENTRIES_MAX ||
            m->n_texts + 2 + from->n_initrd > ARRAY_SIZE(m->texts))
                return;
        *entry =
                (struct menu_entry){ .kind = from->n_initrd ? MENU_LINUX : MENU_PROGRAM,
                                     .id = from->id,
                                     .title = from->title };
        entry->kernel = tree_path(m, medium, from->kernel);
        for (uint32_t i = 0; i < from->n_initrd; i++)
                entry->initrd[entry->n_initrd++] =
                        tree_path(m, medium, from->initrd[i]);
        args = new_text(m);
        /* A program such as memtest86+ finds its console by itself. */
        menu_args(from->args, medium, &m->menu, args);
        entry->args = text_string(args);
        m->menu.n_entries++;
}

static void add_media(struct core *core, struct core_menu *m, unsigned firmware) {
        for (size_t i = 0; i < core->n_media; i++) {
                struct medium medium;

                media_index_medium(&core->media[i].index, &medium);
                for (uint32_t j = 0; j < medium.n_entries; j++)
                        if (medium.entries[j].why_not[0] == '\0' &&
                            medium.entries[j].firmware & firmware)
                                add_entry(m, core->media[i].name, &medium.entries[j]);
        }
}

static bool is_machine(const struct conf_machine *m, const struct policy_facts *facts) {
        if (m->has_uuid && facts->has_uuid &&
            memcmp(m->uuid.b, facts->uuid.b, sizeof(m->uuid.b)) == 0)
                return true;
        return !mac_is_zero(m->mac) && mac_is_equal(m->mac, facts->mac);
}

static const char *assigned(const struct conf *conf, const struct machine *machine) {
        for (size_t i = 0; machine && i < conf->n_machines; i++)
                if (is_machine(&conf->machines[i], &machine->facts) &&
                    conf->machines[i].boot[0])
                        return conf->machines[i].boot;
        return conf->menu.initial;
}

int core_menu_new(struct core *core, const struct machine *machine, ip4_t server,
                  unsigned firmware, struct core_menu **ret) {
        const struct conf *conf = core->role->conf;
        struct core_menu *m = calloc(1, sizeof(*m));
        struct menu *menu;

        if (!m)
                return -ENOMEM;
        menu = &m->menu;
        menu->title = conf->menu.title;
        menu->timeout = conf->menu.timeout == NSEC_NEVER ? 0 : conf->menu.timeout;
        menu->server = server;
        menu->http_port = conf->http.port;
        menu->serial.is_on = menu_serial_parse(conf->menu.serial, &menu->serial.unit,
                                               &menu->serial.speed);
        menu->entries[menu->n_entries++] = (struct menu_entry){
                .kind = MENU_LOCAL,
                .id = "local",
                .title = "Boot from the local disk",
                .kernel = "",
                .args = "",
        };
        add_media(core, m, firmware);
        menu->initial = menu_find(menu, assigned(conf, machine));
        if (menu->initial == menu->n_entries)
                menu->initial = 0; /* that medium is not here now: the disk is safe */
        *ret = m;
        return 0;
}

struct core_menu *core_menu_free(struct core_menu *m) {
        for (size_t i = 0; m && i < m->n_texts; i++)
                text_done(&m->texts[i]);
        free(m);
        return NULL;
}

/* ---- requests ---- */

static bool is_hex(const char *s, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!(s[i] >= '0' && s[i] <= '9') &&
                    !((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f'))
                        return false;
        return n > 0;
}

/* The names that pxelinux asks for, in its order: the UUID, ARP type and MAC, the
 * address in hexadecimal and shorter and shorter, default. */
static bool is_pxelinux_name(const char *name) {
        size_t n = strlen(name);
        struct mac mac;

        return strcmp(name, "default") == 0 ||
               (n == 36 && is_hex(name, 8) && name[8] == '-' &&
                is_hex(name + 24, 12)) ||
               (n == 20 && strncmp(name, "01-", 3) == 0 && mac_parse(name + 3, &mac)) ||
               (n <= 8 && is_hex(name, n));
}

/* syslinux.efi asks as pxelinux does, below the folder that it came from. */
static bool is_syslinux_efi(const char *path) {
        return strncmp(path, "efi64/", 6) == 0 || strncmp(path, "efi32/", 6) == 0;
}

static enum policy_dialect dialect_of(const char *path) {
        static const char prefix[] = "pxelinux.cfg/";

        if (is_syslinux_efi(path))
                path += sizeof("efi64/") - 1;
        if (strncmp(path, prefix, sizeof(prefix) - 1) == 0)
                return is_pxelinux_name(path + sizeof(prefix) - 1)
                               ? POLICY_DIALECT_PXELINUX
                               : POLICY_NO_DIALECT;
        if (strcmp(path, "grub/grub.cfg") == 0)
                return POLICY_DIALECT_GRUB;
        return strcmp(path, "boot.ipxe") == 0 ? POLICY_DIALECT_IPXE : POLICY_NO_DIALECT;
}

unsigned core_menu_firmware(enum policy_firmware firmware) {
        switch (firmware) {
        case POLICY_BIOS:
                return MENU_BIOS;
        case POLICY_UEFI_X64:
                return MENU_UEFI_X64;
        case POLICY_UEFI_IA32:
                return MENU_UEFI_IA32;
        case POLICY_UEFI_ARM64:
                return MENU_UEFI_ARM64;
        default:
                return 0;
        }
}

/* pxelinux runs on BIOS only, whatever DHCP said of the machine (two systems may share
 * an address), but U-Boot reads the same; of the others the machine knows best. */
static unsigned firmware_of(const struct machine *machine, enum policy_dialect dialect,
                            const char *path) {
        unsigned mask = 0;

        if (is_syslinux_efi(path))
                return path[3] == '6' ? MENU_UEFI_X64 : MENU_UEFI_IA32;
        if (dialect == POLICY_DIALECT_PXELINUX &&
            !(machine && machine->has_facts && machine->facts.is_uboot))
                return MENU_BIOS;
        if (machine && machine->has_facts)
                mask = core_menu_firmware(policy_facts_arch(&machine->facts)->firmware);
        if (dialect == POLICY_DIALECT_GRUB && (mask == 0 || mask == MENU_BIOS))
                return MENU_UEFI_X64;
        return mask ? mask : MENU_ANY;
}

static void say_rendered(struct core *core, const char *path, const struct menu *menu,
                         ip4_t client, enum policy_dialect dialect) {
        struct event event = { .kind = EVENT_MENU_RENDERED, .address = client };

        event.values[0] = (struct event_value)EVENT_TEXT(path);
        event.values[1] = (struct event_value)EVENT_U64(menu->n_entries);
        event.values[2] = (struct event_value)EVENT_TEXT(policy_dialect_name(dialect));
        core_event(core, &event);
}

static int render(struct core *core, const char *path, enum policy_dialect dialect,
                  ip4_t client, ip4_t server, struct text *out) {
        struct machine *machine =
                machines_fetched(core->machines, client, loop_realtime());
        struct core_menu *m = NULL;
        int r = core_menu_new(core, machine, server,
                              firmware_of(machine, dialect, path), &m);

        if (r < 0)
                return r;
        if (dialect == POLICY_DIALECT_PXELINUX)
                render_pxelinux(&m->menu, out);
        else if (dialect == POLICY_DIALECT_GRUB && machine &&
                 machine->dialect == POLICY_DIALECT_IPXE)
                render_grub_local(&m->menu, out);
        else if (dialect == POLICY_DIALECT_GRUB)
                render_grub(&m->menu, out);
        else
                render_ipxe(&m->menu, out);
        if (machine)
                machine->dialect = dialect;
        say_rendered(core, path, &m->menu, client, dialect);
        core->n_menus++;
        core_menu_free(m);
        return out->failed ? -ENOMEM : 0;
}

static int to_memfd(const struct text *text) {
        int fd = memfd_create("generated", MFD_CLOEXEC);

        if (fd >= 0 && write(fd, text->s, text->n) != (ssize_t)text->n) {
                close(fd);
                return -EIO;
        }
        return fd < 0 ? -errno : fd;
}

void core_generate(struct core *core, struct ipc_channel *channel,
                   const struct ipc_message *message) {
        const struct ipc_generate *request = message->body;
        struct ipc_generated answer = { .ticket = request->ticket };
        struct text path = { 0 }, out = { 0 };
        enum policy_dialect dialect;
        int fd = -1;

        text_bytes(&path, message->tail, message->n_tail);
        dialect = dialect_of(text_string(&path));
        if (dialect != POLICY_NO_DIALECT &&
            render(core, text_string(&path), dialect, request->client, request->server,
                   &out) == 0)
                fd = to_memfd(&out);
        answer.found = fd >= 0;
        (void)ipc_send(channel, IPC_GENERATED, &answer, NULL, 0, &fd, fd >= 0);
        if (fd >= 0)
                close(fd);
        text_done(&path);
        text_done(&out);
}
