/*
 * URLs, times and what may be shown, which is the same in every language.
 */
#include "render/internal.h"

static bool is_unreserved(unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~' ||
               c == '/';
}

void render_encoded(struct text *out, const char *path) {
        static const char hex[] = "0123456789ABCDEF";

        while (*path) {
                size_t n = 0;

                while (is_unreserved((unsigned char)path[n]))
                        n++;
                text_bytes(out, path, n);
                path += n;
                if (*path) {
                        text_char(out, '%');
                        text_char(out, hex[(unsigned char)*path >> 4]);
                        text_char(out, hex[(unsigned char)*path & 15]);
                        path++;
                }
        }
}

void render_url(struct text *out, const struct menu *menu, const char *path,
                bool by_http) {
        text_add(out, by_http ? "http://" : "tftp://");
        menu_server(menu, out);
        if (by_http && menu->http_port != 80) {
                text_char(out, ':');
                text_u64(out, menu->http_port);
        }
        text_char(out, '/');
        render_encoded(out, path);
}

uint64_t render_timeout(const struct menu *menu, nsec_t unit) {
        return max_u64(menu->timeout / unit, 1);
}

/* Bytes of the character at `s` that may be shown; 0: it must not. */
static size_t shown_length(const char *s, size_t n) {
        unsigned char c = (unsigned char)*s;
        size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

        if (render_is_control(*s) || length > n || !text_is_utf8(s, length))
                return 0;
        return c == 0xc2 && (unsigned char)s[1] < 0xa0 ? 0 : length;
}

void render_shown(struct text *out, const char *s, size_t n, char instead) {
        for (size_t from = 0, i = 0;;) {
                size_t length = i < n ? shown_length(s + i, n - i) : 0;

                if (length > 0) {
                        i += length;
                        continue;
                }
                text_bytes(out, s + from, i - from);
                if (i == n)
                        break;
                text_char(out, instead);
                from = ++i;
        }
}

bool render_is_plain(const char *s) {
        while (*s >= 0x20 && *s <= 0x7e)
                s++;
        return *s == '\0';
}

bool render_has(const char *s) {
        return s && *s;
}

bool render_start(const struct menu *menu, enum policy_dialect dialect, size_t i,
                  struct text *out) {
        switch (dialect) {
        case POLICY_DIALECT_PXELINUX:
                return render_pxelinux_start(menu, i, out);
        case POLICY_DIALECT_EXTLINUX:
                return render_extlinux_start(menu, i, out);
        case POLICY_DIALECT_GRUB:
                return render_grub_start(menu, i, out);
        case POLICY_DIALECT_IPXE:
                return render_ipxe_start(menu, i, out);
        case POLICY_NO_DIALECT:
                break;
        }
        return false;
}
