/*
 * The entries of a medium, as the menus of all firmware will have them. Nothing is made
 * up here: a start is what menu_preview gives, and a loader that cannot start an entry
 * (pxelinux an image that iPXE could read) leads to the next kind that can, which is
 * said as what the machine has to be pinned to.
 */
#include "cli/media_starts.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "media/signature.h"
#include "media/tree.h"
#include "role/loader_places.h"
#include "role/menu_preview.h"

/* AUTO is what the configuration says; the others are tried after it. */
static const enum policy_kind pins[] = { POLICY_KIND_AUTO, POLICY_KIND_SNPONLY,
                                         POLICY_KIND_IPXE };

struct starts {
        const struct conf *conf;
        const struct media_here *here;
        struct loader_places places;
        struct media_tree tree;
        struct medium medium;
        struct menu_medium offered;
        struct menu_preview_wish wish;
        struct menu_preview previews[MEDIUM_N_FIRMWARE][ARRAY_SIZE(pins)];
        bool failed;
};

static json_t *text_json(const char *s) {
        return s && *s ? json_string(s) : json_null();
}

static void set(struct starts *s, json_t *object, const char *key, json_t *value) {
        s->failed |= json_object_set_new(object, key, value) < 0;
}

static void append(struct starts *s, json_t *array, json_t *value) {
        s->failed |= json_array_append_new(array, value) < 0;
}

/* ---- where we are ---- */

/* Of the one interface that is served; 0 where there are several, or several addresses
 * on it: then it depends on where the machine is. */
static ip4_t only_address(const struct conf *conf) {
        struct ifaddrs *all = NULL;
        ip4_t found = 0;
        size_t n = 0;

        if (conf->interfaces.n != 1 || getifaddrs(&all) < 0)
                return 0;
        for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
                const struct sockaddr_in *address = (const void *)at->ifa_addr;

                if (!address || address->sin_family != AF_INET ||
                    strcmp(at->ifa_name, conf->interfaces.items[0]) != 0)
                        continue;
                found = ntohl(address->sin_addr.s_addr);
                n++;
        }
        freeifaddrs(all);
        return n == 1 ? found : 0;
}

/* ---- one start ---- */

static const char *install_for(const struct menu_preview *preview) {
        return preview->is_missing ? policy_loader_package(preview->decision.loader)
                                   : "";
}

static void add_lines(struct starts *s, const char *text, json_t *lines) {
        while (*text) {
                size_t blanks = strspn(text, " "), n = strcspn(text, "\n");

                blanks = min_size(blanks, 8); /* deeper ones show how it is nested */
                if (n > blanks)
                        append(s, lines, json_stringn(text + blanks, n - blanks));
                text += n + (text[n] == '\n');
        }
}

/* What starts the entry is a file of a package's, memdisk say, and is not here: where
 * to get it. */
static json_t *missing_helper(const struct starts *s, const struct menu_entry *entry) {
        enum policy_loader helper = policy_loader_by_file(menu_text(entry->kernel));
        const char *package = policy_loader_package(helper);

        if (helper == POLICY_LOADER_NONE ||
            loader_places_has(&s->places, entry->kernel))
                return json_null();
        return json_string(
                *package ? package
                         : "no package has it; put it into a folder of loaders");
}

static void add_entry(struct starts *s, const struct menu_entry *entry, json_t *start) {
        json_t *initrd = json_array();

        set(s, start, "install_kernel", missing_helper(s, entry));

        for (size_t i = 0; i < entry->n_files; i++)
                append(s, initrd, json_string(entry->files[i].path));
        set(s, start, "kernel", text_json(entry->kernel));
        set(s, start, "initrd", initrd);
        set(s, start, "args", json_string(menu_text(entry->args)));
}

static void add_loader(struct starts *s, const struct menu_preview *preview,
                       enum policy_kind pin, json_t *start) {
        const struct policy_decision *d = &preview->decision;

        set(s, start, "loader", text_json(policy_loader_file(d->loader)));
        set(s, start, "dialect", text_json(policy_dialect_name(d->dialect)));
        set(s, start, "install", text_json(install_for(preview)));
        set(s, start, "pinned",
            pin == POLICY_KIND_AUTO ? json_null() : json_string(policy_kind_word(pin)));
}

/* Why the menu of this firmware does not have an entry that boots on it. */
static const char *absence(const struct menu_preview *preview, bool is_offered) {
        if (!preview->model)
                return preview->decision.why;
        return is_offered ? "no loader of this firmware can start it"
                          : "the doors that it needs are shut: see http.port and nfs";
}

