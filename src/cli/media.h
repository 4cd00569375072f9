#pragma once
/* Private to `bootjack media`: what its verbs share. */
#include <jansson.h>

#include "cli/client.h"
#include "cli/options.h"
#include "conf/conf.h"
#include "media/index.h"
#include "media/media.h"

/* What the command line says. */
struct media_wish {
        struct client_flags flags;
        struct conf_flags conf; /* which configuration, and media instead of its own */
        const char *to, *name, *checksum;
        bool files, link, replace, yes, no_checksum;
};

/* A heading, what it is, every entry, and every problem. */
void media_show(const json_t *medium, struct text *out);
/* "debian 12 netinst (amd64)" */
void media_add_system(struct text *out, const json_t *medium);

/* `media inspect PATH`: reads the medium itself; no server is asked. An exit code. */
int media_inspect_path(const struct media_wish *wish, const char *path);

/* Every file, folder and link of an image: lines for people, or a member "files" of the
 * JSON object that `out` is in the middle of. */
void media_files_add(const struct media_index *index, bool json, struct text *out);

/* A medium as the server would read it. `shown` is the path that it has, or will have.
 */
struct media_here {
        int fd; /* of the image, or of the tree's top */
        void *data;
        size_t n;
        struct media_index index;
};
/* MEDIA_OK, or MEDIA_REFUSED with a reason for people. */
MUST_USE int media_open(const char *path, const char *shown, struct media_here *ret,
                        struct text *why);
void media_close(struct media_here *here);
void media_describe(const struct media_here *here, struct text *ret_json);

/* "bootjack: PATH: SENTENCE"; returns CLI_FAILED. */
int media_fail_at(const char *path, const char *sentence);

/* The configuration that the command line means. CLI_DONE, or CLI_FAILED after saying
 * why. */
MUST_USE int media_conf(const struct media_wish *wish, struct conf **ret);
/* The folder where media are put: --to, or the first that is configured. CLI_DONE, or
 * CLI_FAILED after saying why. For free(). */
MUST_USE int media_folder(const struct media_wish *wish, char **ret);
/* The path of the medium that is meant: a path, a file's name, or the name that it has
 * in the menu. The same answers. */
MUST_USE int media_path(const struct media_wish *wish, const char *operand, char **ret);

int media_add(const struct media_wish *wish, const char *source);
int media_add_netboot(const struct media_wish *wish, const char *medium,
                      const char *archive);
int media_remove(const struct media_wish *wish, const char *const *operands);
int media_verify(const struct media_wish *wish, const char *const *operands);
