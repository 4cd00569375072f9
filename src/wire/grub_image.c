/*
 * grub-mkimage's layout (GRUB's include/grub/kernel.h): a head with the magic "mimg",
 * then objects, each with a type and a size that counts its own head. A module is an
 * ELF object whose section ".modname" holds its name.
 */
#include "wire/grub_image.h"

enum { OBJECT_ELF, OBJECT_MEMDISK, OBJECT_CONFIG, OBJECT_PREFIX };
enum { MODULES_MAX = 1024 };

static uint64_t le(struct span s, uint64_t at, size_t n) {
        uint64_t v = 0;

        if (at > s.n || s.n - at < n)
                return 0;
        for (size_t i = n; i-- > 0;)
                v = v << 8 | s.data[at + i];
        return v;
}

static struct span part(struct span s, uint64_t at, uint64_t n) {
        return at <= s.n && n <= s.n - at ? (struct span){ s.data + at, (size_t)n }
                                          : (struct span){ 0 };
}

static bool is_text(struct span s, const char *text) {
        size_t n = strlen(text) + 1;

        return s.n >= n && memcmp(s.data, text, n) == 0;
}

/* Where things are in an ELF of 32 and of 64 bits. */
struct elf_shape {
        uint64_t table_at, n_table_at, size_at, count_at, names_at;
        uint64_t section_at, section_size_at, n_word;
};
static const struct elf_shape shapes[] = {
        { 32, 4, 46, 48, 50, 16, 20, 4 },
        { 40, 8, 58, 60, 62, 24, 32, 8 },
};

static struct span section(struct span elf, const struct elf_shape *shape, uint64_t i) {
        uint64_t table = le(elf, shape->table_at, shape->n_table_at);
        uint64_t size = le(elf, shape->size_at, 2);
        uint64_t count = le(elf, shape->count_at, 2);

        return i < count && table <= elf.n ? part(elf, table + i * size, size)
                                           : (struct span){ 0 };
}

static struct span content(struct span elf, const struct elf_shape *shape,
                           struct span head) {
        return part(elf, le(head, shape->section_at, shape->n_word),
                    le(head, shape->section_size_at, shape->n_word));
}

/* The name of a module; empty when it has none. */
static struct span module_name(struct span elf) {
        const struct elf_shape *shape = &shapes[elf.n > 4 && elf.data[4] == 2];
        struct span names =
                content(elf, shape, section(elf, shape, le(elf, shape->names_at, 2)));
        uint64_t count = le(elf, shape->count_at, 2);

        if (elf.n < 64 || memcmp(elf.data, "\177ELF", 4) != 0)
                return (struct span){ 0 };
        for (uint64_t i = 0; i < count; i++) {
                struct span head = section(elf, shape, i);
                uint64_t at = le(head, 0, 4);

                if (head.n > 0 && at < names.n &&
                    is_text(part(names, at, names.n - at), ".modname"))
                        return content(elf, shape, head);
        }
        return (struct span){ 0 };
}

/* Red Hat's GRUB has read the proxy's packet since 2.06 (rhboot/grub2, "efinet: Add
 * DHCP proxy support", in its branches from fedora-34, rhel-8.6.0 and rhel-9.0.0 on);
 * GNU's and Debian's 2.06 read the DHCPACK alone. Its message for debugging, which is
 * compiled into every build, shows that the code is there. */
static bool has_proxy_code(struct span module) {
        static const char message[] = "setting values from proxy offer";

        return memmem(module.data, module.n, message, sizeof(message) - 1);
}

static void read_object(uint32_t type, struct span object, struct grub_image *ret) {
        struct span name;
        size_t n;

        switch (type) {
        case OBJECT_ELF:
                name = module_name(object);
                ret->n_modules++;
                if (is_text(name, "efinet")) {
                        ret->has_net = true;
                        ret->keeps_proxy |= has_proxy_code(object);
                }
                ret->has_tftp |= is_text(name, "tftp");
                ret->has_http |= is_text(name, "http");
                break;
        case OBJECT_CONFIG:
                ret->has_config = true;
                break;
        case OBJECT_PREFIX:
                n = min_size(strnlen((const char *)object.data, object.n),
                             sizeof(ret->prefix) - 1);
                for (size_t i = 0; i < n; i++)
                        ret->prefix[i] =
                                (char)(object.data[i] < 0x20 || object.data[i] > 0x7e
                                               ? '?'
                                               : object.data[i]);
                ret->prefix[n] = '\0';
                break;
        default:
                break;
        }
}

/* The head is {magic, padding, offset, size} with words of 64 bits, or {magic, offset,
 * size} with words of 32. */
bool grub_image_parse(struct span mods, struct grub_image *ret) {
        struct grub_image image = { 0 };
        uint64_t at, end;
        bool is_64;

        if (mods.n < 24 || memcmp(mods.data, "mimg", 4) != 0)
                return false;
        is_64 = le(mods, 4, 4) == 0;
        at = is_64 ? le(mods, 8, 8) : le(mods, 4, 4);
        end = is_64 ? le(mods, 16, 8) : le(mods, 8, 4);
        end = min_u64(end, mods.n);
        for (size_t i = 0; i < MODULES_MAX && at < end && end - at >= 8; i++) {
                uint32_t type = (uint32_t)le(mods, at, 4);
                uint64_t size = le(mods, at + 4, 4);

                if (size < 8 || size > end - at)
                        break;
                read_object(type, part(mods, at + 8, size - 8), &image);
                at += size;
        }
        *ret = image;
        return true;
}
