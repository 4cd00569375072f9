/*
 * bootjack loaders: every loader we know, whether it is there, for which firmware, who
 * signed it and what it is; what to install for what is missing; and the loaders that
 * media bring along. Read here and now from the disk, without a server: the places are
 * those that the server looks at.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/server.h"
#include "cli/table.h"
#include "media/media.h"
#include "media/signature.h"
#include "media/tree.h"
#include "role/loader_places.h"
#include "wire/pe.h"

/* One loader, as it is shown. */
struct shown {
        const char *file, *kind, *firmware, *what;
        const char *source, *path, *package; /* "folder", "package", "medium"; NULL */
        const char *install;                 /* for what is missing; NULL */
        struct signature signature;
};

struct printer {
        bool json;
        struct text out;
        struct table table;
};

/* ---- showing ---- */

static void add_signers(const struct signature *s, struct text *out) {
        text_json_key(out, "signers");
        text_char(out, '[');
        for (size_t i = 0; i < s->n_signers; i++) {
                text_json_next(out);
                text_char(out, '{');
                text_json_pair(out, "subject", s->signers[i].subject);
                text_json_pair(out, "issuer", s->signers[i].issuer);
                text_char(out, '}');
        }
        text_char(out, ']');
}

static void add_grub(const struct signature *s, struct text *out) {
        if (!s->is_grub)
                return;
        text_json_key(out, "grub");
        text_char(out, '{');
        text_json_pair(out, "prefix", s->grub.prefix);
        text_json_pair_bool(out, "net", s->grub.has_net);
        text_json_pair_bool(out, "tftp", s->grub.has_tftp);
        text_json_pair_bool(out, "http", s->grub.has_http);
        text_json_pair_bool(out, "own_configuration", s->grub.has_config);
        text_char(out, '}');
}

static void show_json(const struct shown *l, struct text *out) {
        const struct signature *s = &l->signature;

        text_json_next(out);
        text_char(out, '{');
        text_json_pair(out, "file", l->file);
        text_json_pair(out, "kind", l->kind);
        text_json_pair(out, "firmware", l->firmware);
        text_json_pair(out, "what", l->what);
        text_json_pair_bool(out, "present", l->source != NULL);
        text_json_pair(out, "source", l->source);
        text_json_pair(out, "path", l->path);
        text_json_pair(out, "package", l->package);
        text_json_pair(out, "install", l->install);
        text_json_pair(out, "machine", s->is_pe ? pe_machine_name(s->machine) : NULL);
        text_json_pair_bool(out, "signed", s->n_signers > 0);
        add_signers(s, out);
        text_json_pair(out, "trusts", s->is_shim ? s->vendor.subject : NULL);
        text_json_pair(out, "sbat", s->sbat[0] ? s->sbat : NULL);
        add_grub(s, out);
        text_char(out, '}');
}

static void add_signature(const struct signature *s, struct text *out) {
        if (!s->is_pe)
                return;
        for (size_t i = 0; i < s->n_signers; i++) {
                text_add(out, i > 0 ? ", " : "");
                text_add(out, s->signers[i].issuer);
        }
        text_add(out, s->n_signers ? "" : "nobody");
        if (s->is_shim && s->vendor.subject[0]) {
                text_add(out, "; trusts ");
                text_add(out, s->vendor.subject);
        }
        if (s->sbat[0]) {
                text_add(out, " (");
                text_add(out, s->sbat);
                text_char(out, ')');
        }
}

static void show_row(const struct shown *l, struct table *table) {
        struct text where = { 0 }, by = { 0 };

        if (l->path) {
                text_add(&where, l->path);
        } else {
                text_add(&where, l->install[0] ? "missing: install "
                                               : "missing: no package has it");
                text_add(&where, l->install);
        }
        add_signature(&l->signature, &by);
        table_cell(table, l->file);
        table_cell(table, l->firmware);
        table_cell(table, text_string(&where));
        table_cell(table, text_string(&by));
        table->failed |= where.failed || by.failed;
        text_done(&where);
        text_done(&by);
}

static void show(struct printer *p, const struct shown *loader) {
        if (p->json)
                show_json(loader, &p->out);
        else
                show_row(loader, &p->table);
}

/* ---- on the disk ---- */

/* In the order in which the tree looks: root, the folders of `loaders`, packages. */
static void find(const struct conf *conf, struct text *path, struct shown *l) {
        const struct loader_places places = loader_places_of(conf, NULL);
        const struct policy_file *package = loader_places_package(l->file);

        if (!loader_places_path(&places, l->file, path) || path->failed ||
            signature_read_host(text_string(path), &l->signature) == SIGNATURE_NONE)
                return;
        l->path = text_string(path);
        if (package && strcmp(l->path, package->host_path) == 0)
                l->package = package->package;
        l->source = l->package ? "package" : "folder";
}

static const char *firmware_of(const struct policy_loader_info *info) {
        return info->firmware == POLICY_FIRMWARE_UNKNOWN
                       ? "any"
                       : policy_firmware_name(info->firmware);
}

