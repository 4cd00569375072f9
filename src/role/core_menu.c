/*
 * What is generated for a client: the menu, in the language of the loader that asks.
 * Who asks is known by the address the request came from, and that by DHCP; a client
 * whose DHCP was not ours gets a menu for the firmware that its loader is made for.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/menu_path.h"
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
        struct medium what;
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
        media_index_medium(&medium.index, &what);
        medium.system = what.system;
        medium.version = what.version;
        insert(core, &medium);
        core_rules_media(core);
        if (needs_nfs(&medium))
                need_nfs(core);
}

/* ---- the model ---- */

static const char *served(const struct core *core, const char *name) {
        return core_rules_has_file(core, name) ? name : NULL;
}

/* Tens of milliseconds, and only when it is another password than before. */
static void configure_password(struct core *core) {
        const struct conf_texts *written = &core->role->conf->menu.password;
        uint8_t salt[PASSWORD_SALT] = { 0 };

        if (getrandom(salt, sizeof(salt), 0) != sizeof(salt))
                memcpy(salt, &(nsec_t){ loop_realtime() }, sizeof(nsec_t));
        password_make((const char *const *)written->items, written->n, salt,
                      &core->password);
}

void core_menu_configure(struct core *core) {
        configure_password(core);
        core->tools.memory_test = served(core, "memtest86+x64.bin");
        core->tools.ipxe = served(core, "ipxe.lkrn");
        core->tools.has_grub = served(core, "grubx64.efi") != NULL;
}

static void say_avoided(struct core *core, const struct machine *machine) {
        struct event event = { .kind = EVENT_HTTP_AVOIDED,
                               .mac = machine->facts.mac,
                               .address = machine->address };

        core_event(core, &event);
}

void core_menu_fetched(struct core *core, struct machine *machine,
                       const struct event *event) {
        const char *door = event->values[0].text, *path = event->values[1].text;
        bool is_http = strncmp(door, "http", 4) == 0;

        if (!machine)
                return;
        if (strcmp(path, "lpxelinux.0") == 0 || strcmp(path, "pxelinux.0") == 0)
                machine->is_lpxelinux = path[0] == 'l';
        if ((is_http || strcmp(door, "tftp") == 0) &&
            fetch_seen(&machine->fetch, path, is_http, loop_realtime()))
                say_avoided(core, machine);
}

/* What suits the loader and the firmware. */
static struct menu_tools tools_for(const struct core *core, unsigned firmware,
                                   enum policy_dialect dialect) {
        struct menu_tools tools = core->tools;

        tools.are_wanted = core->role->conf->menu.tools;
        if (!(firmware & (MENU_BIOS | MENU_UEFI_X64)))
                tools.memory_test = NULL;
        if (dialect != POLICY_DIALECT_PXELINUX || firmware != MENU_BIOS)
                tools.ipxe = NULL;
        else
                tools.ipxe_script = "bootjack/shell.ipxe";
        if (!(firmware & MENU_UEFI_X64))
                tools.has_grub = false;
        return tools;
}

static bool is_machine(const struct conf_machine *m, const struct policy_facts *facts) {
        if (m->has_uuid && facts->has_uuid &&
            memcmp(m->uuid.b, facts->uuid.b, sizeof(m->uuid.b)) == 0)
                return true;
        return !mac_is_zero(m->mac) && mac_is_equal(m->mac, facts->mac);
}

/* By what is known when a menu is asked for: nothing that relays told DHCP. */
static bool is_of_class(const struct conf *conf, const char *class,
                        const struct machine *machine) {
        const struct policy_facts *facts = &machine->facts;
        struct scope_client client = {
                .facts = facts,
                .user_class = { (const uint8_t *)facts->user_class,
                                strlen(facts->user_class) },
                .address = machine->address,
        };

        for (size_t i = 0; *class && i < conf->dhcp.n_classes; i++)
                if (strcmp(conf->dhcp.classes[i].name, class) == 0 &&
                    scope_matches(&conf->dhcp.classes[i].match, &client))
                        return true;
        return false;
}

