/*
 * Media in the order of people (by system, then newest first), their entries in the
 * order of their recipes. Texts that are made up here live in chunks that are freed
 * with the model.
 */
#include "role/menu_model.h"

#include <stdlib.h>

enum {
        CHUNK = 32 * 1024,
        TOP_MAX = 12, /* entries that one screen shows; more of them are nested */
};

struct menu_chunk {
        struct menu_chunk *next;
        size_t n;
        char bytes[CHUNK];
};

struct building {
        const struct menu_wish *wish;
        struct menu_model *model;
        struct menu *menu;
        struct text text; /* written anew for each */
        bool has_memory_test;
        bool failed;
};

/* ---- what is wished ---- */

/* By which doors a system can get the rest of its medium; that of NFS opens when the
 * menu offers it. */
static uint32_t transports(const struct conf *conf) {
        return MEDIUM_TFTP |
               (conf->http.port ? (uint32_t)MEDIUM_HTTP | MEDIUM_HTTP_ISO : 0) |
               (conf->ftp.port ? (uint32_t)MEDIUM_FTP : 0) |
               (conf->nfs.mode != CONF_OFF ? (uint32_t)MEDIUM_NFS | MEDIUM_NFS_ISO : 0);
}

void menu_wish_configure(struct menu_wish *wish, const struct conf *conf) {
        wish->title = conf->menu.title;
        wish->initial = conf->menu.initial;
        wish->serial = conf->menu.serial;
        wish->timeout = conf->menu.timeout;
        wish->http_port = conf->http.port;
        wish->transports = transports(conf);
        wish->locks_entries = conf->menu.locks_entries;
        wish->never_nests = conf->menu.submenus == CONF_OFF;
        wish->always_nests = conf->menu.submenus == CONF_ON;
}

/* GRUB 2.06 knows no port but 80; of pxelinux, lpxelinux alone has HTTP. */
bool menu_can_http(const struct conf *conf, enum policy_dialect dialect,
                   bool is_lpxelinux) {
        uint16_t port = conf->http.port;

        return port != 0 && (dialect == POLICY_DIALECT_IPXE ||
                             (dialect == POLICY_DIALECT_GRUB && port == 80) ||
                             (dialect == POLICY_DIALECT_PXELINUX && is_lpxelinux));
}

void menu_chain_medium(const char *file, char ret_name[static POLICY_FILE_MAX]) {
        bool is_own = strncmp(file, "secure/", 7) == 0;

        strncpy(ret_name, is_own ? file + 7 : "", POLICY_FILE_MAX - 1);
        ret_name[POLICY_FILE_MAX - 1] = '\0';
        ret_name[strcspn(ret_name, "/")] = '\0';
}

/* ---- texts ---- */

static void *take(struct building *b, size_t n, size_t align) {
        struct menu_chunk *chunk = b->model->chunks;
        size_t at = chunk ? (chunk->n + align - 1) & ~(align - 1) : 0;

        assert(n <= CHUNK);
        if (!chunk || at + n > CHUNK) {
                chunk = malloc(sizeof(*chunk));
                if (!chunk) {
                        b->failed = true;
                        return NULL;
                }
                chunk->next = b->model->chunks;
                b->model->chunks = chunk;
                at = 0;
        }
        chunk->n = at + n;
        return chunk->bytes + at;
}

/* What is in b->text, kept; one longer than a chunk is cut. */
static const char *keep(struct building *b) {
        size_t n = min_size(b->text.n, CHUNK - 1);
        char *s = take(b, n + 1, 1);

        b->failed |= b->text.failed;
        if (!s)
                return "";
        if (n > 0)
                memcpy(s, b->text.s, n);
        s[n] = '\0';
        return s;
}

static struct text *anew(struct building *b) {
        b->text.n = 0;
        if (b->text.s)
                b->text.s[0] = '\0';
        return &b->text;
}

/* '/' at the beginning: of the tree, else of the medium. */
static const char *tree_path(struct building *b, const char *medium, const char *path) {
        struct text *text = anew(b);

        if (path[0] == '/') {
                menu_fill(path + 1, medium, b->menu, text);
        } else {
                text_add(text, "media/");
                text_add(text, medium);
                text_char(text, '/');
                text_add(text, path);
        }
        return keep(b);
}

/* ---- entries ---- */