static void show_loader(struct printer *p, const struct conf *conf,
                        enum policy_loader loader) {
        const struct policy_loader_info *info = policy_loader_info(loader);
        const char *kind = policy_kind_word(info->kind);
        struct text path = { 0 };
        struct shown l = { .file = info->file,
                           .kind = kind ? kind : "helper",
                           .firmware = firmware_of(info),
                           .what = info->what };

        find(conf, &path, &l);
        if (!l.source)
                l.install = info->package;
        show(p, &l);
        text_done(&path);
}

/* ---- on media ---- */

static void show_inside(struct printer *p, const struct media_tree *tree,
                        const struct medium *medium, const char *file,
                        unsigned firmware, const char *kind) {
        const char *slash = file ? strrchr(file, '/') : NULL;
        struct shown l = { .file = slash ? slash + 1 : file,
                           .kind = kind,
                           .firmware = medium_firmware_name(firmware),
                           .what = kind,
                           .source = "medium" };
        struct text path = { 0 };

        if (signature_read_inside(tree, file, &l.signature) != SIGNATURE_OK)
                return;
        text_add(&path, medium->path);
        text_add(&path, ": ");
        text_add(&path, file);
        l.path = text_string(&path);
        show(p, &l);
        text_done(&path);
}

static void show_loaders_of(struct printer *p, const struct media_found *found) {
        struct media_index index;
        struct media_tree tree = { .index = found->is_tree ? NULL : &index,
                                   .fd = found->fd };
        struct medium medium;
        struct stat st;
        void *data = MAP_FAILED;

        if (fstat(found->index_fd, &st) == 0)
                data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
                            found->index_fd, 0);
        if (data == MAP_FAILED)
                return;
        if (media_index_open(data, (size_t)st.st_size, &index) == 0) {
                media_index_medium(&index, &medium);
                for (unsigned i = 0; i < MEDIUM_N_FIRMWARE; i++) {
                        show_inside(p, &tree, &medium, medium.loaders[i].shim, i,
                                    "shim");
                        show_inside(p, &tree, &medium, medium.loaders[i].grub, i,
                                    "grub");
                }
        }
        munmap(data, (size_t)st.st_size);
}

struct media_walk {
        struct printer *printer;
        const struct media_recipes *recipes;
};

static void on_medium(const struct media_candidate *candidate, void *userdata) {
        const struct media_walk *walk = userdata;
        char name[MEDIUM_NAME_MAX];
        struct media_found found = { .index_fd = -1, .fd = -1 };
        struct text why = { 0 };

        medium_name_from_path(candidate->path, name);
        if (media_inspect(candidate->path, candidate->path, name, walk->recipes, &found,
                          &why) == MEDIA_OK) {
                show_loaders_of(walk->printer, &found);
                close(found.index_fd);
                close(found.fd);
        }
        text_done(&why);
}

/* Media that cannot be read are `bootjack media`'s to complain of. */
static void show_media(struct printer *p, const struct conf *conf) {
        struct text folder = { 0 }, problems = { 0 };
        struct media_recipes *recipes = NULL;
        struct media_walk walk = { p, NULL };

        if (conf->media.n > 0 && media_recipes_folder(&folder) &&
            media_recipes_load(text_string(&folder), &recipes, &problems) == 0) {
                (void)!media_recipes_add(recipes, conf->recipes, conf->recipes,
                                         &problems);
                walk.recipes = recipes;
                for (size_t i = 0; i < conf->media.n; i++)
                        (void)!media_scan(conf->media.items[i], recipes, on_medium,
                                          &walk);
        }
        media_recipes_free(recipes);
        text_done(&folder);
        text_done(&problems);
}

/* ---- the command ---- */

static int print(const struct conf_flags *flags, bool json) {
        static const char *const headings[] = { "LOADER", "FIRMWARE", "WHERE",
                                                "SIGNED BY", NULL };
        struct printer p = { .json = json };
        struct conf *conf = NULL;
        int r = server_conf(flags, &conf);

        if (r != 0)
                return r;
        table_init(&p.table, headings);
        text_add(&p.out, json ? "[" : "");
        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++)
                show_loader(&p, conf, (enum policy_loader)i);
        show_media(&p, conf);
        if (json)
                text_add(&p.out, "]\n");
        else
                table_format(&p.table, &p.out);
        table_done(&p.table);
        conf_free(conf);
        return print_text(&p.out);
}

int cli_loaders(int argc, char **argv) {
        static struct conf_flags flags;
        bool json = false;
        struct option_row rows[SERVER_ROWS + 2] = {
                [SERVER_ROWS] = { "json", 0, OPTION_FLAG, NULL, "as JSON", &json, 0 },
        };
        const struct options options = {
                "loaders",
                "Show which loaders are there, for which firmware, signed by whom, and "
                "what to install for those that are missing.",
                NULL, 0, rows
        };
        struct options_found found;
        int r;

        server_rows(&flags, rows);
        r = options_parse(&options, argc, argv, &found);
        if (r == OPTIONS_GO_ON)
                r = server_paths(&flags);
        return r ? r : print(&flags, json);
}
