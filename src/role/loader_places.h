#pragma once
/*
 * Where a server finds its loaders: in the folders of the administrator, root first,
 * then where packages put them. Looked at by name only. May block on the disk.
 */
#include "conf/conf.h"
#include "policy/loader.h"
#include "role/role.h"

struct loader_places {
        const char *folders[ROLE_FOLDERS_MAX]; /* borrowed */
        size_t n;
};

/* The folders of a configuration, as `role` reaches them; NULL: by their own names. */
struct loader_places loader_places_of(const struct conf *conf, const struct role *role);

/* The folder that has such a file; NULL. */
const char *loader_places_folder(const struct loader_places *places, const char *name);
/* The row of the package that has it here; NULL. */
const struct policy_file *loader_places_package(const char *name);
bool loader_places_has(const struct loader_places *places, const char *name);
/* Its whole path; false when it is nowhere. */
MUST_USE bool loader_places_path(const struct loader_places *places, const char *name,
                                 struct text *ret_path);

/* Which loaders are there, as policy_rules wants it. A shim counts when GRUB is there,
 * too, and its link of the chain is signed. */
uint64_t loader_places_mask(const struct loader_places *places);