/* A machine's own assignment before that of a class. */
const struct conf_machine *core_menu_assigned(const struct core *core,
                                              const struct machine *machine) {
        const struct conf *conf = core->role->conf;

        for (size_t i = 0; machine && i < conf->n_machines; i++)
                if (is_machine(&conf->machines[i], &machine->facts) &&
                    conf->machines[i].boot[0])
                        return &conf->machines[i];
        for (size_t i = 0; machine && i < conf->n_machines; i++)
                if (conf->machines[i].boot[0] &&
                    is_of_class(conf, conf->machines[i].class, machine))
                        return &conf->machines[i];
        return NULL;
}

static bool by_http(struct core *core, struct machine *machine,
                    enum policy_dialect dialect) {
        return menu_can_http(core->role->conf, dialect,
                             machine && machine->is_lpxelinux) &&
               (!machine || fetch_by_http(&machine->fetch, loop_realtime()));
}

int core_menu_new(struct core *core, struct machine *machine, ip4_t server,
                  unsigned firmware, enum policy_dialect dialect,
                  struct menu_model **ret) {
        const struct conf *conf = core->role->conf;
        const struct conf_machine *own = core_menu_assigned(core, machine);
        struct menu_medium media[CORE_MEDIA_MAX];
        struct policy_decision decision = { 0 };
        char chain[POLICY_FILE_MAX];
        struct menu_wish wish = {
                .server = server,
                .by_http = by_http(core, machine, dialect),
                .password = core->password.is_on ? &core->password : NULL,
                .firmware = firmware,
                .dialect = dialect,
                .memory = core_machines_memory(core, machine),
                .tools = tools_for(core, firmware, dialect),
                .media = media,
                .n_media = core->n_media,
        };
        int r;

        menu_wish_configure(&wish, conf);
        if (own) {
                wish.initial = core_machines_is_over(core, own, machine->facts.mac)
                                       ? "local"
                                       : own->boot;
                wish.timeout = own->timeout;
        }
        if (machine && machine->has_facts)
                policy_decide(&core->rules, &machine->facts, &decision);
        wish.is_secure = decision.secure_boot == POLICY_SECURE_ON;
        menu_chain_medium(decision.file, chain);
        if (wish.is_secure && chain[0])
                wish.chain = chain;
        for (size_t i = 0; i < core->n_media; i++)
                media[i] = (struct menu_medium){ core->media[i].name,
                                                 &core->media[i].index,
                                                 core->media[i].system,
                                                 core->media[i].version };
        r = menu_model_new(&wish, ret);
        if (r == 0 && (*ret)->needs_nfs && !core->nfs_is_needed)
                need_nfs(core);
        return r;
}

/* ---- requests ---- */

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

/* U-Boot asks by pxelinux's names, and says who it is by DHCP only: by its vendor class
 * (CONFIG_BOOTP_VCI_STRING "U-Boot.armv8") or by its number of option 93. */
static bool is_uboot(const struct machine *machine) {
        return machine && machine->has_facts &&
               (machine->facts.is_uboot ||
                policy_facts_arch(&machine->facts)->firmware == POLICY_UBOOT);
}

static enum policy_dialect dialect_of(const struct machine *machine,
                                      const struct menu_path *asked) {
        if (asked->dialect == POLICY_DIALECT_PXELINUX && is_uboot(machine))
                return POLICY_DIALECT_EXTLINUX;
        return asked->dialect;
}

/* The name may tell; pxelinux runs on BIOS only, whatever DHCP said of the machine (two
 * systems may share an address); of the others the machine knows best. */
static unsigned firmware_of(const struct machine *machine,
                            const struct menu_path *asked,
                            enum policy_dialect dialect) {
        unsigned mask = 0;

        if (asked->firmware != POLICY_FIRMWARE_UNKNOWN)
                return core_menu_firmware(asked->firmware);
        if (dialect == POLICY_DIALECT_PXELINUX)
                return MENU_BIOS;
        if (dialect == POLICY_DIALECT_EXTLINUX)
                return MENU_UEFI_ARM64; /* the kernels are the same */
        if (machine && machine->has_facts)
                mask = core_menu_firmware(policy_facts_arch(&machine->facts)->firmware);
        if (dialect == POLICY_DIALECT_GRUB && (mask == 0 || mask == MENU_BIOS))
                return MENU_UEFI_X64;
        return mask ? mask : MENU_ANY;
}

