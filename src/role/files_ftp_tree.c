/*
 * What FTP's clients ask for, looked up in the tree: by its own name, below ftp.root,
 * and in other letters. What must be made is asked of the core.
 */
#include <stdlib.h>

#include "role/files_ftp.h"

enum {
        LISTED_MAX = 50000,
        COUNTED_MAX = 1 << 20, /* bytes of a text whose lines are counted */
        PIECE = 16 << 10,
};

static void answer_nothing(struct ftp_connection *c, const char *why,
                           const char *nearest, bool is_temporary) {
        struct text sentence = { 0 };

        text_add(&sentence, why);
        if (nearest) {
                text_add(&sentence, " (nearest: /");
                text_add(&sentence, nearest);
                text_char(&sentence, ')');
        }
        ftp_tell_refused(c->door, c->peer.address, c->ftp.path, why, nearest);
        ftp_session_answer(&c->ftp,
                           &(struct ftp_found){ .kind = FTP_FOUND_NOTHING,
                                                .text = text_string(&sentence),
                                                .is_temporary = is_temporary },
                           loop_now(), loop_realtime());
        text_done(&sentence);
}

/* RFC 3659 4: the size of a text is the one that it has on the wire. */
static uint64_t count_lines(const struct vtree_file *file) {
        uint8_t piece[PIECE];
        uint64_t size = 0;
        int64_t n;

        if (file->size > COUNTED_MAX)
                return UINT64_MAX;
        for (uint64_t at = 0; (n = vtree_file_read(file, at, piece, sizeof(piece))) > 0;
             at += (uint64_t)n)
                size += ftp_ascii_size(piece, (size_t)n);
        return size;
}

struct listing {
        struct ftp_connection *c;
        nsec_t realtime;
        size_t n;
};

static void list_entry(const struct vtree_entry *entry, void *userdata) {
        struct listing *l = userdata;
        const struct ftp_entry e = { entry->name, entry->is_folder, entry->size,
                                     entry->mtime };

        if (l->n++ < LISTED_MAX)
                ftp_session_list(&l->c->ftp, &e, l->realtime);
}

/* Takes the file over. `path` is where it was found. */
static void answer_found(struct ftp_connection *c, struct vtree_file *file,
                         const char *path, bool is_generated) {
        enum ftp_wants wants = ftp_session_next(&c->ftp).wants;
        struct ftp_found found = {
                .kind = file->is_folder ? FTP_FOUND_FOLDER : FTP_FOUND_FILE,
                .size = file->is_folder ? 0 : file->size,
                /* The same each time, whenever it was made. */
                .mtime = is_generated ? 0 : file->mtime,
        };

        if (wants == FTP_WANTS_LENGTH && !file->is_folder)
                found.ascii_size = count_lines(file);
        if (wants == FTP_WANTS_LIST && file->is_folder) {
                struct listing l = { c, loop_realtime(), 0 };

                if (vtree_list(files_tree(c->door->files), path, list_entry, &l) !=
                    VTREE_OK) {
                        vtree_file_unref(file);
                        answer_nothing(c, "the folder could not be listed", NULL, true);
                        return;
                }
        }
        if (wants == FTP_WANTS_FILE && !file->is_folder) {
                vtree_file_unref(c->file);
                c->file = TAKE(file);
        }
        vtree_file_unref(file);
        ftp_session_answer(&c->ftp, &found, loop_now(), loop_realtime());
}

static void on_generated(int answer, struct vtree_file *file, void *userdata) {
        struct ftp_connection *c = userdata;

        c->ticket = -1;
        if (answer == VTREE_OK)
                answer_found(c, file, c->ftp.path, true);
        else if (answer == VTREE_NOT_FOUND)
                answer_nothing(c, "not found", NULL, false);
        else
                answer_nothing(c, "the server did not make this file in time", NULL,
                               true);
        ftp_run(c);
}

static void generate(struct ftp_connection *c, const char *path) {
        c->ticket = files_generate(c->door->files, path, c->peer.address,
                                   c->local.address, on_generated, c);
        if (c->ticket < 0) {
                c->ticket = -1;
                answer_nothing(c, "the server cannot make this file now", NULL, true);
        }
}

static void answer_missing(struct ftp_connection *c) {
        char nearest[PATH_MAX_BYTES];
        bool has_nearest =
                vtree_nearest(files_tree(c->door->files), c->ftp.path, nearest) &&
                strcmp(nearest, c->ftp.path) != 0;

        answer_nothing(c, "not found", has_nearest ? nearest : NULL, false);
}

void ftp_look_up(struct ftp_connection *c) {
        struct vtree *tree = files_tree(c->door->files);
        char moved[PATH_MAX_BYTES];
        const char *path = c->ftp.path;
        struct vtree_file *file;
        int found = vtree_open(tree, path, &file);

        if (found == VTREE_NOT_FOUND) {
                found = vtree_open_below(files_tree(c->door->files),
                                         files_conf(c->door->files)->ftp.root,
                                         c->ftp.path, moved, &file);
                path = moved;
        }
        if (found == VTREE_NOT_FOUND && vtree_find_any_case(tree, c->ftp.path, moved))
                found = vtree_open(tree, moved, &file);
        if (found == VTREE_OK)
                answer_found(c, file, path, false);
        else if (found == VTREE_GENERATED)
                generate(c, path);
        else if (found == VTREE_NOT_FOUND)
                answer_missing(c);
        else if (found == VTREE_REFUSED)
                answer_nothing(c, "it leads out of the tree, or is no file", NULL,
                               false);
        else if (found == VTREE_UNREADABLE)
                answer_nothing(c, "the server may not read it", NULL, false);
        else
                answer_nothing(c, "the server is out of memory or descriptors", NULL,
                               true);
}