static enum menu_kind kind_of(const struct medium_entry *from) {
        static const enum menu_kind kinds[MEDIUM_N_BOOTS] = {
                [MEDIUM_LINUX] = MENU_LINUX,
                [MEDIUM_PROGRAM] = MENU_PROGRAM,
                [MEDIUM_MULTIBOOT] = MENU_MULTIBOOT,
                [MEDIUM_EFI] = MENU_EFI,
                [MEDIUM_NBP] = MENU_NBP,
                [MEDIUM_WIM] = MENU_WIM,
                [MEDIUM_ESXI] = MENU_ESXI,
                [MEDIUM_MEMDISK] = MENU_MEMDISK,
                [MEDIUM_IMAGE] = MENU_IMAGE,
        };

        if (from->boot == MEDIUM_LINUX && from->n_initrd == 0)
                return MENU_PROGRAM;
        return (unsigned)from->boot < MEDIUM_N_BOOTS ? kinds[from->boot] : MENU_LINUX;
}

static const struct menu_file *files_of(struct building *b, const char *medium,
                                        const struct medium_entry *from) {
        size_t n = min_size(from->n_initrd, MENU_FILES_MAX);
        struct menu_file *files =
                take(b, n * sizeof(*files), _Alignof(struct menu_file));

        for (size_t i = 0; files && i < n; i++)
                files[i] = (struct menu_file){
                        .path = tree_path(b, medium, from->initrd[i]),
                        .name = menu_text(from->initrd_name[i]),
                        .args = menu_text(from->initrd_args[i]),
                };
        return files;
}

/* A door that is closed leads nowhere; NFS opens when somebody needs it. */
static bool is_open(const struct menu_wish *wish, const struct medium_way *way) {
        return way->transport & wish->transports;
}

/* The way that fits the machine's memory; NULL when the entry has none. *ret_needs is
 * the memory without which none fits, else 0. */
static const struct medium_way *choose_way(const struct menu_wish *wish,
                                           const struct medium_entry *from,
                                           uint64_t *ret_needs) {
        const struct medium_way *ways[MEDIUM_WAYS_MAX];
        uint64_t needs[MEDIUM_WAYS_MAX], least = UINT64_MAX;
        size_t n = 0, taken, best = 0;

        *ret_needs =
                wish->memory != 0 && from->memory > wish->memory ? from->memory : 0;
        for (size_t i = 0; i < min_size(from->n_ways, MEDIUM_WAYS_MAX); i++) {
                if (!is_open(wish, &from->ways[i]))
                        continue;
                needs[n] = max_u64(from->ways[i].memory, from->memory);
                if (needs[n] < least) {
                        least = needs[n];
                        best = n;
                }
                ways[n++] = &from->ways[i];
        }
        if (n == 0)
                return NULL;
        taken = menu_way(needs, n, wish->memory);
        *ret_needs = taken == n ? least : 0;
        return ways[taken == n ? best : taken];
}

static void add_amount(struct text *out, uint64_t bytes) {
        uint64_t unit =
                bytes >= UINT64_C(1) << 30 ? UINT64_C(1) << 30 : UINT64_C(1) << 20;

        text_u64(out, (bytes + unit - 1) / unit);
        text_add(out, unit == UINT64_C(1) << 30 ? " GiB" : " MiB");
}

/* What stands in the way, behind the title, and why in the help. */
/* Why it does not start under Secure Boot; "" when it does, or nobody asks. */
static const char *unsafe(struct building *b, const struct menu_medium *medium,
                          const struct medium_entry *from) {
        const char *why = menu_text(from->secure_why_not);
        struct text *text;

        if (!b->wish->is_secure)
                return "";
        if (!b->wish->chain)
                return why;
        if (strcmp(b->wish->chain, medium->name) == 0)
                return strcmp(why, MEDIUM_OWN_SHIM) == 0 ? "" : why;
        text = anew(b);
        text_add(text, "the machine starts by the shim of ");
        text_add(text, b->wish->chain);
        return keep(b);
}

static void add_marks(struct building *b, const char *why_unsafe, uint64_t needs,
                      struct menu_entry *entry) {
        struct text *text;

        if (needs == 0 && !*why_unsafe)
                return;
        text = anew(b);
        text_add(text, entry->title);
        if (needs) {
                text_add(text, " (needs ");
                add_amount(text, needs);
                text_char(text, ')');
        }
        text_add(text, *why_unsafe ? " (not with Secure Boot)" : "");
        entry->title = keep(b);
        text = anew(b);
        if (*why_unsafe) {
                text_add(text, "Secure Boot: ");
                text_add(text, why_unsafe);
        } else {
                text_add(text, "This machine has ");
                add_amount(text, b->wish->memory);
                text_add(text, " of memory; it may run out of it.");
        }
        entry->help = keep(b);
}

