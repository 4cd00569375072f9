/*
 * Names, JSON and one line of prose about a medium.
 */
#include "media/medium.h"

static const char *const firmware_names[MEDIUM_N_FIRMWARE] = { "bios", "uefi-x64",
                                                               "uefi-ia32",
                                                               "uefi-arm64" };
static const char *const transport_names[MEDIUM_N_TRANSPORTS] = {
        "tftp", "http", "ftp", "nfs", "http-iso", "nfs-iso"
};

static const char *const boot_names[MEDIUM_N_BOOTS] = {
        [MEDIUM_LINUX] = "linux",
        [MEDIUM_PROGRAM] = "program",
        [MEDIUM_MULTIBOOT] = "multiboot",
        [MEDIUM_EFI] = "efi",
        [MEDIUM_NBP] = "nbp",
        [MEDIUM_WIM] = "wim",
        [MEDIUM_ESXI] = "esxi",
        [MEDIUM_MEMDISK] = "memdisk",
        [MEDIUM_IMAGE] = "image",
};

/* Which loader reads the menu on that firmware; the policy may know better ones. */
static const char *const loader_names[MEDIUM_N_FIRMWARE] = { "pxelinux", "grub", "grub",
                                                             "grub" };

const char *medium_firmware_name(unsigned i) {
        return i < MEDIUM_N_FIRMWARE ? firmware_names[i] : NULL;
}

const char *medium_transport_name(unsigned i) {
        return i < MEDIUM_N_TRANSPORTS ? transport_names[i] : NULL;
}

const char *medium_boot_name(unsigned boot) {
        return boot < MEDIUM_N_BOOTS ? boot_names[boot] : NULL;
}

bool medium_boot_parse(const char *name, enum medium_boot *ret) {
        for (unsigned i = 0; i < MEDIUM_N_BOOTS; i++)
                if (strcmp(boot_names[i], name) == 0) {
                        *ret = (enum medium_boot)i;
                        return true;
                }
        return false;
}

static uint32_t parse_name(const char *const *names, unsigned n, const char *name) {
        for (unsigned i = 0; i < n; i++)
                if (strcmp(names[i], name) == 0)
                        return (uint32_t)1 << i;
        return 0;
}

uint32_t medium_firmware_parse(const char *name) {
        return parse_name(firmware_names, MEDIUM_N_FIRMWARE, name);
}

uint32_t medium_transport_parse(const char *name) {
        return parse_name(transport_names, MEDIUM_N_TRANSPORTS, name);
}

static void json_list(struct text *out, const char *key, const char *const *texts,
                      uint32_t n) {
        text_json_key(out, key);
        text_char(out, '[');
        for (uint32_t i = 0; i < n; i++) {
                text_json_next(out);
                text_json_string(out, texts[i], strlen(texts[i]));
        }
        text_char(out, ']');
}

/* An empty string means that there is nothing to say. */
static void json_optional(struct text *out, const char *key, const char *value) {
        text_json_pair(out, key, value && *value ? value : NULL);
}

static void json_memory(struct text *out, uint64_t memory) {
        text_json_key(out, "memory");
        if (memory)
                text_u64(out, memory);
        else
                text_add(out, "null");
}

/* Where `---` stands as a word of its own; the end when it does not. */
static size_t before_dashes(const char *args) {
        for (const char *at = args; *at; at++)
                if (strncmp(at, "---", 3) == 0 && (at == args || at[-1] == ' ') &&
                    (at[3] == ' ' || at[3] == '\0'))
                        return (size_t)(at - args);
        return strlen(args);
}

static void add_piece(struct text *out, const char *piece, size_t n) {
        while (n > 0 && piece[n - 1] == ' ')
                n--;
        if (n > 0 && out->n > 0 && out->s[out->n - 1] != ' ')
                text_char(out, ' ');
        text_bytes(out, piece, n);
}