static json_t *make_start(struct starts *s, unsigned firmware, const char *id) {
        struct menu_preview *of = s->previews[firmware];
        json_t *start = json_object(), *lines = json_array();
        const struct menu_entry *entry = NULL;
        bool is_offered = false, can = false;

        set(s, start, "firmware", json_string(medium_firmware_name(firmware)));
        for (size_t i = 0; i < ARRAY_SIZE(pins) && !can; i++) {
                struct text out = { 0 };

                entry = menu_preview_entry(&of[i], id);
                is_offered |= entry != NULL;
                can = entry && menu_preview_lines(&of[i], entry, &out);
                if (can) {
                        add_loader(s, &of[i], pins[i], start);
                        add_entry(s, entry, start);
                        add_lines(s, text_string(&out), lines);
                }
                s->failed |= out.failed;
                text_done(&out);
        }
        set(s, start, "lines", lines);
        set(s, start, "why_not",
            can ? json_null() : text_json(absence(&of[0], is_offered)));
        return start;
}

/* ---- signed chains ---- */

static json_t *signer_names(struct starts *s, const struct signature *signature) {
        json_t *names = json_array();

        for (size_t i = 0; i < signature->n_signers; i++)
                append(s, names, json_string(signature->signers[i].issuer));
        return names;
}

static void add_link(struct starts *s, json_t *chain, const char *file,
                     const char *path) {
        bool is_inside = path != NULL;
        struct signature signature = { 0 };
        struct text found = { 0 };
        json_t *link = json_object();

        if (is_inside)
                (void)!signature_read_inside(&s->tree, path, &signature);
        else if (loader_places_path(&s->places, file, &found))
                (void)!signature_read_host(text_string(&found), &signature);
        set(s, link, "file", json_string(file));
        set(s, link, "path", text_json(is_inside ? path : text_string(&found)));
        set(s, link, "of_medium", json_boolean(is_inside));
        set(s, link, "signers", signer_names(s, &signature));
        set(s, link, "trusts",
            text_json(signature.is_shim ? signature.vendor.subject : NULL));
        append(s, chain, link);
        text_done(&found);
}

/* By which links such a machine comes to its kernel, or why there is no way. */
static json_t *make_chain(struct starts *s, unsigned firmware) {
        struct menu_preview preview = { 0 };
        const struct policy_decision *d = &preview.decision;
        json_t *secure = json_object(), *chain = json_array();
        bool is_own;

        s->wish.firmware = firmware;
        s->wish.pin = POLICY_KIND_AUTO;
        s->wish.is_secure = true;
        s->failed |= menu_preview_new(&s->wish, &preview) < 0;
        s->wish.is_secure = false;
        is_own = strncmp(d->file, "secure/", 7) == 0;
        if (preview.model) {
                const struct medium_loader *own = &s->medium.loaders[firmware];

                add_link(s, chain, policy_loader_file(d->loader),
                         is_own ? own->shim : NULL);
                add_link(s, chain,
                         policy_loader_file(
                                 policy_loader_of(POLICY_KIND_GRUB, d->firmware)),
                         is_own ? own->grub : NULL);
        }
        set(s, secure, "firmware", json_string(medium_firmware_name(firmware)));
        set(s, secure, "chain", chain);
        set(s, secure, "install", text_json(install_for(&preview)));
        set(s, secure, "why_not", preview.model ? json_null() : text_json(d->why));
        menu_preview_done(&preview);
        return secure;
}

static void add_chains(struct starts *s, json_t *medium) {
        json_t *chains = json_array();
        uint32_t firmware = 0;

        for (uint32_t i = 0; i < s->medium.n_entries; i++)
                if (!s->medium.entries[i].why_not[0])
                        firmware |= s->medium.entries[i].firmware;
        for (unsigned i = 1; i < MEDIUM_N_FIRMWARE; i++)
                if (firmware >> i & 1)
                        append(s, chains, make_chain(s, i));
        set(s, medium, "secure_boot", chains);
}

static void add_kernel_signers(struct starts *s, const struct medium_entry *e,
                               json_t *entry) {
        json_t *secure = json_object_get(entry, "secure_boot");
        struct signature signature = { 0 };

        if (e->kernel[0] != '/')
                (void)!signature_read_inside(&s->tree, e->kernel, &signature);
        if (secure)
                set(s, secure, "kernel_signers", signer_names(s, &signature));
}

/* ---- all of a medium ---- */

static void preview_all(struct starts *s) {
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++)
                for (size_t k = 0; k < ARRAY_SIZE(pins); k++) {
                        s->wish.firmware = i;
                        s->wish.pin = pins[k];
                        s->failed |= menu_preview_new(&s->wish, &s->previews[i][k]) < 0;
                }
}

