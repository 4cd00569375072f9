/*
 * How long a menu of 200 media takes, from their indexes to each loader's script, as
 * the core does it for every machine that asks: menu_bench [MEDIA [ROUNDS]]. Prints a
 * line a loader: microseconds for the model, for the script, and its size.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "media/build.h"
#include "render/render.h"
#include "role/menu_model.h"

enum { MEDIA_MAX = 512 };

static struct media_index indexes[MEDIA_MAX];
static struct menu_medium media[MEDIA_MAX];
static char names[MEDIA_MAX][32], titles[MEDIA_MAX][64];

static void add(size_t i) {
        static const char *const systems[] = { "debian", "ubuntu", "fedora", "rocky",
                                               "opensuse" };
        const char *system = systems[i % ARRAY_SIZE(systems)];
        struct medium medium = {
                .kind = MEDIUM_TREE,
                .name = names[i],
                .path = "/srv/isos/medium.iso",
                .system = system,
                .version = "12.4",
                .edition = "netinst",
                .arch = "amd64",
                .n_entries = 1,
                .entries = { { .id = names[i],
                               .title = titles[i],
                               .help = "Asks its questions on the screen.",
                               .kernel = "images/pxeboot/vmlinuz",
                               .initrd = { "images/pxeboot/initrd.img" },
                               .n_initrd = 1,
                               .firmware = MEDIUM_BIOS | MEDIUM_UEFI_X64,
                               .args = "inst.repo=${tree} quiet --- splash",
                               .why_not = "",
                               .n_ways = 2,
                               .ways = { { MEDIUM_HTTP_ISO, "iso=${iso}", 4ull << 30 },
                                         { MEDIUM_HTTP, "tree=${tree}", 0 } } } },
        };
        struct stat st;
        void *mapping;
        int fd;

        snprintf(names[i], sizeof(names[i]), "%s-%zu", system, i);
        snprintf(titles[i], sizeof(titles[i]), "%s %zu installer (amd64)", system, i);
        if (media_build_seal(NULL, 0, &medium, &fd) != 0 || fstat(fd, &st) < 0)
                exit(1);
        mapping = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        if (mapping == MAP_FAILED ||
            media_index_open(mapping, (size_t)st.st_size, &indexes[i]) != 0)
                exit(1);
        media[i] =
                (struct menu_medium){ names[i], &indexes[i], system, medium.version };
}

static double now(void) {
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int measure(enum policy_dialect dialect, unsigned firmware, size_t n,
                   unsigned rounds,
                   void (*render)(const struct menu *, struct text *)) {
        const struct menu_wish wish = { .title = "Bootjack",
                                        .initial = "local",
                                        .serial = "",
                                        .server = 0x0a000001,
                                        .http_port = 80,
                                        .by_http = true,
                                        .firmware = firmware,
                                        .dialect = dialect,
                                        .memory = 2ull << 30,
                                        .tools = { .are_wanted = true },
                                        .media = media,
                                        .n_media = n };
        double model_us = 0, script_us = 0;
        size_t bytes = 0;

        for (unsigned i = 0; i < rounds; i++) {
                struct menu_model *model;
                struct text out = { 0 };
                double begin = now(), built;

                if (menu_model_new(&wish, &model) != 0)
                        return 1;
                built = now();
                render(&model->menu, &out);
                script_us += now() - built;
                model_us += built - begin;
                bytes = out.n;
                text_done(&out);
                menu_model_free(model);
        }
        printf("%-8s  model %7.1f us  script %7.1f us  %6zu bytes\n",
               policy_dialect_name(dialect), model_us / rounds, script_us / rounds,
               bytes);
        return 0;
}

int main(int argc, char **argv) {
        size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
        unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;

        if (n > MEDIA_MAX || rounds == 0)
                return 2;
        for (size_t i = 0; i < n; i++)
                add(i);
        return measure(POLICY_DIALECT_PXELINUX, MENU_BIOS, n, rounds,
                       render_pxelinux) ||
               measure(POLICY_DIALECT_GRUB, MENU_UEFI_X64, n, rounds, render_grub) ||
               measure(POLICY_DIALECT_IPXE, MENU_UEFI_X64, n, rounds, render_ipxe);
}