static const char *device_trees(struct building *b, const struct menu_medium *medium) {
        static const char *const names[] = { "dtbs", "dtb", "boot/dtbs", "boot/dtb",
                                             "device-tree" };
        struct media_node node;

        if (b->wish->dialect != POLICY_DIALECT_EXTLINUX)
                return "";
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (media_index_lookup(medium->index, names[i], strlen(names[i]),
                                       &node) &&
                    node.kind == MEDIA_NODE_FOLDER)
                        return tree_path(b, medium->name, names[i]);
        return "";
}

static void add_boot_cfg(struct text *out, const char *medium) {
        text_add(out, "-c /made/");
        text_add(out, medium);
        text_add(out, "/boot.cfg");
}

/* Who reads a command line with console= in it. sanboot would take it for a second
 * address of the disk (ipxe.org/cmd/sanboot), a loader of FreeBSD for its own console,
 * and memdisk and wimboot have no use for it. */
static bool has_console(enum medium_boot boot) {
        return boot == MEDIUM_LINUX || boot == MEDIUM_PROGRAM ||
               boot == MEDIUM_MULTIBOOT;
}

static void add_args(struct building *b, const char *medium,
                     const struct medium_entry *from, const char *way) {
        struct text *text = anew(b);

        if (from->boot == MEDIUM_ESXI)
                /* Its own arguments are in the boot.cfg that is made for it. */
                add_boot_cfg(text, medium);
        else
                menu_args(from->args, way, medium, b->menu, has_console(from->boot),
                          text);
}

static void add_entry(struct building *b, const struct menu_medium *medium,
                      const struct medium_entry *from) {
        struct menu_entry *entry = &b->menu->entries[b->menu->n_entries];
        const struct medium_way *way;
        uint64_t needs;

        if (b->menu->n_entries == MENU_ENTRIES_MAX)
                return;
        way = choose_way(b->wish, from, &needs);
        if (from->n_ways > 0 && !way)
                return; /* the doors it would need are shut */
        *entry = (struct menu_entry){
                .kind = kind_of(from),
                .id = from->id,
                .title = from->title,
                .help = menu_text(from->help),
                .medium = medium->name,
                .kernel = tree_path(b, medium->name, from->kernel),
                .n_files = min_size(from->n_initrd, MENU_FILES_MAX),
        };
        entry->files = entry->n_files ? files_of(b, medium->name, from) : NULL;
        entry->n_files = entry->files ? entry->n_files : 0;
        entry->device_trees = device_trees(b, medium);
        add_args(b, medium->name, from, way ? menu_text(way->args) : "");
        entry->args = keep(b);
        add_marks(b, unsafe(b, medium, from), needs, entry);
        b->model->needs_nfs |= way && way->transport & (MEDIUM_NFS | MEDIUM_NFS_ISO);
        b->menu->n_entries++;
}

/* ---- the order ---- */

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* 9 before 10, and 12.4 before 12.10; the newest first. */
static int by_version(const char *a, const char *b) {
        while (*a && *b) {
                if (is_digit(*a) && is_digit(*b)) {
                        unsigned long x = strtoul(a, (char **)(uintptr_t)&a, 10);
                        unsigned long y = strtoul(b, (char **)(uintptr_t)&b, 10);

                        if (x != y)
                                return x > y ? -1 : 1;
                } else if (*a != *b) {
                        return (unsigned char)*a > (unsigned char)*b ? -1 : 1;
                } else {
                        a++;
                        b++;
                }
        }
        return *a ? -1 : *b != '\0';
}

static int in_order(const void *p, const void *q) {
        const struct menu_medium *a = *(const struct menu_medium *const *)p;
        const struct menu_medium *b = *(const struct menu_medium *const *)q;
        int r = strcmp(a->system, b->system);

        if (r == 0)
                r = by_version(a->version, b->version);
        return r ? r : strcmp(a->name, b->name);
}

static const struct menu_medium **sort_media(const struct menu_wish *wish) {
        const struct menu_medium **sorted =
                calloc(wish->n_media + 1, sizeof(struct menu_medium *));

        for (size_t i = 0; sorted && i < wish->n_media; i++)
                sorted[i] = &wish->media[i];
        if (sorted && wish->n_media > 1)
                qsort(sorted, wish->n_media, sizeof(*sorted), in_order);
        return sorted;
}

/* ---- sub-menus ---- */

/* The words that all titles of the entries from `first` on begin with, up to one that
 * begins with a digit: "Debian" of "Debian 12 installer" and "Debian 11 live". */
