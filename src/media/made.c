/*
 * A table of names and what each stands for. What is made of a medium is told apart by
 * the name alone, so that a door that only looks needs nobody's answer.
 */
#include "media/made.h"

static const struct {
        const char *name;
        enum made_kind kind;
        const char *needs; /* of the medium */
} names[] = {
        { "boot.cfg", MADE_BOOT_CFG, "boot.cfg" },
        { "mboot.efi", MADE_MBOOT_EFI, "efi/boot/bootx64.efi" },
        { "crypto64.efi", MADE_CRYPTO_EFI, "efi/boot/crypto64.efi" },
        { "winpeshl.ini", MADE_WINPESHL, "sources/boot.wim" },
        { "startnet.cmd", MADE_STARTNET, "sources/boot.wim" },
};

static bool ends_with(const char *s, size_t n, const char *end) {
        size_t n_end = strlen(end);

        return n > n_end && memcmp(s + n - n_end, end, n_end) == 0;
}

static bool is(const char *s, size_t n, const char *word) {
        return strlen(word) == n && memcmp(s, word, n) == 0;
}

/* What follows made/NAME/. */
static bool parse_name(const char *s, struct made *made) {
        size_t n = strcspn(s, "/");

        if (s[n] == '/') {
                made->kind = MADE_INITRD;
                made->name = s;
                made->n_name = n;
                return is(s + n + 1, strlen(s + n + 1), "initrd");
        }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (is(s, n, names[i].name)) {
                        made->kind = names[i].kind;
                        return true;
                }
        made->kind = MADE_CPIO;
        made->name = s;
        made->n_name = n - strlen(".cpio");
        return ends_with(s, n, ".cpio");
}

bool made_parse(const char *path, struct made *ret) {
        static const char top[] = "made/";
        struct made made = { 0 };

        if (strncmp(path, top, strlen(top)) != 0)
                return false;
        made.medium = path + strlen(top);
        made.n_medium = strcspn(made.medium, "/");
        if (made.n_medium == 0 || made.medium[made.n_medium] != '/' ||
            !parse_name(made.medium + made.n_medium + 1, &made))
                return false;
        *ret = made;
        return true;
}

const char *made_needs(enum made_kind kind) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (names[i].kind == kind)
                        return names[i].needs;
        return NULL;
}

static void name_archive(const struct medium *medium, struct text *ret) {
        bool is_proxmox = strcmp(medium->system, "proxmox") == 0;

        text_add(ret, is_proxmox ? "proxmox" : medium->name);
        text_add(ret, medium_image_suffix(medium->kind));
        text_add(ret, ".cpio");
}

bool made_name(const struct medium *medium, made_has_fn has, void *userdata, size_t i,
               struct text *ret, bool *ret_is_folder) {
        *ret_is_folder = false;
        if (medium_image_suffix(medium->kind) && i-- == 0) {
                name_archive(medium, ret);
                return true;
        }
        for (size_t j = 0; j < ARRAY_SIZE(names); j++)
                if (has(names[j].needs, userdata) && i-- == 0) {
                        text_add(ret, names[j].name);
                        return true;
                }
        for (uint32_t j = 0; j < medium->n_entries; j++)
                if (medium->entries[j].n_initrd > 0 && i-- == 0) {
                        text_add(ret, medium->entries[j].id);
                        *ret_is_folder = true;
                        return true;
                }
        return false;
}