/* A machine whose DHCP was somebody else's may say who it is in the name it asks for;
 * one that we know by its address is who it was. */
static struct machine *machine_of(struct core *core, ip4_t client,
                                  const struct menu_path *asked) {
        struct machine *machine =
                machines_fetched(core->machines, client, loop_realtime());
        struct machine *named;

        if (!machine || !mac_is_zero(machine->facts.mac) || mac_is_zero(asked->mac))
                return machine;
        named = machines_by_mac(core->machines, asked->mac);
        if (!named)
                machines_name(core->machines, machine, asked->mac);
        else if (named->address == 0)
                machines_bind(core->machines, asked->mac, client);
        return named ? named : machine;
}

/* Those that boot something. */
static size_t count_entries(const struct menu *menu) {
        size_t n = 0;

        for (size_t i = 0; i < menu->n_entries; i++)
                n += !menu->entries[i].is_tool;
        return n;
}

static void say_rendered(struct core *core, const char *path, const struct menu *menu,
                         ip4_t client, enum policy_dialect dialect) {
        struct event event = { .kind = EVENT_MENU_RENDERED, .address = client };

        event.values[0] = (struct event_value)EVENT_TEXT(path);
        event.values[1] = (struct event_value)EVENT_U64(count_entries(menu));
        event.values[2] = (struct event_value)EVENT_TEXT(policy_dialect_name(dialect));
        core_event(core, &event);
}

static void render(const struct menu *menu, const struct menu_path *asked,
                   const struct machine *machine, enum policy_dialect dialect,
                   struct text *out) {
        switch (dialect) {
        case POLICY_DIALECT_PXELINUX:
                render_pxelinux(menu, out);
                break;
        case POLICY_DIALECT_EXTLINUX:
                render_extlinux(menu, out);
                break;
        case POLICY_DIALECT_GRUB:
                if (machine && machine->dialect == POLICY_DIALECT_IPXE)
                        render_grub_local(menu, out);
                else
                        render_grub(menu, out);
                break;
        default:
                if (asked->page == MENU_PAGE_IPXE_SHELL)
                        render_ipxe_shell(out);
                else if (asked->page == MENU_PAGE_IPXE_GRUB)
                        render_ipxe_grub(menu, out);
                else
                        render_ipxe(menu, out);
        }
}

void core_menu_render(const struct menu *menu, const struct machine *machine,
                      enum policy_dialect dialect, struct text *out) {
        const struct menu_path asked = { .page = MENU_PAGE_MENU, .dialect = dialect };

        if (dialect == POLICY_DIALECT_GRUB)
                machine = NULL; /* not the one that another loader has called */
        render(menu, &asked, machine, dialect, out);
}

/* A GRUB that comes after iPXE's menu was loaded for the local disk, but for one that
 * was chosen as such. */
static enum policy_dialect next_dialect(const struct menu_path *asked,
                                        enum policy_dialect dialect) {
        return asked->page == MENU_PAGE_IPXE_GRUB ? POLICY_DIALECT_GRUB : dialect;
}

static bool has_several_ways(const struct core *core) {
        for (size_t i = 0; i < core->n_media; i++) {
                struct medium medium;

                media_index_medium(&core->media[i].index, &medium);
                for (uint32_t j = 0; j < medium.n_entries; j++)
                        if (medium.entries[j].n_ways > 1)
                                return true;
        }
        return false;
}

/* Worth a round trip only where the answer decides something. */
static bool should_ask_memory(const struct core *core, const struct machine *machine,
                              const struct menu_path *asked,
                              enum policy_dialect dialect) {
        return dialect == POLICY_DIALECT_IPXE && asked->page == MENU_PAGE_MENU &&
               !asked->has_memory && machine && machine->has_facts &&
               machine->facts.is_ipxe && core_machines_memory(core, machine) == 0 &&
               has_several_ways(core);
}