void medium_entry_args(const struct medium_entry *e, uint32_t way, struct text *out) {
        const char *args = e->args ? e->args : "";
        size_t n = before_dashes(args);

        add_piece(out, args, n);
        if (way < e->n_ways)
                add_piece(out, e->ways[way].args, strlen(e->ways[way].args));
        add_piece(out, args + n, strlen(args + n));
}

/* The whole line, of one way. */
static void json_args(struct text *out, const struct medium_entry *e, uint32_t way) {
        struct text args = { 0 };

        medium_entry_args(e, way, &args);
        text_json_pair(out, "args", text_string(&args));
        out->failed |= args.failed;
        text_done(&args);
}

static void ways_json(const struct medium_entry *e, struct text *out) {
        text_json_key(out, "ways");
        text_char(out, '[');
        for (uint32_t i = 0; i < e->n_ways; i++) {
                text_json_next(out);
                text_char(out, '{');
                for (unsigned bit = 0; bit < MEDIUM_N_TRANSPORTS; bit++)
                        if (e->ways[i].transport >> bit & 1)
                                text_json_pair(out, "transport", transport_names[bit]);
                json_args(out, e, i);
                json_memory(out, e->ways[i].memory);
                text_char(out, '}');
        }
        text_char(out, ']');
}

/* What came to an entry's first fields later: of the way it is started. */
static void entry_json_more(const struct medium_entry *e, struct text *out) {
        text_json_pair(out, "boot", boot_names[e->boot]);
        json_optional(out, "help", e->help);
        ways_json(e, out);
        json_optional(out, "remedy", e->remedy);
        text_json_key(out, "secure_boot");
        text_char(out, '{');
        text_json_pair_bool(out, "passes", !e->secure_why_not || !*e->secure_why_not);
        json_optional(out, "why", e->secure_why_not);
        text_char(out, '}');
        text_json_key(out, "answer");
        if (!e->answer_kind || !*e->answer_kind) {
                text_add(out, "null");
                return;
        }
        text_char(out, '{');
        text_json_pair(out, "kind", e->answer_kind);
        text_json_pair(out, "args", e->answer_args);
        text_char(out, '}');
}

static void entry_json(const struct medium_entry *e, struct text *out) {
        const char *transports[MEDIUM_N_TRANSPORTS];
        uint32_t n_transports = 0;

        text_char(out, '{');
        text_json_pair(out, "id", e->id);
        text_json_pair(out, "title", e->title);
        json_optional(out, "kernel", e->kernel);
        json_list(out, "initrd", e->initrd, e->n_initrd);
        json_args(out, e, 0);
        text_json_key(out, "loaders");
        text_char(out, '{');
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++)
                if (e->firmware >> i & 1)
                        text_json_pair(out, firmware_names[i], loader_names[i]);
        text_char(out, '}');
        for (unsigned i = 0; i < MEDIUM_N_TRANSPORTS; i++)
                if (e->transports >> i & 1)
                        transports[n_transports++] = transport_names[i];
        json_list(out, "transports", transports, n_transports);
        json_memory(out, e->memory || !e->n_ways ? e->memory : e->ways[0].memory);
        json_optional(out, "why_not", e->why_not);
        entry_json_more(e, out);
        text_char(out, '}');
}

static bool is_there(const char *path) {
        return path && *path;
}

/* By firmware, and only where there is one. */
static void loaders_json(const struct medium *m, struct text *out) {
        text_json_key(out, "loaders");
        text_char(out, '{');
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++) {
                if (!is_there(m->loaders[i].shim) && !is_there(m->loaders[i].grub))
                        continue;
                text_json_key(out, firmware_names[i]);
                text_char(out, '{');
                json_optional(out, "shim", m->loaders[i].shim);
                json_optional(out, "grub", m->loaders[i].grub);
                json_optional(out, "why_not", m->loaders[i].why_not);
                json_optional(out, "proxy_why_not", m->loaders[i].proxy_why_not);
                text_char(out, '}');
        }
        text_char(out, '}');
}

