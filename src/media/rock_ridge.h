#pragma once
/*
 * What stands behind the name in a directory record (SUSP, IEEE P1281; Rock Ridge,
 * IEEE P1282): a real name, a mode, times, a link's text, and where a folder was put
 * that lay too deep. One record may go on elsewhere in the image; how far is bounded.
 * Pure: what it cannot reach it asks for.
 */
#include "base/base.h"

enum {
        ROCK_RIDGE_NAME_MAX = 255,
        ROCK_RIDGE_LINK_MAX = 1023,
        ROCK_RIDGE_CONTINUATIONS_MAX = 64,
        ROCK_RIDGE_CONTINUATION_BYTES_MAX = 8192,
};

struct rock_ridge {
        char name[ROCK_RIDGE_NAME_MAX + 1];
        char link[ROCK_RIDGE_LINK_MAX + 1];
        size_t n_name, n_link;
        bool is_there;  /* anything of Rock Ridge at all */
        bool is_hidden; /* a name or link that no path can hold; "." or ".." */
        bool is_link, is_moved, is_compressed, is_sparse;
        bool has_mode;
        uint32_t mode;  /* st_mode of POSIX */
        nsec_t mtime;   /* 0: not said */
        uint32_t child; /* block of a folder that lies elsewhere; 0: none */

        bool name_goes_on, link_goes_on, component_goes_on; /* private */
};

/* `n` bytes at `offset` of a block of the image, valid until the next call; false when
 * they lie outside or there is nothing more to be had. */
typedef bool (*rock_ridge_more_fn)(uint32_t block, uint32_t offset, uint32_t n,
                                   const uint8_t **ret, void *userdata);

/* The system use area of one record, from where SUSP begins in it. What is no sound
 * entry ends it, as other readers have it. */
void rock_ridge_parse(const uint8_t *area, size_t n, rock_ridge_more_fn more,
                      void *userdata, struct rock_ridge *ret);

/* The top folder's own record says whether there is SUSP (P1281 5.3): how many bytes
 * are to be skipped in every area, or -1. */
int rock_ridge_skip(const uint8_t *area, size_t n);

/* ECMA-119 9.1.5: seven bytes; ECMA-119 8.4.26.1: seventeen digits. 0 when it is none.
 */
nsec_t rock_ridge_time(const uint8_t *p);
nsec_t rock_ridge_long_time(const uint8_t *p);