static void say_refused(struct core *core, const struct machine *machine,
                        const char *id, const char *why) {
        struct event event = { .kind = EVENT_MENU_REFUSED,
                               .mac = machine->facts.mac,
                               .address = machine->address };

        event.values[0] = (struct event_value)EVENT_TEXT(id);
        event.values[1] = (struct event_value)EVENT_TEXT(why);
        core_event(core, &event);
}

/* Two seconds after a wrong one, the next is not even looked at. */
static bool knows_password(struct core *core, struct machine *machine,
                           const char *typed) {
        nsec_t now = loop_realtime();

        if (machine->wrong != 0 && now >= machine->wrong &&
            now - machine->wrong < 2 * NSEC_PER_SEC)
                return false;
        machine->wrong = password_is(&core->password, typed) ? 0 : now;
        return machine->wrong == 0;
}

/* The query is ?entry=ID&password=... */
static void render_unlocked(struct core *core, const struct menu *menu,
                            struct machine *machine, const char *query,
                            struct text *out) {
        char id[256], typed[256];
        size_t i;

        if (!machine || !menu_path_query(query, "entry", id, sizeof(id)) ||
            !menu_path_query(query, "password", typed, sizeof(typed))) {
                render_ipxe_refusal(out);
                return;
        }
        i = menu_find(menu, id);
        if (i == menu->n_entries) {
                say_refused(core, machine, id, "there is no such entry now");
                render_ipxe_refusal(out);
        } else if (menu->entries[i].is_locked &&
                   !knows_password(core, machine, typed)) {
                say_refused(core, machine, id, "wrong password");
                render_ipxe_refusal(out);
        } else {
                render_ipxe_entry(menu, i, out);
        }
}

static bool starts_from_us(const struct menu *menu) {
        return menu->timeout > 0 && menu->entries[menu->initial].kind != MENU_LOCAL;
}

/* `query` is what followed a '?' in the request; it may hold a password and is told to
 * nobody. */
static int generate(struct core *core, const char *path, const char *query,
                    ip4_t client, ip4_t server, struct text *out) {
        struct menu_path asked;
        struct machine *machine;
        struct menu_model *m = NULL;
        enum policy_dialect dialect;
        int r;

        if (!menu_path_parse(path, &asked))
                return -ENOENT;
        machine = machine_of(core, client, &asked);
        if (machine && asked.has_memory)
                core_machines_told(core, machine, asked.memory);
        dialect = dialect_of(machine, &asked);
        r = core_menu_new(core, machine, server, firmware_of(machine, &asked, dialect),
                          dialect, &m);
        if (r < 0)
                return r;
        m->menu.is_fragment = asked.page == MENU_PAGE_ENTRIES;
        if (should_ask_memory(core, machine, &asked, dialect))
                render_ipxe_memory(&m->menu, out);
        else if (asked.page == MENU_PAGE_UNLOCKED)
                render_unlocked(core, &m->menu, machine, query, out);
        else
                render(&m->menu, &asked, machine, dialect, out);
        if (machine && m->menu.by_http && dialect != POLICY_DIALECT_IPXE)
                fetch_offered(&machine->fetch, starts_from_us(&m->menu),
                              loop_realtime());
        if (machine)
                machine->dialect = next_dialect(&asked, dialect);
        say_rendered(core, path, &m->menu, client, dialect);
        core->n_menus++;
        menu_model_free(m);
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
        struct text path = { 0 }, query = { 0 }, out = { 0 };
        const uint8_t *tail = message->tail;
        const uint8_t *mark = memchr(tail, '?', message->n_tail);
        size_t n = mark ? (size_t)(mark - tail) : message->n_tail;
        int fd = -1;

        if (core_made(core, channel, message))
                return;
        text_bytes(&path, tail, n);
        if (mark)
                text_bytes(&query, mark + 1, message->n_tail - n - 1);
        if (generate(core, text_string(&path), text_string(&query), request->client,
                     request->server, &out) == 0)
                fd = to_memfd(&out);
        answer.found = fd >= 0;
        (void)ipc_send(channel, IPC_GENERATED, &answer, NULL, 0, &fd, fd >= 0);
        if (fd >= 0)
                close(fd);
        text_done(&path);
        text_done(&query);
        text_done(&out);
}
