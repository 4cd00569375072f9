/*
 * A run of the importer from outside: which reader it is, where memory and files come
 * from, and the remarks. What a file may cost is limited here and nowhere else.
 */
#include "import/internal.h"

#include <stdarg.h>
#include <stdlib.h>

enum { MEMORY_MAX = 512 << 20, CHUNK_SIZE = 64 << 10, REMARKS_MAX = 20000 };

struct chunk {
        struct chunk *next;
        size_t n, used;
        _Alignas(16) uint8_t data[];
};

/* ---- memory ---- */

static void fail(struct import *im, int why) {
        if (!im->failed)
                im->failed = why;
}

void *import_take(struct import *im, size_t n) {
        struct chunk *chunk = im->chunks;
        void *taken;

        n = (n + 15) & ~(size_t)15;
        if (!chunk || chunk->n - chunk->used < n) {
                size_t room = n > CHUNK_SIZE ? n : CHUNK_SIZE;

                if (im->n_taken + room > MEMORY_MAX || im->failed) {
                        import_refuse(im, (struct place){ 0 },
                                      "the file is too large to be converted", NULL);
                        return NULL;
                }
                chunk = calloc(1, sizeof(*chunk) + room);
                if (!chunk) {
                        fail(im, -ENOMEM);
                        return NULL;
                }
                chunk->n = room;
                chunk->next = im->chunks;
                im->chunks = chunk;
                im->n_taken += room;
        }
        taken = chunk->data + chunk->used;
        chunk->used += n;
        return taken;
}

const char *import_copy(struct import *im, const void *s, size_t n) {
        char *copy = import_take(im, n + 1);

        if (!copy)
                return "";
        if (n)
                memcpy(copy, s, n);
        return copy;
}

static void add_pieces(struct text *out, va_list pieces) {
        for (const char *piece; (piece = va_arg(pieces, const char *));)
                text_add(out, piece);
}

const char *import_join(struct import *im, ...) {
        struct text text = { 0 };
        const char *joined;
        va_list pieces;

        va_start(pieces, im);
        add_pieces(&text, pieces);
        va_end(pieces);
        if (text.failed)
                fail(im, -ENOMEM);
        joined = import_copy(im, text.s, text.n);
        text_done(&text);
        return joined;
}

const char *import_decimal(struct import *im, uint64_t v) {
        struct text text = { 0 };
        const char *decimal;

        text_u64(&text, v);
        decimal = import_copy(im, text.s, text.n);
        text_done(&text);
        return decimal;
}

const char *import_address(struct import *im, ip4_t a) {
        char text[IP4_TEXT_MAX];

        ip4_format(a, text);
        return import_copy(im, text, strlen(text));
}

/* ---- remarks ---- */

static char *take_string(struct text *text) {
        char *s = text->failed ? NULL : text->s;

        if (!s)
                text_done(text);
        return s;
}

static void add_remark(struct import *im, struct place at, struct text *message) {
        struct import_result *result = im->result;
        struct text file = { 0 };
        struct import_remark remark = { .line = at.line, .order = at.number };

        if (result->n_remarks == im->n_remarks_room) {
                size_t room = im->n_remarks_room * 2 + 16;
                void *grown = realloc(result->remarks, room * sizeof(remark));

                if (!grown) {
                        text_done(message);
                        fail(im, -ENOMEM);
                        return;
                }
                result->remarks = grown;
                im->n_remarks_room = room;
        }
        text_printable(&file, at.file, strlen(at.file));
        remark.file = take_string(&file);
        remark.message = take_string(message);
        if (!remark.file || !remark.message) {
                free(remark.file);
                free(remark.message);
                fail(im, -ENOMEM);
                return;
        }
        result->remarks[result->n_remarks++] = remark;
}

void import_remark(struct import *im, struct place at, ...) {
        struct text raw = { 0 }, message = { 0 };
        va_list pieces;

        if (im->failed || im->result->n_remarks > REMARKS_MAX)
                return;
        if (!at.file)
                at = im->start;
        va_start(pieces, at);
        if (im->result->n_remarks == REMARKS_MAX)
                text_add(&raw, "there is more that is not carried, not listed here");
        else
                add_pieces(&raw, pieces);
        va_end(pieces);
        text_printable(&message, text_string(&raw), raw.n);
        text_done(&raw);
        add_remark(im, at, &message);
}

void import_refuse(struct import *im, struct place at, ...) {
        struct text *problem = &im->result->problem, raw = { 0 };
        va_list pieces;

        if (im->failed)
                return;
        im->failed = IMPORT_REFUSED;
        if (at.file) {
                text_add(&raw, at.file);
                text_add(&raw, ":");
        }
        if (at.line) {
                text_u64(&raw, at.line);
                text_add(&raw, ":");
                text_u64(&raw, at.column);
                text_add(&raw, ":");
        }
        if (raw.n)
                text_add(&raw, " ");
        va_start(pieces, at);
        add_pieces(&raw, pieces);
        va_end(pieces);
        text_printable(problem, text_string(&raw), raw.n);
        text_done(&raw);
}

static int compare_remarks(const void *a, const void *b) {
        const struct import_remark *x = *(const struct import_remark *const *)a;
        const struct import_remark *y = *(const struct import_remark *const *)b;

        if (x->order != y->order)
                return x->order < y->order ? -1 : 1;
        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        return x < y ? -1 : x > y; /* as they were made */
}

