/*
 * libcurl, held to three protocols and to time: who sends nothing for a minute has
 * gone.
 *
 * The library is loaded when something is downloaded: it brings thirty others, which no
 * process that serves should have in its memory.
 *
 * A part is gone on with by a range, under If-Range where the source gave us something
 * to name its version by (RFC 9110 13.1.5): one answer then is right either way, the
 * rest (206) or, when the file has changed, all of it (200).
 */
#include "cli/fetch.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
        void *handle;
        CURL *(*init)(void);
        CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
        CURLcode (*perform)(CURL *curl);
        CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
        void (*cleanup)(CURL *curl);
        void (*reset)(CURL *curl);
        const char *(*strerror)(CURLcode code);
        char *(*unescape)(CURL *curl, const char *s, int n, int *ret_n);
        void (*release)(void *p);
        struct curl_slist *(*slist_append)(struct curl_slist *list, const char *s);
        void (*slist_free_all)(struct curl_slist *list);
} lib;

static bool has_library(void) {
        const struct {
                const char *name;
                void *to;
        } rows[] = {
                { "curl_easy_init", &lib.init },
                { "curl_easy_setopt", &lib.setopt },
                { "curl_easy_perform", &lib.perform },
                { "curl_easy_getinfo", &lib.getinfo },
                { "curl_easy_cleanup", &lib.cleanup },
                { "curl_easy_reset", &lib.reset },
                { "curl_easy_strerror", &lib.strerror },
                { "curl_easy_unescape", &lib.unescape },
                { "curl_free", &lib.release },
                { "curl_slist_append", &lib.slist_append },
                { "curl_slist_free_all", &lib.slist_free_all },
        };

        if (lib.handle)
                return true;
        lib.handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
        for (size_t i = 0; lib.handle && i < ARRAY_SIZE(rows); i++) {
                void *found = dlsym(lib.handle, rows[i].name);

                if (!found) {
                        dlclose(lib.handle);
                        lib.handle = NULL;
                        break;
                }
                memcpy(rows[i].to, &found, sizeof(found));
        }
        return lib.handle != NULL;
}

static int refuse_without_library(struct text *why) {
        text_add(why, "downloads need libcurl: apt install libcurl4");
        return FETCH_REFUSED;
}

enum { TRIES_MAX = 6, SILENT_SECONDS = 60, VALIDATOR_MAX = 256 };

struct download {
        const struct fetch *fetch;
        CURL *curl;
        uint64_t at; /* in the file */
        uint64_t total;
        char validator[VALIDATOR_MAX];
        bool has_begun, is_http;
        int error; /* -errno of our side */
        char said[CURL_ERROR_SIZE];
};

bool fetch_is_url(const char *s) {
        return strncasecmp(s, "http://", 7) == 0 ||
               strncasecmp(s, "https://", 8) == 0 || strncasecmp(s, "ftp://", 6) == 0;
}

static const char *path_of(const char *url) {
        const char *host = strstr(url, "://");
        const char *path = host ? strchr(host + 3, '/') : NULL;

        return path ? path : "";
}

bool fetch_name(const char *url, char *ret, size_t n) {
        const char *path = path_of(url), *end = path + strcspn(path, "?#"), *base = end;
        int n_name = 0;
        char *name;

        while (base > path && base[-1] != '/')
                base--;
        if (!has_library())
                return false;
        name = lib.unescape(NULL, base, (int)(end - base), &n_name);
        if (!name)
                return false;
        if (n_name == 0 || (size_t)n_name >= n || memchr(name, '/', (size_t)n_name) ||
            memchr(name, '\0', (size_t)n_name) || name[0] == '.') {
                lib.release(name);
                return false;
        }
        memcpy(ret, name, (size_t)n_name + 1);
        lib.release(name);
        return true;
}

char *fetch_beside(const char *url, const char *name) {
        const char *path = path_of(url), *end = path + strcspn(path, "?#");
        struct text out = { 0 };

        while (end > path && end[-1] != '/')
                end--;
        text_bytes(&out, url, (size_t)(end - url));
        text_add(&out, *path ? "" : "/");
        text_add(&out, name);
        return out.s;
}

