/* The program finds its data relative to itself, so that a build runs in place and an
 * installed one may be moved with its prefix. */
#include "cli/paths.h"

#include <limits.h>
#include <unistd.h>

bool cli_recipes_folder(struct text *ret) {
        static const char *const places[] = { "/share/recipes",
                                              "/../share/bootjack/recipes" };
        char program[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
        char *slash;

        program[n > 0 ? n : 0] = '\0';
        slash = strrchr(program, '/');
        if (slash)
                *slash = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                text_done(ret);
                text_add(ret, program);
                text_add(ret, places[i]);
                if (!ret->failed && access(ret->s, R_OK | X_OK) == 0)
                        return true;
        }
        return false;
}