/* By file and line, and nothing twice. */
void import_sort_remarks(struct import_result *result) {
        size_t n = 0;
        const struct import_remark **order =
                calloc(result->n_remarks + 1, sizeof(*order));
        struct import_remark *sorted = calloc(result->n_remarks + 1, sizeof(*sorted));

        for (size_t i = 0; order && sorted && i < result->n_remarks; i++)
                order[i] = &result->remarks[i];
        if (order && sorted && result->n_remarks) {
                qsort(order, result->n_remarks, sizeof(*order), compare_remarks);
                for (size_t i = 0; i < result->n_remarks; i++) {
                        struct import_remark remark = *order[i];

                        if (n && sorted[n - 1].order == remark.order &&
                            sorted[n - 1].line == remark.line &&
                            strcmp(sorted[n - 1].message, remark.message) == 0) {
                                free(remark.file);
                                free(remark.message);
                        } else {
                                sorted[n++] = remark;
                        }
                }
                result->n_remarks = n;
                free(result->remarks);
                result->remarks = TAKE(sorted);
        }
        free(order);
        free(sorted);
}

/* ---- files ---- */

static const char *error_text(int error) {
        switch (-error) {
        case ENOENT:
                return "there is no such file";
        case EACCES:
        case EPERM:
                return "it may not be read by this user";
        case EISDIR:
                return "it is a folder";
        case EFBIG:
                return "it is too large";
        default:
                return "it cannot be read";
        }
}

static void refuse_file(struct import *im, const char *path, struct place at,
                        const char *why) {
        if (at.line)
                import_refuse(im, at, "cannot include ", path, ": ", why, NULL);
        else
                import_refuse(im, (struct place){ .file = path }, why, NULL);
}

const struct import_text *import_load(struct import *im, const char *path,
                                      struct place at, const struct open_file *open) {
        struct import_text *text;
        char *bytes = NULL;
        size_t n = 0;
        unsigned depth = 0;
        int r;

        for (const struct open_file *file = open; file; file = file->outer, depth++)
                if (strcmp(file->path, path) == 0) {
                        refuse_file(im, path, at, "it includes itself");
                        return NULL;
                }
        if (depth >= IMPORT_DEPTH_MAX || im->n_files >= IMPORT_FILES_MAX) {
                refuse_file(im, path, at, "there are too many files in files");
                return NULL;
        }
        r = im->files->load(path, &bytes, &n, im->files->userdata);
        if (r == -ENOMEM) {
                fail(im, r);
                return NULL;
        }
        if (r != 0) {
                refuse_file(im, path, at, error_text(r));
                return NULL;
        }
        im->n_read += n;
        text = import_take(im, sizeof(*text));
        if (im->n_read > IMPORT_BYTES_MAX) {
                refuse_file(im, path, at, "it is too large: 8 MiB are the most");
        } else if (text) {
                text->s = import_copy(im, bytes, n);
                text->n = n;
                text->start = (struct place){ path, ++im->n_files, 1, 1 };
        }
        free(bytes);
        return im->failed ? NULL : text;
}

void import_done(struct import *im) {
        for (struct chunk *chunk = im->chunks, *next; chunk; chunk = next) {
                next = chunk->next;
                free(chunk);
        }
        im->chunks = NULL;
}

/* ---- the whole ---- */

static enum import_kind recognise(const struct import_text *text) {
        bool is_dhcpd = dhcpd_is_likely(text), is_dnsmasq = dnsmasq_is_likely(text);

        if (is_dhcpd == is_dnsmasq)
                return IMPORT_ANY;
        return is_dhcpd ? IMPORT_DHCPD : IMPORT_DNSMASQ;
}

static void read_as(struct import *im, enum import_kind kind,
                    const struct import_text *text, const struct open_file *open) {
        if (kind == IMPORT_ANY)
                kind = recognise(text);
        im->result->kind = kind;
        if (kind == IMPORT_DHCPD)
                dhcpd_read(im, text, open);
        else if (kind == IMPORT_DNSMASQ)
                dnsmasq_read(im, text, open);
        else
                import_refuse(im, (struct place){ .file = open->path },
                              "expected a dhcpd.conf or a dnsmasq.conf and cannot say "
                              "which this is: name it with --from dhcpd or --from "
                              "dnsmasq",
                              NULL);
}

int import_convert(const char *path, enum import_kind kind,
                   const struct import_files *files, struct import_result *ret) {
        struct model model;
        struct import im = { .files = files, .result = ret, .model = &model };
        const struct open_file open = { path, NULL };
        const struct import_text *text;

        *ret = (struct import_result){ 0 };
        model_init(&model);
        text = import_load(&im, path, (struct place){ 0 }, NULL);
        if (text)
                im.start = text->start;
        if (text)
                read_as(&im, kind, text, &open);
        if (!im.failed)
                model_settle(&im);
        if (!im.failed)
                yaml_write(&model, path, &ret->yaml);
        if (ret->yaml.failed || ret->problem.failed)
                im.failed = -ENOMEM;
        import_sort_remarks(ret);
        import_done(&im);
        return im.failed;
}

void import_result_done(struct import_result *result) {
        for (size_t i = 0; i < result->n_remarks; i++) {
                free(result->remarks[i].file);
                free(result->remarks[i].message);
        }
        free(result->remarks);
        text_done(&result->yaml);
        text_done(&result->problem);
        *result = (struct import_result){ 0 };
}

bool import_kind_parse(const char *name, enum import_kind *ret) {
        if (strcmp(name, "dhcpd") == 0)
                *ret = IMPORT_DHCPD;
        else if (strcmp(name, "dnsmasq") == 0)
                *ret = IMPORT_DNSMASQ;
        else
                return false;
        return true;
}

const char *import_kind_name(enum import_kind kind) {
        return kind == IMPORT_DHCPD ? "dhcpd" : kind == IMPORT_DNSMASQ ? "dnsmasq" : "";
}