/* ---- a file ---- */

static void keep_header(struct download *d, const char *line, size_t n,
                        const char *key) {
        size_t n_key = strlen(key);

        if (n <= n_key || strncasecmp(line, key, n_key) != 0)
                return;
        line += n_key, n -= n_key;
        while (n > 0 && *line == ' ')
                line++, n--;
        while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n'))
                n--;
        if (n > 0 && n < sizeof(d->validator)) {
                memcpy(d->validator, line, n);
                d->validator[n] = '\0';
        }
}

static size_t on_header(char *line, size_t one, size_t n, void *userdata) {
        struct download *d = userdata;

        n *= one;
        if (n > 5 && strncmp(line, "HTTP/", 5) == 0)
                d->validator[0] = '\0'; /* of the answer before a redirection */
        /* RFC 9110 13.1.5: a weak one does not name bytes. */
        if (!(n > 8 && strncasecmp(line, "ETag: W/", 8) == 0))
                keep_header(d, line, n, "ETag:");
        if (d->validator[0] == '\0')
                keep_header(d, line, n, "Last-Modified:");
        return n;
}

/* Whether these are the first bytes, the rest of a part, or all of it after all. */
static bool begin(struct download *d) {
        curl_off_t left = -1;
        long code = 0;

        d->has_begun = true;
        lib.getinfo(d->curl, CURLINFO_RESPONSE_CODE, &code);
        lib.getinfo(d->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &left);
        if (d->is_http && code != 206)
                d->at = 0;
        /* Begun anew, it may be shorter than what was there. */
        if (d->at == 0 && ftruncate(d->fetch->fd, 0) < 0)
                return false;
        d->total = left >= 0 ? d->at + (uint64_t)left : 0;
        if (d->fetch->begins &&
            !d->fetch->begins(d->total, d->validator, d->fetch->userdata)) {
                errno = ENOSPC;
                return false;
        }
        return true;
}

static size_t on_data(char *data, size_t one, size_t n, void *userdata) {
        struct download *d = userdata;

        n *= one;
        if (!d->has_begun && !begin(d)) {
                d->error = -errno;
                return 0;
        }
        for (size_t done = 0; done < n;) {
                ssize_t r = pwrite(d->fetch->fd, data + done, n - done, (off_t)d->at);

                if (r < 0) {
                        d->error = -errno;
                        return 0;
                }
                done += (size_t)r;
                d->at += (uint64_t)r;
        }
        if (d->fetch->progress)
                d->fetch->progress(d->at, d->total, d->fetch->userdata);
        return n;
}

static void set_common(CURL *curl, const char *url, char said[CURL_ERROR_SIZE]) {
        said[0] = '\0';
        lib.setopt(curl, CURLOPT_URL, url);
        lib.setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,ftp");
        lib.setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        lib.setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
        lib.setopt(curl, CURLOPT_MAXREDIRS, 10L);
        lib.setopt(curl, CURLOPT_FAILONERROR, 1L);
        lib.setopt(curl, CURLOPT_NOSIGNAL, 1L);
        lib.setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
        lib.setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        lib.setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_SECONDS);
        lib.setopt(curl, CURLOPT_USERAGENT, "bootjack");
        lib.setopt(curl, CURLOPT_ERRORBUFFER, said);
}