static size_t common_words(const struct menu *menu, size_t first, size_t end) {
        const char *title = menu->entries[first].title;
        size_t common = 0;

        for (size_t at = 0; title[at] && !is_digit(title[at]);) {
                size_t next = at + strcspn(title + at, " ");

                for (size_t i = first; i < end; i++) {
                        const char *other = menu->entries[i].title;

                        if (strncmp(other, title, next) != 0 ||
                            (other[next] != ' ' && other[next] != '\0'))
                                return common;
                }
                common = next;
                at = next + (title[next] == ' ');
        }
        return common;
}

static const char *group_title(struct building *b, const char *system, size_t first,
                               size_t end) {
        const struct menu *menu = b->menu;
        size_t n = common_words(menu, first, end);
        struct text *text = anew(b);

        if (n > 0) {
                text_bytes(text, menu->entries[first].title, n);
        } else {
                bool is_lower = system[0] >= 'a' && system[0] <= 'z';

                text_char(text, (char)(is_lower ? system[0] - 'a' + 'A' : system[0]));
                text_add(text, system[0] ? system + 1 : "");
        }
        return keep(b);
}

/* Those of one system, two at least, become a sub-menu; room is left for the tools. */
static void add_group(struct building *b, const char *system, size_t first) {
        struct menu *menu = b->menu;

        if (menu->n_entries - first < 2 || menu->n_groups + 1 >= MENU_GROUPS_MAX)
                return;
        menu->groups[menu->n_groups++] = group_title(b, system, first, menu->n_entries);
        for (size_t i = first; i < menu->n_entries; i++)
                menu->entries[i].group = (unsigned)menu->n_groups;
}

static bool is_memory_test(const struct medium *medium) {
        return strncmp(medium->system, "memtest", 7) == 0;
}

static void add_medium(struct building *b, const struct menu_medium *at) {
        struct medium medium;
        size_t before = b->menu->n_entries;

        media_index_medium(at->index, &medium);
        for (uint32_t i = 0; i < medium.n_entries; i++)
                if (medium.entries[i].why_not[0] == '\0' &&
                    medium.entries[i].firmware & b->wish->firmware)
                        add_entry(b, at, &medium.entries[i]);
        if (is_memory_test(&medium) && b->menu->n_entries > before)
                b->has_memory_test = true;
}

static void forget_groups(struct menu *menu) {
        for (size_t i = 0; i < menu->n_entries; i++)
                menu->entries[i].group = 0;
        menu->n_groups = 0;
}

static int add_media(struct building *b) {
        const struct menu_wish *wish = b->wish;
        const struct menu_medium **sorted = sort_media(wish);
        size_t first = b->menu->n_entries;

        if (!sorted)
                return -ENOMEM;
        for (size_t i = 0; i < wish->n_media; i++) {
                add_medium(b, sorted[i]);
                if (i + 1 == wish->n_media ||
                    strcmp(sorted[i]->system, sorted[i + 1]->system) != 0) {
                        if (!wish->never_nests)
                                add_group(b, sorted[i]->system, first);
                        first = b->menu->n_entries;
                }
        }
        free(sorted);
        /* One sub-menu of everything would only be one step more. */
        if (!wish->always_nests &&
            (b->menu->n_entries <= TOP_MAX || b->menu->n_groups < 2))
                forget_groups(b->menu);
        return 0;
}

/* ---- tools ---- */

static struct menu_entry *add_tool(struct building *b, enum menu_kind kind,
                                   const char *id, const char *title,
                                   const char *help) {
        struct menu_entry *entry = &b->menu->entries[b->menu->n_entries];

        if (b->menu->n_entries == MENU_ENTRIES_MAX)
                return NULL;
        *entry = (struct menu_entry){ .kind = kind,
                                      .group = (unsigned)b->menu->n_groups,
                                      .is_tool = true,
                                      .id = id,
                                      .title = title,
                                      .help = help,
                                      .kernel = "",
                                      .args = "" };
        b->menu->n_entries++;
        return entry;
}

static void add_ipxe(struct building *b) {
        const struct menu_tools *tools = &b->wish->tools;
        struct menu_entry *entry = add_tool(b, MENU_IPXE, "ipxe", "iPXE",
                                            "Another loader, with a shell of its own.");
        struct menu_file *file = take(b, sizeof(*file), _Alignof(struct menu_file));

        if (!entry || !file)
                return;
        entry->kernel = tools->ipxe;
        if (tools->ipxe_script) {
                entry->title = "iPXE shell";
                *file = (struct menu_file){ .path = tools->ipxe_script };
                entry->files = file;
                entry->n_files = 1;
        }
}

