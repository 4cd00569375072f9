/*
 * Path cleaning. Segments are copied one by one; ".." takes the last one back, and
 * with nothing to take back the path is refused rather than clamped: a request for
 * "../../etc/shadow" is an attack or a bug, and both should be seen.
 */
#include "base/path.h"

#include "base/text.h"

static bool is_slash(char c) {
        return c == '/' || c == '\\';
}

static enum path_verdict check_bytes(const char *in, size_t n) {
        if (memchr(in, '\0', n))
                return PATH_HAS_NUL;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)in[i] < 0x20 || in[i] == 0x7f)
                        return PATH_HAS_CONTROL;
        if (!text_is_utf8(in, n))
                return PATH_NOT_UTF8;
        return PATH_OK;
}

static bool starts_with_drive(const char *in, size_t n) {
        while (n > 0 && is_slash(*in))
                in++, n--;
        return n >= 2 && in[1] == ':' &&
               ((in[0] >= 'A' && in[0] <= 'Z') || (in[0] >= 'a' && in[0] <= 'z')) &&
               (n == 2 || is_slash(in[2]));
}

enum path_verdict path_clean(const char *in, size_t n,
                             char out[static PATH_MAX_BYTES]) {
        char clean[PATH_MAX_BYTES];
        size_t at = 0;
        enum path_verdict verdict;

        if (n == 0) {
                out[0] = '\0';
                return PATH_OK;
        }
        verdict = check_bytes(in, n);
        if (verdict != PATH_OK)
                return verdict;
        if (starts_with_drive(in, n))
                return PATH_HAS_DRIVE;

        for (size_t i = 0; i < n;) {
                size_t first = i, length;

                while (i < n && !is_slash(in[i]))
                        i++;
                length = i - first;
                i++;
                if (length == 0 || (length == 1 && in[first] == '.'))
                        continue;
                if (length == 2 && in[first] == '.' && in[first + 1] == '.') {
                        if (at == 0)
                                return PATH_LEAVES;
                        while (at > 0 && clean[--at] != '/')
                                ;
                        continue;
                }
                if (at + length + 2 > sizeof(clean))
                        return PATH_TOO_LONG;
                if (at > 0)
                        clean[at++] = '/';
                memcpy(clean + at, in + first, length);
                at += length;
        }
        memcpy(out, clean, at);
        out[at] = '\0';
        return PATH_OK;
}

const char *path_verdict_text(enum path_verdict verdict) {
        switch (verdict) {
        case PATH_OK:
                return "the path is clean";
        case PATH_LEAVES:
                return "the path leaves the tree";
        case PATH_HAS_NUL:
                return "the path holds a NUL byte";
        case PATH_HAS_CONTROL:
                return "the path holds control characters";
        case PATH_NOT_UTF8:
                return "the path is not UTF-8";
        case PATH_TOO_LONG:
                return "the path is too long";
        case PATH_HAS_DRIVE:
                return "the path names a drive";
        }
        return "the path is not clean";
}
