/*
 * What is made of a medium that no recipe knows: the entries of its own menus, with
 * their arguments changed where they look for the medium itself, or else the whole
 * image.
 *
 * How a live system finds the rest of its medium depends on what its initrd was made
 * with, not on whose system it is. Five makers are told apart by their arguments; each
 * has its own words for a server in place of a volume.
 */
#include "media/generic.h"

#include <ctype.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/path.h"
#include "media/loadermenu.h"

enum {
        MEMORY_OF_SYSTEM = 512 << 20,
        MEMDISK_MAX = 768 << 20,
        FLOPPY_MAX = 2880 << 10,
        FILES_MAX = 16,
};

struct generic {
        const struct media_tree *tree;
        const char *volume;
        const char *id, *title, *why_not; /* what a recipe says, or "" */
        struct recipe_found *found;
        bool failed;
};

static const char *keep(struct generic *g, const char *s) {
        const char *kept = recipe_found_keep(g->found, s);

        g->failed |= !kept;
        return kept ? kept : "";
}

static const char *keep_text(struct generic *g, struct text *text) {
        const char *kept = keep(g, text_string(text));

        g->failed |= text->failed;
        text_done(text);
        return kept;
}

/* ---- paths ---- */

/* The path of a file on the medium, as the medium spells it: menus are written for
 * readers that do not tell big letters from small ones. False when it is not there. */
static bool locate(const struct generic *g, const char *path, struct text *ret) {
        struct text pattern = { 0 };
        char clean[PATH_MAX_BYTES];
        bool found;

        if (path_clean(path, strlen(path), clean) != PATH_OK || !*clean)
                return false;
        if (!strpbrk(clean, "*?[\\") && media_tree_find(g->tree, clean, ret))
                return true;
        for (const char *c = clean; *c; c++) {
                if (!isalpha((unsigned char)*c)) {
                        text_char(&pattern, strchr("*?[\\", *c) ? '?' : *c);
                        continue;
                }
                text_char(&pattern, '[');
                text_char(&pattern, (char)toupper((unsigned char)*c));
                text_char(&pattern, (char)tolower((unsigned char)*c));
                text_char(&pattern, ']');
        }
        found = !pattern.failed && media_tree_find(g->tree, pattern.s, ret);
        text_done(&pattern);
        return found;
}

static char *read_menu(const char *path, size_t *ret_n, void *userdata) {
        struct generic *g = userdata;
        struct text at = { 0 };
        char *data = NULL;
        int n = -1;

        if (locate(g, path, &at)) {
                data = malloc(MEDIA_TREE_TEXT_MAX);
                if (data)
                        n = media_tree_read(g->tree, at.s, 0, data,
                                            MEDIA_TREE_TEXT_MAX);
        }
        text_done(&at);
        if (n < 0) {
                free(data);
                return NULL;
        }
        *ret_n = (size_t)n;
        return data;
}

/* ---- arguments ---- */

enum maker {
        MAKER_NONE,
        MAKER_LIVE_BOOT,
        MAKER_CASPER,
        MAKER_DRACUT,
        MAKER_ARCHISO,
        MAKER_MISO,
        MAKER_ANACONDA
};

static bool begins(const char *s, const char *with) {
        return strncmp(s, with, strlen(with)) == 0;
}

static enum maker maker_of(const char *args) {
        static const struct {
                const char *word;
                enum maker maker;
        } rows[] = {
                { "boot=live", MAKER_LIVE_BOOT },
                { "boot=casper", MAKER_CASPER },
                { "archisobasedir=", MAKER_ARCHISO },
                { "archisolabel=", MAKER_ARCHISO },
                { "misobasedir=", MAKER_MISO },
                { "misolabel=", MAKER_MISO },
                { "root=live:", MAKER_DRACUT },
                { "rd.live.image", MAKER_DRACUT },
                { "inst.stage2=", MAKER_ANACONDA },
                { "inst.repo=", MAKER_ANACONDA },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *at = strstr(args, rows[i].word);

                if (at && (at == args || at[-1] == ' '))
                        return rows[i].maker;
        }
        return MAKER_NONE;
}