static void add_shells(struct building *b) {
        enum policy_dialect dialect = b->wish->dialect;

        if (b->wish->tools.ipxe && dialect != POLICY_DIALECT_IPXE)
                add_ipxe(b);
        if (dialect == POLICY_DIALECT_IPXE)
                add_tool(b, MENU_SHELL, "shell", "iPXE shell",
                         "exit comes back to the menu.");
        if (dialect == POLICY_DIALECT_IPXE && b->wish->tools.has_grub &&
            b->wish->firmware != MENU_BIOS)
                add_tool(b, MENU_GRUB, "grub", "GRUB",
                         "Another loader, with the same menu; c for its shell.");
        if (dialect == POLICY_DIALECT_GRUB)
                add_tool(b, MENU_SHELL, "shell", "GRUB shell",
                         "normal_exit comes back to the menu.");
}

static void add_tools(struct building *b) {
        const struct menu_wish *wish = b->wish;
        struct menu_entry *entry;

        if (!wish->tools.are_wanted || wish->dialect == POLICY_DIALECT_EXTLINUX)
                return;
        b->menu->groups[b->menu->n_groups++] = "Tools";
        if (wish->tools.memory_test && !b->has_memory_test) {
                entry = add_tool(b, MENU_PROGRAM, "memory-test", "Memory test",
                                 "memtest86+, until it is stopped.");
                if (entry)
                        entry->kernel = wish->tools.memory_test;
        }
        add_shells(b);
        if (wish->dialect == POLICY_DIALECT_GRUB && wish->firmware != MENU_BIOS)
                add_tool(b, MENU_SETTINGS, "settings", "Firmware settings", "");
        add_tool(b, MENU_REBOOT, "reboot", "Restart", "");
        add_tool(b, MENU_POWEROFF, "poweroff", "Switch off", "");
}

/* ---- all of it ---- */

static void begin(const struct menu_wish *wish, struct menu *menu) {
        menu->title = wish->title;
        menu->timeout = wish->timeout;
        menu->server = wish->server;
        menu->http_port = wish->http_port;
        menu->by_http = wish->by_http && wish->http_port != 0;
        /* U-Boot's device tree names the board's console (chosen/stdout-path), which a
         * console= of a PC's would take away. */
        menu->serial.is_on = wish->dialect != POLICY_DIALECT_EXTLINUX &&
                             menu_serial_parse(wish->serial, &menu->serial.unit,
                                               &menu->serial.speed);
        menu->entries[menu->n_entries++] = (struct menu_entry){
                .kind = MENU_LOCAL,
                .id = "local",
                .title = "Boot from the local disk",
        };
}

/* What starts by itself asks nobody, and the local disk is everybody's; a command line
 * never is. */
static void lock(const struct menu_wish *wish, struct menu *menu) {
        if (!wish->password)
                return;
        menu->password.is_on = true;
        menu->password.pxelinux = wish->password->syslinux;
        menu->password.grub = wish->password->grub;
        for (size_t i = 0; i < menu->n_entries; i++) {
                struct menu_entry *entry = &menu->entries[i];
                bool is_shell = entry->kind == MENU_SHELL || entry->kind == MENU_IPXE;
                bool is_free = entry->kind == MENU_LOCAL ||
                               entry->kind == MENU_GRUB || /* which asks by itself */
                               entry->kind == MENU_REBOOT ||
                               entry->kind == MENU_POWEROFF ||
                               (i == menu->initial && menu->timeout > 0);

                entry->is_locked = !is_free && (wish->locks_entries || is_shell);
        }
}

int menu_model_new(const struct menu_wish *wish, struct menu_model **ret) {
        struct menu_model *model = calloc(1, sizeof(*model));
        struct building b = { .wish = wish, .model = model };
        struct menu *menu;
        int r;

        if (!model)
                return -ENOMEM;
        menu = b.menu = &model->menu;
        begin(wish, menu);
        r = add_media(&b);
        if (r == 0)
                add_tools(&b);
        text_done(&b.text);
        if (r < 0 || b.failed) {
                menu_model_free(model);
                return -ENOMEM;
        }
        menu->initial = menu_find(menu, wish->initial);
        if (menu->initial == menu->n_entries)
                menu->initial = 0; /* that medium is not here now: the disk is safe */
        menu_arrange(menu);
        lock(wish, menu);
        *ret = model;
        return 0;
}

struct menu_model *menu_model_free(struct menu_model *model) {
        while (model && model->chunks) {
                struct menu_chunk *next = model->chunks->next;

                free(model->chunks);
                model->chunks = next;
        }
        free(model);
        return NULL;
}
