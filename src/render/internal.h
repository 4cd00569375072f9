#pragma once
/*
 * Private to this folder: what several renderers need.
 */
#include "render/render.h"

/* RFC 3986 2.3: what is not unreserved is encoded; '/' parts the segments. */
void render_encoded(struct text *out, const char *path);
/* http://SERVER:PORT/PATH, or tftp://SERVER/PATH. */
void render_url(struct text *out, const struct menu *menu, const char *path,
                bool by_http);
/* Seconds, tenths or thousandths until the default starts: never 0, which would mean
 * something else to every loader. */
uint64_t render_timeout(const struct menu *menu, nsec_t unit);

/* For titles and helps, which are shown as they are: every control character, those of
 * ISO 6429 above 0x7f and what is no UTF-8 becomes `instead`. */
void render_shown(struct text *out, const char *s, size_t n, char instead);

/* Nothing but printable ASCII: to be shown as it is. */
bool render_is_plain(const char *s);
bool render_has(const char *s);

/* Of each language: render_start(). */
bool render_pxelinux_start(const struct menu *menu, size_t i, struct text *out);
bool render_extlinux_start(const struct menu *menu, size_t i, struct text *out);
bool render_grub_start(const struct menu *menu, size_t i, struct text *out);
bool render_ipxe_start(const struct menu *menu, size_t i, struct text *out);

static inline bool render_is_control(char c) {
        return (unsigned char)c < 0x20 || c == 0x7f;
}