/* Words that name the medium or its loader; what takes their place is said by ways. */
static bool is_dropped(const char *word) {
        static const char *const words[] = {
                "initrd=",
                "BOOT_IMAGE=",
                "root=live:",
                "root=CDLABEL=",
                "archisolabel=",
                "archisodevice=",
                "archisosearchuuid=",
                "archisosearchfilename=",
                "misolabel=",
                "misodevice=",
                "inst.stage2=hd:",
                "inst.stage2=cdrom",
                "inst.repo=hd:",
                "inst.repo=cdrom",
                "iso-scan/filename=",
                "findiso=",
                "fromiso=",
                "live-media=",
                "img_dev=",
                "img_loop=",
                "isofrom=",
                "fetch=",
                "netboot=",
                "nfsroot=",
                "rd.live.check",
                "method=",
                "bootfrom=",
                "ip=",
                "url=",
                "root=/dev/sr0",
                "root=/dev/cdrom",
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (begins(word, words[i]))
                        return true;
        return strcmp(word, "cdrom") == 0 ||
               strcmp(word, "cdrom-detect/try-usb=true") == 0;
}

/* What would mean something to a loader's script, or to the menu, does not. */
static char safe_char(char c) {
        if ((unsigned char)c < 0x21 || (unsigned char)c > 0x7e ||
            strchr("$`{}\\;&|<>", c))
                return '_';
        return c;
}

static void add_word(struct text *out, const char *word) {
        if (out->n > 0)
                text_char(out, ' ');
        for (; *word; word++)
                text_char(out, safe_char(*word));
}

static bool has_even_quotes(const char *s) {
        unsigned n = 0;

        for (; *s; s++)
                n += *s == '"' || *s == '\'';
        return n % 2 == 0;
}

/* ret_value: of `name=`, when there is such a word. */
static void keep_args(const char *args, const char *name, struct text *out,
                      struct text *ret_value) {
        char *copy = strdup(args), *state = NULL;

        for (char *word = copy ? strtok_r(copy, " \t", &state) : NULL; word;
             word = strtok_r(NULL, " \t", &state)) {
                if (*name && begins(word, name) && ret_value->n == 0)
                        for (const char *c = word + strlen(name); *c; c++)
                                text_char(ret_value, safe_char(*c));
                if (!is_dropped(word) && has_even_quotes(word))
                        add_word(out, word);
        }
        free(copy);
}

/* Of a disk in its place nobody knows the partition. */
static bool is_disc(const struct generic *g) {
        return g->tree->image && strcmp(g->tree->image, ".iso") == 0;
}

static void add_way(struct generic *g, struct medium_entry *e, uint32_t transport,
                    const char *args, uint64_t memory) {
        bool is_image = transport == MEDIUM_HTTP_ISO || transport == MEDIUM_NFS_ISO;

        if (e->n_ways == MEDIUM_WAYS_MAX || (is_image && !is_disc(g)))
                return;
        e->ways[e->n_ways++] = (struct medium_way){ transport, keep(g, args), memory };
        e->transports |= transport;
}

/* The file that a live system is in: the first of what `patterns` find. */
static uint64_t find_root(struct generic *g, const char *folder, const char *name,
                          struct text *ret) {
        struct text pattern = { 0 };

        text_add(&pattern, folder);
        if (*folder)
                text_char(&pattern, '/');
        text_add(&pattern, name);
        if (!media_tree_find(g->tree, text_string(&pattern), ret))
                text_done(ret);
        text_done(&pattern);
        return ret->n ? media_tree_size(g->tree, ret->s) : 0;
}

static void add_fetch(struct generic *g, struct medium_entry *e, const char *word,
                      const char *folder, const char *name) {
        struct text root = { 0 }, args = { 0 };
        uint64_t size = find_root(g, folder, name, &root);

        if (root.n) {
                text_add(&args, word);
                for (const char *c = root.s; *c; c++)
                        text_char(&args, *c == '/' ? '/' : safe_char(*c));
                add_way(g, e, MEDIUM_HTTP, text_string(&args), MEMORY_OF_SYSTEM + size);
        }
        text_done(&args);
        text_done(&root);
}

static const char nfsroot[] = "netboot=nfs nfsroot=${server}:/media/${name}";

static void add_ways(struct generic *g, struct medium_entry *e, enum maker maker,
                     const char *folder, uint64_t image) {
        switch (maker) {
        case MAKER_LIVE_BOOT:
                add_fetch(g, e, "fetch=${tree}/", *folder ? folder : "live",
                          "*.squashfs");
                add_way(g, e, MEDIUM_NFS, nfsroot, MEMORY_OF_SYSTEM);
                break;
        case MAKER_CASPER:
                /* Linux, init/do_mounts.c: without a root= the root file system, into
                 * which casper downloads, has half of the memory at most. */
                add_way(g, e, MEDIUM_HTTP_ISO, "root=/dev/ram0 ip=dhcp url=${iso}",
                        2 * MEMORY_OF_SYSTEM + image);
                add_way(g, e, MEDIUM_NFS, nfsroot, 2 * MEMORY_OF_SYSTEM);
                break;
        case MAKER_DRACUT:
                add_fetch(g, e, "ip=dhcp rd.neednet=1 root=live:${tree}/",
                          *folder ? folder : "LiveOS", "*squash*");
                if (e->n_ways == 0)
                        add_fetch(g, e, "ip=dhcp rd.neednet=1 root=live:${tree}/", "",
                                  "*.squashfs");
                break;
        case MAKER_ARCHISO:
                /* mkinitcpio-archiso, hooks/archiso_pxe_nfs: else it is copied, too. */
                add_way(g, e, MEDIUM_HTTP, "ip=dhcp archiso_http_srv=${tree}/",
                        2 * MEMORY_OF_SYSTEM + image);
                add_way(g, e, MEDIUM_NFS,
                        "ip=dhcp archiso_nfs_srv=${server}:/media/${name} copytoram=n",
                        2 * MEMORY_OF_SYSTEM);
                break;
        case MAKER_MISO:
                add_way(g, e, MEDIUM_HTTP, "ip=dhcp miso_http_srv=${tree}/",
                        2 * MEMORY_OF_SYSTEM + image);
                add_way(g, e, MEDIUM_NFS,
                        "ip=dhcp miso_nfs_srv=${server}:/media/${name} copytoram=n",
                        2 * MEMORY_OF_SYSTEM);
                break;
        case MAKER_ANACONDA:
                add_way(g, e, MEDIUM_HTTP, "ip=dhcp inst.repo=${tree}",
                        6 * (uint64_t)MEMORY_OF_SYSTEM);
                break;
        case MAKER_NONE:
                e->transports = MEDIUM_TFTP;
        }
}

static uint64_t image_size(const struct generic *g) {
        struct stat st;

        return g->tree->image && fstat(g->tree->fd, &st) == 0 ? (uint64_t)st.st_size
                                                              : 0;
}

static void set_args(struct generic *g, struct medium_entry *e, const char *from) {
        static const char *const folder_words[] = {
                [MAKER_NONE] = "",     [MAKER_LIVE_BOOT] = "live-media-path=",
                [MAKER_CASPER] = "",   [MAKER_DRACUT] = "rd.live.dir=",
                [MAKER_ARCHISO] = "",  [MAKER_MISO] = "",
                [MAKER_ANACONDA] = "",
        };
        enum maker maker = maker_of(from);
        struct text args = { 0 }, folder = { 0 };
        const char *looks;

        keep_args(from, folder_words[maker], &args, &folder);
        while (folder.n > 0 && folder.s[folder.n - 1] == '/')
                folder.s[--folder.n] = '\0';
        add_ways(g, e, maker, text_string(&folder) + (folder.n && *folder.s == '/'),
                 image_size(g));
        if (maker != MAKER_NONE && e->n_ways == 0)
                e->why_not = "what it looks for on its medium is not there";
        looks = strstr(text_string(&args), "root=LABEL=");
        if (!looks)
                looks = strstr(text_string(&args), "root=UUID=");
        if (maker == MAKER_NONE && e->n_initrd > 0 && *g->why_not)
                e->why_not = g->why_not;
        if (looks && maker == MAKER_NONE)
                e->why_not = "its arguments look for the image's own volume";
        e->args = keep_text(g, &args);
        text_done(&folder);
}

/* ---- entries ---- */

/* For an id: small letters, digits and single dashes. */
static void slug(const char *s, struct text *out, size_t max) {
        for (; *s && out->n < max; s++) {
                char c = (char)tolower((unsigned char)*s);

                if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
                        text_char(out, c);
                else if (out->n > 0 && out->s[out->n - 1] != '-')
                        text_char(out, '-');
        }
        while (out->n > 0 && out->s[out->n - 1] == '-')
                out->s[--out->n] = '\0';
}

static const char *make_id(struct generic *g, const char *title) {
        struct text id = { 0 };

        if (*g->id)
                slug(g->id, &id, 30);
        else
                slug(*g->volume ? g->volume : "medium", &id, 20);
        if (*title) {
                text_char(&id, '-');
                slug(title, &id, 48);
        }
        if (id.n == 0)
                text_add(&id, "medium");
        return keep_text(g, &id);
}

static const char *keep_printable(struct generic *g, const char *s) {
        struct text out = { 0 };

        text_printable(&out, s, min_size(strlen(s), 120));
        return keep_text(g, &out);
}

static const char *make_title(struct generic *g, const char *title) {
        const char *of = *g->title ? g->title : g->volume;
        struct text out = { 0 };

        /* Between two hundred others "Start the live system" says nothing. */
        if (*of && !strcasestr(title, of)) {
                text_printable(&out, of, strlen(of));
                text_add(&out, ": ");
        }
        text_printable(&out, title, min_size(strlen(title), 120));
        return keep_text(g, &out);
}

/* On what a kernel runs that nobody said anything about. */
static uint32_t firmware_of(const struct generic *g, const char *kernel) {
        static const char *const arms[] = {
                "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Bb][Oo][Oo][Tt][Aa][Aa]64.[Ee][Ff][Ii]",
        };
        struct text path = { 0 };
        uint8_t header[4];
        bool is_arm;

        /* Linux, Documentation/arch/arm64/booting.rst: "ARM\x64" at 56. */
        if (media_tree_read(g->tree, kernel, 56, header, 4) == 4 &&
            memcmp(header, "ARM\x64", 4) == 0)
                return MEDIUM_UEFI_ARM64;
        is_arm = media_tree_find(g->tree, arms[0], &path);
        text_done(&path);
        return is_arm ? MEDIUM_UEFI_ARM64 : MEDIUM_BIOS | MEDIUM_UEFI_X64;
}

static const char *located(struct generic *g, const char *path, bool *ret_missing) {
        struct text at = { 0 };

        if (locate(g, path ? path : "", &at))
                return keep_text(g, &at);
        *ret_missing = true;
        text_done(&at);
        return keep(g, path && *path == '/' ? path + 1 : path ? path : "");
}

static void set_files(struct generic *g, struct medium_entry *e,
                      const struct loadermenu_entry *from) {
        bool is_missing = false;

        for (uint32_t i = 0; i < from->n_initrd; i++) {
                struct text args = { 0 }, unused = { 0 };

                e->initrd[i] = located(g, from->initrd[i], &is_missing);
                if (from->initrd_args[i])
                        keep_args(from->initrd_args[i], "", &args, &unused);
                e->initrd_args[i] = keep_text(g, &args);
                e->initrd_name[i] = "";
        }
        e->n_initrd = from->n_initrd;
        if (is_missing)
                e->why_not = "an initrd of it is not on the medium";
}

static bool is_already_there(const struct medium *m, const struct medium_entry *e) {
        for (uint32_t i = 0; i < m->n_entries; i++)
                if (strcmp(m->entries[i].kernel, e->kernel) == 0 &&
                    strcmp(m->entries[i].args, e->args) == 0)
                        return true;
        return false;
}

static void add_entry(struct generic *g, const struct loadermenu_entry *from,
                      const char *file) {
        struct medium *m = &g->found->medium;
        struct medium_entry e = { .help = "",
                                  .why_not = "",
                                  .remedy = "",
                                  .args = "",
                                  .secure_why_not = "",
                                  .answer_kind = "",
                                  .answer_args = "",
                                  .boot = from->boot };
        struct text help = { 0 };
        bool is_missing = false;

        if (from->boot == MEDIUM_MEMDISK)
                e.kernel = "/memdisk";
        else
                e.kernel = located(g, from->kernel, &is_missing);
        if (is_missing || m->n_entries == MEDIUM_ENTRIES_MAX)
                return;
        e.title = make_title(g, from->title && *from->title ? from->title : g->volume);
        e.id = make_id(g, from->title ? from->title : "");
        set_files(g, &e, from);
        set_args(g, &e, from->args ? from->args : "");
        if (e.boot == MEDIUM_LINUX && e.n_initrd == 0 && e.n_ways == 0)
                e.boot = MEDIUM_PROGRAM;
        e.firmware = e.boot == MEDIUM_MEMDISK ? MEDIUM_BIOS : firmware_of(g, e.kernel);
        if (e.boot == MEDIUM_EFI)
                e.firmware &= ~(uint32_t)MEDIUM_BIOS;
        text_add(&help, "As its own menu says, ");
        text_printable(&help, file, strlen(file));
        text_char(&help, '.');
        e.help = keep_text(g, &help);
        if (!is_already_there(m, &e))
                m->entries[m->n_entries++] = e;
}

/* ---- menus ---- */

static const struct {
        const char *pattern;
        void (*read)(struct loadermenu *menu, const char *path);
} menus[] = {
        { "boot/grub/grub.cfg", loadermenu_grub },
        { "boot/grub2/grub.cfg", loadermenu_grub },
        { "[Gg][Rr][Uu][Bb]/grub.cfg", loadermenu_grub },
        { "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Gg][Rr][Uu][Bb].[Cc][Ff][Gg]",
          loadermenu_grub },
        { "[Ee][Ff][Ii]/*/[Gg][Rr][Uu][Bb].[Cc][Ff][Gg]", loadermenu_grub },
        { "boot/grub/loopback.cfg", loadermenu_grub },
        { "isolinux/isolinux.cfg", loadermenu_syslinux },
        { "boot/isolinux/isolinux.cfg", loadermenu_syslinux },
        { "isolinux.cfg", loadermenu_syslinux },
        { "syslinux/isolinux.cfg", loadermenu_syslinux },
        { "syslinux/syslinux.cfg", loadermenu_syslinux },
        { "boot/syslinux/isolinux.cfg", loadermenu_syslinux },
        { "boot/syslinux/syslinux.cfg", loadermenu_syslinux },
        { "isolinux/syslinux.cfg", loadermenu_syslinux },
        { "syslinux.cfg", loadermenu_syslinux },
        { "boot/*/loader/isolinux.cfg", loadermenu_syslinux },
};

static void take_menu(struct generic *g, struct loadermenu *menu, const char *file) {
        struct medium *m = &g->found->medium;

        for (size_t i = 0; i < menu->n_entries; i++)
                add_entry(g, &menu->entries[i], file);
        g->failed |= menu->failed;
        loadermenu_done(menu);
        if (m->n_entries > 0 && m->n_recognised_by < MEDIUM_TEXTS_MAX)
                m->recognised_by[m->n_recognised_by++] = keep_printable(g, file);
}

static bool has_bootable(const struct medium *m) {
        for (uint32_t i = 0; i < m->n_entries; i++)
                if (!*m->entries[i].why_not)
                        return true;
        return false;
}

static void read_menus(struct generic *g) {
        for (size_t i = 0; i < ARRAY_SIZE(menus) && !has_bootable(&g->found->medium);
             i++) {
                struct loadermenu menu = { .read = read_menu, .userdata = g };
                struct text path = { 0 };

                if (media_tree_find(g->tree, menus[i].pattern, &path)) {
                        menus[i].read(&menu, path.s);
                        take_menu(g, &menu, path.s);
                }
                text_done(&path);
        }
}

static void read_loader_entries(struct generic *g) {
        struct loadermenu menu = { .read = read_menu, .userdata = g };
        char *names[FILES_MAX];
        size_t n =
                media_tree_list(g->tree, "loader/entries", "*.conf", names, FILES_MAX);

        for (size_t i = 0; i < n; i++) {
                struct text path = { 0 };

                text_add(&path, "loader/entries/");
                text_add(&path, names[i]);
                if (!path.failed)
                        loadermenu_bls(&menu, path.s);
                text_done(&path);
                free(names[i]);
        }
        if (n > 0)
                take_menu(g, &menu, "loader/entries");
}

/* ---- the whole image ---- */

/* How a whole image is started, and what is to be known of it. */
struct whole {
        enum medium_boot boot;
        uint32_t firmware;
        const char *id, *title, *args, *help;
};

static void add_whole(struct generic *g, const struct whole *how, uint64_t memory) {
        struct medium *m = &g->found->medium;
        struct medium_entry *e = &m->entries[m->n_entries];
        const char *name = *g->title ? g->title : *g->volume ? g->volume : "Image";
        struct text title = { 0 }, path = { 0 };

        if (m->n_entries == MEDIUM_ENTRIES_MAX)
                return;
        *e = (struct medium_entry){ .help = how->help,
                                    .boot = how->boot,
                                    .kernel = "/memdisk",
                                    .firmware = how->firmware,
                                    .args = how->args,
                                    .memory = memory,
                                    .why_not = "",
                                    .remedy = "",
                                    .secure_why_not = "",
                                    .answer_kind = "",
                                    .answer_args = "",
                                    .transports = MEDIUM_HTTP_ISO };
        text_printable(&title, name, strlen(name));
        text_add(&title, how->title);
        e->id = make_id(g, how->id);
        e->title = keep_text(g, &title);
        text_add(&path, "/iso/${name}");
        text_add(&path, g->tree->image);
        if (how->boot == MEDIUM_MEMDISK) {
                e->initrd[0] = keep_text(g, &path);
                e->initrd_name[0] = e->initrd_args[0] = "";
                e->n_initrd = 1;
        } else {
                e->kernel = keep_text(g, &path);
        }
        m->n_entries++;
}

static bool has(const struct generic *g, const char *pattern) {
        struct text path = { 0 };
        bool found = media_tree_find(g->tree, pattern, &path);

        text_done(&path);
        return found;
}

static const struct whole in_memory = {
        MEDIUM_MEMDISK,
        MEDIUM_BIOS,
        "memdisk",
        " (whole image, in memory)",
        "iso raw",
        "As a CD of BIOS; a system with drivers of its own will not find it."
};
static const struct whole by_ipxe = { MEDIUM_IMAGE,
                                      MEDIUM_BIOS,
                                      "sanboot",
                                      " (whole image, by iPXE)",
                                      "",
                                      "As a CD of BIOS that iPXE reads from here; a "
                                      "system with drivers of its own will "
                                      "not find it." };
static const struct whole by_http_boot = {
        MEDIUM_IMAGE, MEDIUM_UEFI_X64,
        "http-boot",  " (whole image, HTTP Boot)",
        "",           "UEFI keeps the image in memory as a disk."
};
static const struct whole floppy = { MEDIUM_MEMDISK, MEDIUM_BIOS,
                                     "floppy",       " (floppy, in memory)",
                                     "floppy raw",   "As a floppy disk of BIOS." };
static const struct whole hard_disk = {
        MEDIUM_MEMDISK,
        MEDIUM_BIOS,
        "disk",
        " (disk, in memory)",
        "harddisk raw",
        "As a disk of BIOS; a system with drivers of its own will not find it."
};

static void add_evidence(struct generic *g, const char *what) {
        struct medium *m = &g->found->medium;

        if (m->n_recognised_by < MEDIUM_TEXTS_MAX)
                m->recognised_by[m->n_recognised_by++] = what;
}

/* Of a disk or a floppy: 2.88 MB is the largest of those. */
static void offer_disk(struct generic *g, uint64_t size) {
        if (size <= FLOPPY_MAX)
                add_whole(g, &floppy, size + (16 << 20));
        else if (size <= MEMDISK_MAX)
                add_whole(g, &hard_disk, size + MEMORY_OF_SYSTEM / 4);
        if (size > FLOPPY_MAX)
                add_whole(g, &by_http_boot, size + MEMORY_OF_SYSTEM);
        add_evidence(g, "the image of a disk");
}

/* El Torito's images are shown in a folder of the index, named for their platform. */
static void offer_image(struct generic *g) {
        bool has_bios =
                has(g, "[[]BOOT]/*-BIOS.img") || has(g, "isolinux/isolinux.bin");
        bool has_uefi = has(g, "[[]BOOT]/*-UEFI.img") ||
                        has(g, "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/"
                               "[Bb][Oo][Oo][Tt][Xx]64.[Ee][Ff][Ii]");
        uint64_t size = image_size(g);

        if (!g->tree->image)
                return;
        if (!is_disc(g)) {
                offer_disk(g, size);
                return;
        }
        if (has_bios && size <= MEMDISK_MAX)
                add_whole(g, &in_memory, size + MEMORY_OF_SYSTEM / 4);
        if (has_bios)
                add_whole(g, &by_ipxe, 0);
        if (has_uefi)
                add_whole(g, &by_http_boot, size + MEMORY_OF_SYSTEM);
        if (has_bios || has_uefi)
                add_evidence(g, "it can be booted as an image");
}

int generic_add(const struct media_tree *tree, const char *volume, const char *id,
                const char *title, const char *why_not, struct recipe_found *found) {
        struct generic g = { .tree = tree,
                             .volume = volume,
                             .id = id,
                             .title = title,
                             .why_not = why_not,
                             .found = found };
        const struct medium *m = &found->medium;

        read_menus(&g);
        if (!has_bootable(m))
                read_loader_entries(&g);
        if (!has_bootable(m))
                offer_image(&g);
        return g.failed ? -ENOMEM : 0;
}

int generic_match(const struct media_tree *tree, const char *volume,
                  struct recipe_found *ret) {
        struct recipe_found found = { 0 };
        struct medium *m = &found.medium;

        m->system = "unknown";
        m->version = m->edition = m->arch = "";
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++)
                m->loaders[i] = (struct medium_loader){ "", "" };
        if (generic_add(tree, volume, "", "", "", &found) < 0) {
                recipe_found_done(&found);
                return -ENOMEM;
        }
        *ret = found;
        return m->n_entries > 0;
}
