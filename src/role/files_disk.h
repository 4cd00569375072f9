#pragma once
/*
 * For the doors: reading from the tree without waiting for a disk. What is not in
 * memory is fetched on a helper's thread, once for all who want it, while the loop goes
 * on with the others; then whoever waits is called and tries again.
 */
#include "base/list.h"
#include "io/loop.h"
#include "vtree/vtree.h"

struct files_disk;

MUST_USE int files_disk_new(struct loop *loop, struct files_disk **ret);
struct files_disk *files_disk_free(struct files_disk *disk); /* nobody may wait */

/* Who waits: part of a transfer. `answer` is 0, try again, or what the disk said
 * (-EIO). Called by the loop, never from within the calls below. */
typedef void (*files_wait_fn)(int answer, void *userdata);
struct files_wait {
        struct list link;
        files_wait_fn fn;
        void *userdata;
};
void files_wait_init(struct files_wait *ret, files_wait_fn fn, void *userdata);
bool files_wait_is_waiting(const struct files_wait *wait);
/* May be called at any time; fn is not called any more. */
void files_wait_cancel(struct files_wait *wait);

/* How many of the n bytes from `offset` on can be read now, by sendfile say: at least
 * one, all in one extent. Or -EAGAIN: `wait` will be called (NULL: it is only fetched).
 * Or another -errno. */
int64_t files_disk_ready(struct files_disk *disk, struct vtree_file *file,
                         uint64_t offset, uint64_t n, struct files_wait *wait);
/* vtree_file_read() of what can be read now, all n of it, or -EAGAIN as above. */
int64_t files_disk_read(struct files_disk *disk, struct vtree_file *file,
                        uint64_t offset, void *buffer, size_t n,
                        struct files_wait *wait);
