/*
 * Making entries of what a recipe found. An entry stands on files that are on the
 * medium; one whose files are not there is listed with that as its reason, and never
 * in a menu.
 */
#include <ctype.h>
#include <sys/stat.h>

#include "media/match.h"

enum { ID_MAX = 48 };

/* Lower case, digits, '.', '_' and single dashes: an id is written in files, typed and
 * sent in menus. */
const char *match_keep_id(struct matching *m, const char *template) {
        struct text from = { 0 };
        char id[ID_MAX + 1];
        size_t n = 0;
        const char *s;

        match_expand(m, template, &from);
        for (s = text_string(&from); *s && n < ID_MAX; s++) {
                char c = (char)tolower((unsigned char)*s);
                bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                               ((c == '.' || c == '_') && n > 0);

                if (is_good)
                        id[n++] = c;
                else if (n > 0 && id[n - 1] != '-')
                        id[n++] = '-';
        }
        while (n > 0 && id[n - 1] == '-')
                n--;
        id[n] = '\0';
        text_done(&from);
        return match_keep(m, n ? id : "entry");
}

static const struct {
        const char *arch;
        uint32_t firmware;
} arches[] = {
        { "amd64", MEDIUM_BIOS | MEDIUM_UEFI_X64 },
        { "x86_64", MEDIUM_BIOS | MEDIUM_UEFI_X64 },
        { "i386", MEDIUM_BIOS | MEDIUM_UEFI_IA32 },
        { "i486", MEDIUM_BIOS | MEDIUM_UEFI_IA32 },
        { "i586", MEDIUM_BIOS | MEDIUM_UEFI_IA32 },
        { "i686", MEDIUM_BIOS | MEDIUM_UEFI_IA32 },
        { "x86", MEDIUM_BIOS | MEDIUM_UEFI_IA32 },
        { "arm64", MEDIUM_UEFI_ARM64 },
        { "aarch64", MEDIUM_UEFI_ARM64 },
};

static uint32_t firmware_of(const char *arch) {
        for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
                if (strcmp(arches[i].arch, arch) == 0)
                        return arches[i].firmware;
        return 0;
}

static bool is_on_medium(struct matching *m, const char *path) {
        struct text found = { 0 };
        bool is = !strpbrk(path, "*?[\\") && media_tree_find(m->tree, path, &found);

        text_done(&found);
        return is;
}

static const char *why_missing(struct matching *m, const char *path) {
        struct text why = { 0 };
        const char *kept;

        text_printable(&why, path, strlen(path));
        text_add(&why, " is not on the medium");
        kept = match_keep(m, text_string(&why));
        text_done(&why);
        return kept;
}

/* A template that begins with '/' is a path of the served tree, made on the way;
 * nothing that comes from the medium can turn into one. */
static bool is_served(const char *template) {
        return template && template[0] == '/';
}

static const char *keep_path(struct matching *m, const char *template) {
        return match_keep_expanded(m, template ? template : "",
                                   is_served(template) ? RECIPE_SERVED_PATH
                                                       : RECIPE_PLAIN);
}

/* To be given whole: not a tree, and not a disk, whose files lie in a partition. */
static bool is_disc(const struct matching *m) {
        return m->tree->image && strcmp(m->tree->image, ".iso") == 0;
}

/* Of what is served at other places, the image itself is there for an image alone. */
static bool is_served_now(const struct matching *m, const char *template) {
        return is_disc(m) || !strstr(template, ".iso");
}

static bool is_anywhere(struct matching *m, const char *template, const char *path) {
        return is_served(template) ? is_served_now(m, template) : is_on_medium(m, path);
}

/* An entry whose files are not there must not be in a menu. */
static const char *why_not(struct matching *m, const struct recipe_entry *from,
                           const struct medium_entry *entry) {
        if (!is_anywhere(m, from->kernel, entry->kernel))
                return why_missing(m, entry->kernel);
        for (uint32_t i = 0; i < entry->n_initrd; i++)
                if (!is_anywhere(m, from->initrd[i].file, entry->initrd[i]))
                        return why_missing(m, entry->initrd[i]);
        if (from->n_ways > 0 && entry->n_ways == 0)
                return "the rest of it comes from the image, and these are its files "
                       "alone";
        if (entry->firmware == 0)
                return "machines of its architecture cannot be served yet";
        return "";
}

/* Of the image, when the recipe says "/"; a tree has none. */
static uint64_t size_of(const struct matching *m, const char *path) {
        struct stat st;

        if (strcmp(path, "/") != 0)
                return media_tree_size(m->tree, path);
        return m->tree->image && fstat(m->tree->fd, &st) == 0 ? (uint64_t)st.st_size
                                                              : 0;
}

static uint64_t memory_of(struct matching *m, const struct recipe_memory *from) {
        struct text path = { 0 };
        uint64_t memory = from->bytes;

        if (from->of) {
                match_expand(m, from->of, &path);
                memory += size_of(m, text_string(&path));
                text_done(&path);
        }
        return memory;
}

/* What a kind of loading can be started on, of what the architecture starts on. */
static uint32_t firmware_for(enum medium_boot boot, const char *arch) {
        uint32_t all = firmware_of(arch);

        switch (boot) {
        case MEDIUM_NBP:
        case MEDIUM_MEMDISK:
                return all & MEDIUM_BIOS;
        case MEDIUM_EFI:
                return all & ~(uint32_t)MEDIUM_BIOS;
        default:
                return all;
        }
}

/* A tree has no image to hand over. */
static bool needs_image(uint32_t transport) {
        return transport == MEDIUM_HTTP_ISO || transport == MEDIUM_NFS_ISO;
}