static CURLcode try_once(struct download *d, const char *validator) {
        struct curl_slist *headers = NULL;
        char text[VALIDATOR_MAX + 16];
        CURLcode code;

        lib.reset(d->curl);
        set_common(d->curl, d->fetch->url, d->said);
        lib.setopt(d->curl, CURLOPT_WRITEFUNCTION, on_data);
        lib.setopt(d->curl, CURLOPT_WRITEDATA, d);
        d->has_begun = false;
        if (d->is_http) {
                lib.setopt(d->curl, CURLOPT_HEADERFUNCTION, on_header);
                lib.setopt(d->curl, CURLOPT_HEADERDATA, d);
        }
        if (d->at > 0) {
                snprintf(text, sizeof(text), "%llu-", (unsigned long long)d->at);
                lib.setopt(d->curl, CURLOPT_RANGE, text);
                if (d->is_http) {
                        char header[VALIDATOR_MAX + 16];

                        snprintf(header, sizeof(header), "If-Range: %s", validator);
                        headers = lib.slist_append(NULL, header);
                        lib.setopt(d->curl, CURLOPT_HTTPHEADER, headers);
                }
        }
        code = lib.perform(d->curl);
        lib.slist_free_all(headers);
        return code;
}

static bool may_try_again(CURLcode code) {
        return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
               code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING ||
               code == CURLE_OPERATION_TIMEDOUT || code == CURLE_HTTP2_STREAM;
}

static int say(const struct download *d, CURLcode code, struct text *why) {
        const char *said = d->said[0] ? d->said : lib.strerror(code);
        long status = 0;

        lib.getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
        text_printable(why, said, strlen(said));
        return code == CURLE_REMOTE_FILE_NOT_FOUND || status == 404 ? FETCH_NOT_FOUND
                                                                    : FETCH_REFUSED;
}

static int download(struct download *d, struct text *why) {
        char validator[VALIDATOR_MAX];
        CURLcode code = CURLE_OK;

        snprintf(validator, sizeof(validator), "%s", d->fetch->validator);
        for (unsigned i = 0; i < TRIES_MAX; i++) {
                uint64_t before = d->at;

                /* Without a name for its version a part is worth nothing. */
                if (d->is_http && validator[0] == '\0')
                        d->at = 0;
                code = try_once(d, validator);
                if (d->error)
                        return d->error;
                /* 416: there is nothing behind what we have; if it is all, its checksum
                 * will tell. */
                if (code == CURLE_HTTP_RETURNED_ERROR && d->at > 0) {
                        long status = 0;

                        lib.getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
                        if (status == 416)
                                return FETCH_OK;
                }
                if (!may_try_again(code))
                        break;
                snprintf(validator, sizeof(validator), "%s", d->validator);
                if (d->at > before)
                        i = 0; /* as long as it gets on */
                sleep(1U << i);
        }
        return code == CURLE_OK ? FETCH_OK : say(d, code, why);
}

int fetch_file(const struct fetch *fetch, struct text *why) {
        struct download d = { .fetch = fetch,
                              .is_http = strncasecmp(fetch->url, "http", 4) == 0 };
        struct stat st;
        int r;

        if (!has_library())
                return refuse_without_library(why);
        if (fstat(fetch->fd, &st) < 0)
                return -errno;
        d.at = (uint64_t)st.st_size;
        d.curl = lib.init();
        if (!d.curl)
                return -ENOMEM;
        r = download(&d, why);
        lib.cleanup(d.curl);
        return r;
}

/* ---- a text ---- */

struct small {
        struct text *text;
        size_t most;
};

static size_t on_text(char *data, size_t one, size_t n, void *userdata) {
        struct small *small = userdata;

        n *= one;
        if (n > small->most - small->text->n)
                return 0;
        text_bytes(small->text, data, n);
        return small->text->failed ? 0 : n;
}

int fetch_text(const char *url, size_t most, struct text *ret, struct text *why) {
        struct small small = { ret, most };
        struct download d = { 0 };
        CURLcode code;
        int r;

        if (!has_library())
                return refuse_without_library(why);
        d.curl = lib.init();

        if (!d.curl)
                return -ENOMEM;
        set_common(d.curl, url, d.said);
        lib.setopt(d.curl, CURLOPT_WRITEFUNCTION, on_text);
        lib.setopt(d.curl, CURLOPT_WRITEDATA, &small);
        code = lib.perform(d.curl);
        r = code == CURLE_OK ? FETCH_OK : say(&d, code, why);
        lib.cleanup(d.curl);
        return r;
}