static void add_entries(struct starts *s, json_t *medium) {
        json_t *entries = json_object_get(medium, "entries");

        for (uint32_t i = 0; i < s->medium.n_entries; i++) {
                const struct medium_entry *e = &s->medium.entries[i];
                json_t *entry = json_array_get(entries, i), *all = json_array();

                if (!entry) {
                        json_decref(all);
                        continue;
                }
                for (unsigned k = 0; k < MEDIUM_N_FIRMWARE && !e->why_not[0]; k++)
                        if (e->firmware >> k & 1)
                                append(s, all, make_start(s, k, e->id));
                set(s, entry, "starts", all);
                add_kernel_signers(s, e, entry);
        }
}

int media_starts_add(json_t *medium, const struct media_here *here,
                     const struct conf *conf) {
        struct starts s = { .conf = conf, .here = here };
        struct text server = { 0 };

        s.places = loader_places_of(conf, NULL);
        s.tree = (struct media_tree){ .index = media_index_is_tree(&here->index)
                                                       ? NULL
                                                       : &here->index,
                                      .fd = here->fd };
        media_index_medium(&here->index, &s.medium);
        s.offered = (struct menu_medium){ s.medium.name, &here->index, s.medium.system,
                                          s.medium.version };
        s.wish = (struct menu_preview_wish){ .conf = conf,
                                             .loaders = loader_places_mask(&s.places),
                                             .medium = &s.offered,
                                             .server = only_address(conf) };
        menu_server(&(struct menu){ .server = s.wish.server }, &server);
        set(&s, medium, "server", json_string(text_string(&server)));
        preview_all(&s);
        add_chains(&s, medium);
        add_entries(&s, medium);
        for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++)
                for (size_t k = 0; k < ARRAY_SIZE(pins); k++)
                        menu_preview_done(&s.previews[i][k]);
        s.failed |= server.failed;
        text_done(&server);
        return s.failed ? -ENOMEM : 0;
}

/* ---- for people ---- */

/* "BIOS and UEFI x64", "UEFI x64, ia32"; only "UEFI" for all of them that there are. */
static void add_firmware(const json_t *starts, uint32_t mask, struct text *out) {
        bool has_bios = mask & MEDIUM_BIOS, is_all = true;
        uint32_t listed = 0;
        const char *before = has_bios ? " and UEFI " : "UEFI ";
        const json_t *start;
        size_t i;

        json_array_foreach(starts, i, start) listed |=
                medium_firmware_parse(menu_text(client_text(start, "firmware")));
        is_all = (listed & ~(uint32_t)MEDIUM_BIOS) == (mask & ~(uint32_t)MEDIUM_BIOS);
        text_add(out, has_bios ? "BIOS" : "");
        if (is_all && has_bios && mask != MEDIUM_BIOS) {
                text_add(out, " and UEFI");
                return;
        }
        for (unsigned k = 1; k < MEDIUM_N_FIRMWARE; k++)
                if (mask >> k & 1) {
                        text_add(out, before);
                        text_add(out, medium_firmware_name(k) + strlen("uefi-"));
                        before = ", ";
                }
}

/* Those from start `i` on that have the same, as one mask; `done` are told already. */
static uint32_t equals(const json_t *starts, size_t i, uint32_t done,
                       bool (*is_equal)(const json_t *a, const json_t *b)) {
        const json_t *first = json_array_get(starts, i);
        uint32_t mask = 0;

        for (size_t k = i; k < json_array_size(starts); k++) {
                const json_t *start = json_array_get(starts, k);
                uint32_t bit = medium_firmware_parse(
                        menu_text(client_text(start, "firmware")));

                if (!(done & bit) && is_equal(first, start))
                        mask |= bit;
        }
        return mask;
}

/* One that cannot be started lacks some. */
static bool has_equal(const json_t *a, const json_t *b, const char *key) {
        const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);

        return x == y || json_equal(x, y);
}

static bool has_equal_args(const json_t *a, const json_t *b) {
        return has_equal(a, b, "args") && has_equal(a, b, "why_not");
}

static bool has_equal_lines(const json_t *a, const json_t *b) {
        return has_equal(a, b, "lines") && has_equal(a, b, "dialect") &&
               has_equal(a, b, "pinned") && has_equal(a, b, "why_not");
}

