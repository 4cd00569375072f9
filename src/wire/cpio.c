/*
 * An archive begins at a multiple of four bytes, and so does all that is in it. That
 * an archive behind another initrd begins there is the loader's part, and each of ours
 * does it: GRUB 2.06 (grub-core/loader/linux.c rounds every initrd up to 4), syslinux
 * 6.03 (com32/lib/syslinux/load_linux.c: initramfs data is aligned to 4), iPXE
 * (image/initrd.c: INITRD_ALIGN). The kernel then skips zeros between archives
 * (init/initramfs.c: do_reset).
 */
#include "wire/cpio.h"

enum { HEADER = 110, MODE_FILE = 0100644 };

static const char end_name[] = "TRAILER!!!";

static void add_hex(struct text *out, uint64_t v) {
        static const char digits[] = "0123456789ABCDEF";

        for (int shift = 28; shift >= 0; shift -= 4)
                text_char(out, digits[v >> shift & 15]);
}

static void add_zeros(struct text *out, uint64_t n) {
        for (uint64_t i = 0; i < n; i++)
                text_char(out, '\0');
}

static uint64_t padding(uint64_t n) {
        return -n % CPIO_ALIGN;
}

static void add_record(const char *name, uint64_t mode, uint64_t size, uint64_t mtime,
                       struct text *out) {
        size_t n_name = strlen(name) + 1;
        /* Inode (of one name only, so any will do), mode, user, group, names, time,
         * size, four of devices, length of the name, and a sum that this form has not.
         */
        const uint64_t fields[] = {
                1, mode, 0, 0, 1, mtime, size, 0, 0, 0, 0, n_name, 0
        };

        text_add(out, "070701");
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                add_hex(out, fields[i]);
        text_bytes(out, name, n_name);
        add_zeros(out, padding(HEADER + n_name));
}

bool cpio_header(const char *name, uint64_t size, uint64_t mtime, struct text *out) {
        if (size > CPIO_SIZE_MAX || name[0] == '\0' || name[0] == '/' ||
            strcmp(name, end_name) == 0)
                return false;
        add_record(name, MODE_FILE, size, min_u64(mtime, UINT32_MAX), out);
        return true;
}

void cpio_trailer(uint64_t size, struct text *out) {
        add_zeros(out, padding(size));
        add_record(end_name, 0, 0, 0, out);
}
