/*
 * A chain of shim and GRUB is signed when both of its links are. In the administrator's
 * own folders who puts a shim beside a GRUB knows what for; a GRUB of the
 * administrator's under a shim of a package is no chain.
 */
#include "role/loader_places.h"

#include <unistd.h>

#include "base/path.h"

struct loader_places loader_places_of(const struct conf *conf,
                                      const struct role *role) {
        struct loader_places places = { 0 };

        if (conf->root[0])
                places.folders[places.n++] =
                        role ? role_path(role, conf->root) : conf->root;
        for (size_t i = 0; i < conf->loaders.n && places.n < ROLE_FOLDERS_MAX; i++) {
                const char *folder = conf->loaders.items[i];

                if (folder[0])
                        places.folders[places.n++] =
                                role ? role_path(role, folder) : folder;
        }
        return places;
}

static bool is_in(const char *folder, const char *name) {
        char path[PATH_MAX_BYTES];
        struct writer w = writer_of(path, sizeof(path));

        writer_text(&w, folder);
        writer_u8(&w, '/');
        writer_cstring(&w, name);
        return !w.failed && access(path, F_OK) == 0;
}

const char *loader_places_folder(const struct loader_places *places, const char *name) {
        for (size_t i = 0; i < places->n; i++)
                if (is_in(places->folders[i], name))
                        return places->folders[i];
        return NULL;
}

const struct policy_file *loader_places_package(const char *name) {
        for (size_t i = 0; i < policy_n_files; i++)
                if (strcmp(policy_files[i].name, name) == 0 &&
                    access(policy_files[i].host_path, F_OK) == 0)
                        return &policy_files[i];
        return NULL;
}

bool loader_places_has(const struct loader_places *places, const char *name) {
        return loader_places_folder(places, name) || loader_places_package(name);
}

bool loader_places_path(const struct loader_places *places, const char *name,
                        struct text *ret_path) {
        const char *folder = loader_places_folder(places, name);
        const struct policy_file *package = folder ? NULL : loader_places_package(name);

        if (folder) {
                text_add(ret_path, folder);
                text_char(ret_path, '/');
                text_add(ret_path, name);
        } else if (package) {
                text_add(ret_path, package->host_path);
        }
        return folder || package;
}

static bool is_chain(const struct loader_places *places, const char *shim,
                     const char *grub) {
        const char *of_shim = loader_places_folder(places, shim);
        const char *of_grub = loader_places_folder(places, grub);
        const struct policy_file *package;

        if (of_shim || of_grub)
                return of_shim == of_grub;
        package = loader_places_package(grub);
        return loader_places_package(shim) && package && package->is_signed;
}

static bool is_there(const struct loader_places *places, enum policy_loader loader) {
        const struct policy_loader_info *info = policy_loader_info(loader);

        if (info->kind == POLICY_KIND_SHIM)
                return is_chain(places, info->file,
                                policy_loader_file(policy_loader_of(POLICY_KIND_GRUB,
                                                                    info->firmware)));
        return loader_places_has(places, info->file);
}

uint64_t loader_places_mask(const struct loader_places *places) {
        uint64_t mask = 0;

        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++)
                if (is_there(places, (enum policy_loader)i))
                        mask |= POLICY_BIT(i);
        return mask;
}
