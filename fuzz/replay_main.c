/*
 * Replays a corpus: NAME_fuzz FOLDER... runs every file of each folder through the
 * target once and reports each as a TAP case, so that what a fuzzer once found stays
 * an ordinary test with any compiler. A missing or empty folder is a failure.
 *
 * Each input is a heap block of exactly its size, so that the address sanitizer sees
 * a read of one byte too many.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

static int is_input(const struct dirent *entry) {
        return entry->d_name[0] != '.';
}

static uint8_t *read_all(FILE *file, size_t *ret_n) {
        uint8_t *data = NULL, *exact;
        size_t n = 0, got;

        do {
                uint8_t *grown = realloc(data, n + 4096);

                if (!grown) {
                        free(data);
                        return NULL;
                }
                data = grown;
                got = fread(data + n, 1, 4096, file);
                n += got;
        } while (got > 0);
        exact = malloc(n ? n : 1);
        if (exact)
                memcpy(exact, data, n);
        free(data);
        *ret_n = n;
        return exact;
}

static int replay(const char *folder, const char *name) {
        char path[4096];
        uint8_t *data;
        size_t n;
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "re");
        if (!file)
                return -1;
        data = read_all(file, &n);
        fclose(file);
        if (!data)
                return -1;
        LLVMFuzzerTestOneInput(data, n);
        free(data);
        return 0;
}

static int replay_folder(const char *folder, unsigned *n_cases) {
        struct dirent **entries;
        int n = scandir(folder, &entries, is_input, alphasort), failed = n <= 0;

        if (n <= 0)
                printf("not ok %u - %s has no inputs\n", ++*n_cases, folder);
        for (int i = 0; i < n; i++) {
                int r = replay(folder, entries[i]->d_name);

                failed |= r < 0;
                printf("%s %u - %s\n", r < 0 ? "not ok" : "ok", ++*n_cases,
                       entries[i]->d_name);
                fflush(stdout);
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
        return failed;
}

int main(int argc, char **argv) {
        unsigned n_cases = 0;
        int failed = 0;

        for (int i = 1; i < argc; i++)
                failed |= replay_folder(argv[i], &n_cases);
        printf("1..%u\n", n_cases);
        return failed || n_cases == 0;
}
