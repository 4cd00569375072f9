/* Folders as HTML, plain enough for text browsers and for scripts that read links. */
#include "proto/http_listing.h"

#include "wire/http_date.h"

void http_escape_html(struct text *out, const char *s) {
        struct text printable = { 0 };

        text_printable(&printable, s, strlen(s));
        for (const char *p = text_string(&printable); *p; p++) {
                switch (*p) {
                case '&':
                        text_add(out, "&amp;");
                        break;
                case '<':
                        text_add(out, "&lt;");
                        break;
                case '>':
                        text_add(out, "&gt;");
                        break;
                case '"':
                        text_add(out, "&quot;");
                        break;
                case '\'':
                        text_add(out, "&#39;");
                        break;
                default:
                        text_char(out, *p);
                }
        }
        out->failed |= printable.failed;
        text_done(&printable);
}

void http_escape_path(struct text *out, const char *s) {
        static const char hex[] = "0123456789ABCDEF";

        for (const char *p = s; *p; p++) {
                unsigned char c = (unsigned char)*p;

                /* RFC 3986 2.3 */
                if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                    (c >= 'a' && c <= 'z') || strchr("-._~/", c)) {
                        text_char(out, (char)c);
                } else {
                        text_char(out, '%');
                        text_char(out, hex[c >> 4]);
                        text_char(out, hex[c & 15]);
                }
        }
}

void http_listing_begin(struct text *out, const char *path) {
        text_add(out, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>/");
        http_escape_html(out, path);
        text_add(out, "</title></head>\n<body><h1>/");
        http_escape_html(out, path);
        text_add(out, "</h1>\n<table>\n");
        if (*path)
                text_add(out, "<tr><td><a href=\"../\">../</a></td></tr>\n");
}

void http_listing_entry(struct text *out, const char *name, bool is_folder,
                        uint64_t size, nsec_t mtime) {
        const char *slash = is_folder ? "/" : "";

        /* "./": a name with a colon would be read as a scheme. */
        text_add(out, "<tr><td><a href=\"./");
        http_escape_path(out, name);
        text_add(out, slash);
        text_add(out, "\">");
        http_escape_html(out, name);
        text_add(out, slash);
        text_add(out, "</a></td><td>");
        if (!is_folder && (size > 0 || mtime > 0))
                text_size(out, size);
        text_add(out, "</td><td>");
        if (mtime > 0)
                http_date_build(mtime / NSEC_PER_SEC, out);
        text_add(out, "</td></tr>\n");
}

void http_listing_end(struct text *out, size_t n_most) {
        text_add(out, "</table>\n");
        if (n_most > 0) {
                text_add(out, "<p>This folder has more than ");
                text_u64(out, n_most);
                text_add(out,
                         " names; the others are not shown, and can be fetched all "
                         "the same.</p>\n");
        }
        text_add(out, "</body></html>\n");
}