void medium_json(const struct medium *m, struct text *out) {
        text_char(out, '{');
        text_json_pair(out, "name", m->name);
        text_json_pair(out, "path", m->path);
        text_json_pair(out, "kind", medium_kind_name(m->kind));
        text_json_pair_u64(out, "size", m->size);
        text_json_pair(out, "system", m->system);
        json_optional(out, "version", m->version);
        json_optional(out, "edition", m->edition);
        json_optional(out, "arch", m->arch);
        json_list(out, "recognised_by", m->recognised_by, m->n_recognised_by);
        json_list(out, "problems", m->problems, m->n_problems);
        text_json_key(out, "entries");
        text_char(out, '[');
        for (uint32_t i = 0; i < m->n_entries; i++) {
                text_json_next(out);
                entry_json(&m->entries[i], out);
        }
        text_char(out, ']');
        loaders_json(m, out);
        text_char(out, '}');
}

static void add_word(struct text *out, const char *word) {
        if (!*word)
                return;
        text_char(out, ' ');
        text_printable(out, word, strlen(word));
}

void medium_describe(const struct medium *m, struct text *out) {
        if (strcmp(m->system, "unknown") == 0) {
                text_add(out, "unknown system");
                return;
        }
        text_printable(out, m->system, strlen(m->system));
        add_word(out, m->version);
        add_word(out, m->edition);
        if (*m->arch) {
                text_add(out, " (");
                text_printable(out, m->arch, strlen(m->arch));
                text_char(out, ')');
        }
}

static char name_char(char c) {
        if (c >= 'A' && c <= 'Z')
                return (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_')
                return c;
        return '-';
}

/* Those of images first, then plain archives, then compressed ones. */
static const char *const suffixes[] = { ".iso",    ".img",     ".tar",
                                        ".tar.gz", ".tgz",     ".tar.xz",
                                        ".txz",    ".tar.bz2", ".tar.zst" };
enum { SUFFIX_TAR = 2, SUFFIX_COMPRESSED = 3 };

static bool has_suffix(const char *name, size_t n, const char *suffix) {
        size_t n_suffix = strlen(suffix);

        return n > n_suffix && strncasecmp(name + n - n_suffix, suffix, n_suffix) == 0;
}

size_t medium_suffix_length(const char *name, size_t n) {
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (has_suffix(name, n, suffixes[i]))
                        return strlen(suffixes[i]);
        return 0;
}

bool medium_is_archive_name(const char *name, bool *ret_is_compressed) {
        for (size_t i = SUFFIX_TAR; i < ARRAY_SIZE(suffixes); i++)
                if (has_suffix(name, strlen(name), suffixes[i])) {
                        *ret_is_compressed = i >= SUFFIX_COMPRESSED;
                        return true;
                }
        return false;
}

const char *medium_kind_name(enum medium_kind kind) {
        static const char *const names[] = { "iso", "tree", "archive", "disk" };

        return names[kind];
}

const char *medium_image_suffix(enum medium_kind kind) {
        return kind == MEDIUM_ISO ? ".iso" : kind == MEDIUM_DISK ? ".img" : NULL;
}

void medium_name_from_path(const char *path, char ret[static MEDIUM_NAME_MAX]) {
        size_t n = strlen(path), at = 0;
        const char *base;

        while (n > 0 && path[n - 1] == '/')
                n--;
        base = n ? memrchr(path, '/', n) : NULL;
        base = base ? base + 1 : path;
        n -= (size_t)(base - path);
        n -= medium_suffix_length(base, n);
        for (size_t i = 0; i < n && at < MEDIUM_NAME_MAX - 1; i++) {
                char c = name_char(base[i]);

                /* No dot or dash in front, no two dashes in a row. */
                if ((at == 0 && (c == '-' || c == '.')) ||
                    (c == '-' && ret[at - 1] == '-'))
                        continue;
                ret[at++] = c;
        }
        while (at > 0 && (ret[at - 1] == '-' || ret[at - 1] == '.'))
                at--;
        if (at == 0) {
                memcpy(ret, "medium", 6);
                at = 6;
        }
        ret[at] = '\0';
}