void media_starts_show_args(const json_t *entry, struct text *out) {
        const json_t *starts = json_object_get(entry, "starts");
        const char *label = "arguments   ";
        uint32_t done = 0;

        for (size_t i = 0; i < json_array_size(starts); i++) {
                const json_t *start = json_array_get(starts, i);
                const char *args = client_text(start, "args");
                uint32_t mask = equals(starts, i, done, has_equal_args);

                done |= mask;
                if (!mask || !args)
                        continue;
                text_add(out, "  ");
                text_add(out, label);
                add_firmware(starts, mask, out);
                text_add(out, ": ");
                client_add_safe(out, args);
                text_char(out, '\n');
                label = "            ";
        }
}

/* "grubx64.efi, grubia32.efi", each of the mask. */
static void add_loaders(const json_t *starts, uint32_t mask, struct text *out) {
        const char *before = " by ";
        const json_t *start;
        size_t i;

        json_array_foreach(starts, i, start) {
                const char *loader = client_text(start, "loader");
                const char *install = client_text(start, "install");

                if (!loader || !(mask & medium_firmware_parse(menu_text(
                                                client_text(start, "firmware")))))
                        continue;
                text_add(out, before);
                client_add_safe(out, loader);
                if (install) {
                        text_add(out, " (not here: install ");
                        client_add_safe(out, install);
                        text_char(out, ')');
                }
                before = ", ";
        }
}

/* "wimboot is not here: no package has it" */
static void add_missing(const json_t *start, struct text *out) {
        const char *where = client_text(start, "install_kernel");
        const char *kernel = client_text(start, "kernel");

        if (!where || !kernel)
                return;
        text_add(out, "    (");
        client_add_safe(out, kernel);
        text_add(out, strchr(where, ' ') ? " is not here: " : " is not here: install ");
        client_add_safe(out, where);
        text_add(out, ")\n");
}

static void show_start(const json_t *starts, const json_t *start, uint32_t mask,
                       struct text *out) {
        const char *pinned = client_text(start, "pinned"),
                   *why = client_text(start, "why_not");
        const json_t *line;
        size_t i;

        text_add(out, "  ");
        add_firmware(starts, mask, out);
        add_loaders(starts, mask, out);
        if (pinned) {
                text_add(out, ", if pinned to it (loader: ");
                text_add(out, pinned);
                text_char(out, ')');
        }
        text_add(out, why ? ": not in the menu, " : ":");
        client_add_safe(out, why ? why : "");
        text_char(out, '\n');
        json_array_foreach(json_object_get(start, "lines"), i, line) {
                const char *s = json_string_value(line);

                if (!s || strncmp(s + strspn(s, " "), "echo ", 5) == 0)
                        continue;
                text_add(out, "    ");
                client_add_safe(out, s);
                text_char(out, '\n');
        }
        add_missing(start, out);
}

void media_starts_show(const json_t *entry, struct text *out) {
        const json_t *starts = json_object_get(entry, "starts");
        uint32_t done = 0;

        for (size_t i = 0; i < json_array_size(starts); i++) {
                uint32_t mask = equals(starts, i, done, has_equal_lines);

                done |= mask;
                if (mask)
                        show_start(starts, json_array_get(starts, i), mask, out);
        }
}

static void add_names(const json_t *names, struct text *out) {
        const json_t *name;
        size_t i;

        json_array_foreach(names, i, name) {
                text_add(out, i ? ", " : "");
                client_add_safe(out, menu_text(json_string_value(name)));
        }
        text_add(out, i ? "" : "nobody");
}

static void show_link(const json_t *link, struct text *out) {
        const char *trusts = client_text(link, "trusts");

        client_add_safe(out, menu_text(client_text(link, "file")));
        text_add(out, json_is_true(json_object_get(link, "of_medium"))
                              ? " of the medium"
                              : "");
        if (client_text(link, "path")) {
                text_add(out, " (signed by ");
                add_names(json_object_get(link, "signers"), out);
                if (trusts) {
                        text_add(out, "; trusts ");
                        client_add_safe(out, trusts);
                }
                text_char(out, ')');
        }
}

void media_starts_show_chains(const json_t *medium, struct text *out) {
        const json_t *secure, *link;
        size_t i, k;

        json_array_foreach(json_object_get(medium, "secure_boot"), i, secure) {
                const char *why = client_text(secure, "why_not");
                const char *install = client_text(secure, "install");

                text_add(out, i ? "              " : "  Secure Boot ");
                text_add(out, menu_text(client_text(secure, "firmware")));
                text_add(out, ": ");
                client_add_safe(out, why ? why : "");
                json_array_foreach(json_object_get(secure, "chain"), k, link) {
                        text_add(out, k ? ", then " : "");
                        show_link(link, out);
                }
                if (install) {
                        text_add(out, "; not here: install ");
                        client_add_safe(out, install);
                }
                text_char(out, '\n');
        }
}