static void add_ways(struct matching *m, const struct recipe_entry *from,
                     struct medium_entry *e) {
        for (uint32_t i = 0; i < from->n_ways; i++) {
                const struct recipe_way *way = &from->ways[i];
                size_t n_variables = m->n_variables;

                if ((is_disc(m) || !needs_image(way->transport)) &&
                    match_all_hold(m, &way->when)) {
                        e->ways[e->n_ways++] = (struct medium_way){
                                .transport = way->transport,
                                .args = match_keep_expanded(m, way->args, RECIPE_ARGS),
                                .memory = memory_of(m, &way->memory)
                        };
                        e->transports |= way->transport;
                }
                match_forget_after(m, n_variables);
        }
}

static void add_initrds(struct matching *m, const struct recipe_entry *from,
                        struct medium_entry *e) {
        for (uint32_t i = 0; i < from->n_initrd; i++) {
                const struct recipe_initrd *initrd = &from->initrd[i];

                e->initrd[i] = keep_path(m, initrd->file);
                e->initrd_name[i] = match_keep_expanded(m, initrd->name, RECIPE_PLAIN);
                e->initrd_args[i] = match_keep_expanded(m, initrd->args, RECIPE_ARGS);
        }
        e->n_initrd = from->n_initrd;
}

static void add_entry(struct matching *m, const struct recipe_entry *from) {
        struct medium *medium = &m->found->medium;
        struct medium_entry *e = &medium->entries[medium->n_entries++];

        *e = (struct medium_entry){
                .id = match_keep_id(m, from->id),
                .title = match_keep_title(m, from->title),
                .help = match_keep_title(m, from->help),
                .boot = from->boot,
                .kernel = keep_path(m, from->kernel),
                .args = match_keep_expanded(m, from->args, RECIPE_ARGS),
                .answer_kind = match_keep(m, from->answer_kind),
                .answer_args = match_keep_expanded(m, from->answer_args, RECIPE_ANSWER),
                .why_not = match_keep_title(m, from->why_not),
                .remedy = match_keep_title(m, from->remedy),
                .secure_why_not = "",
                .firmware = from->firmware ? from->firmware
                                           : firmware_for(from->boot, medium->arch),
                .transports = from->transports,
                .memory = memory_of(m, &from->memory),
        };
        add_initrds(m, from, e);
        add_ways(m, from, e);
        if (!*e->why_not)
                e->why_not = why_not(m, from, e);
}

/* ---- loaders ---- */

/* UEFI 2.10 3.5.1.1: the name under which firmware looks for a removable medium's
 * loader. Where GRUB's own lies beside it, that one is shim. */
static const struct {
        const char *first, *second;
} default_loaders[MEDIUM_N_FIRMWARE] = {
        { NULL, NULL },
        { "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Bb][Oo][Oo][Tt][Xx]64.[Ee][Ff][Ii]",
          "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Gg][Rr][Uu][Bb][Xx]64.[Ee][Ff][Ii]" },
        { "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Bb][Oo][Oo][Tt][Ii][Aa]32.[Ee][Ff][Ii]",
          "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Gg][Rr][Uu][Bb][Ii][Aa]32.[Ee][Ff][Ii]" },
        { "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Bb][Oo][Oo][Tt][Aa][Aa]64.[Ee][Ff][Ii]",
          "[Ee][Ff][Ii]/[Bb][Oo][Oo][Tt]/[Gg][Rr][Uu][Bb][Aa][Aa]64.[Ee][Ff][Ii]" },
};

static const char *find_path(struct matching *m, const char *template) {
        struct text pattern = { 0 }, path = { 0 };
        const char *kept = "";

        if (template)
                match_expand(m, template, &pattern);
        if (template && media_tree_find(m->tree, text_string(&pattern), &path))
                kept = match_keep(m, text_string(&path));
        text_done(&pattern);
        text_done(&path);
        return kept;
}

static void add_loaders(struct matching *m, const struct recipe *recipe) {
        struct medium *medium = &m->found->medium;

        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++) {
                struct medium_loader *loader = &medium->loaders[i];
                const struct recipe_loader *said = &recipe->loaders[i];
                const char *first;

                if (said->shim || said->grub) {
                        loader->shim = find_path(m, said->shim);
                        loader->grub = find_path(m, said->grub);
                        continue;
                }
                first = find_path(m, default_loaders[i].first);
                loader->grub = find_path(m, default_loaders[i].second);
                loader->shim = *loader->grub ? first : "";
        }
}

/* ---- all of it ---- */

static void add_problems(struct matching *m, const struct recipe *recipe) {
        struct medium *medium = &m->found->medium;

        for (size_t i = 0; i < recipe->n_problems; i++) {
                const struct recipe_problem *problem = &recipe->problems[i];
                size_t n_variables = m->n_variables;

                if (match_all_hold(m, &problem->when))
                        medium->problems[medium->n_problems++] =
                                match_keep_title(m, problem->say);
                match_forget_after(m, n_variables);
        }
}

void match_add_entries(struct matching *m, const struct recipe *recipe) {
        add_loaders(m, recipe);
        add_problems(m, recipe);
        for (size_t i = 0; i < recipe->n_entries; i++) {
                size_t n_variables = m->n_variables;

                if (m->found->medium.n_entries < MEDIUM_ENTRIES_MAX &&
                    match_all_hold(m, &recipe->entries[i].when))
                        add_entry(m, &recipe->entries[i]);
                match_forget_after(m, n_variables);
        }
}
