/*
 * Files are seen as blocks of 256 KiB of the host file or image. A block counts as warm
 * for a second after it was seen in memory, so that a thousand machines who fetch the
 * same kernel are not a thousand questions; and after it was fetched, whatever became
 * of it, so that a machine short of memory waits now and then instead of for ever.
 *
 * Where the kernel can say whether a read would wait (RWF_NOWAIT), a block is looked at
 * in a few places: what is read in pieces of 128 KiB is dropped in such, too. Where it
 * cannot (NFS, FUSE, overlays), what was not fetched by us lately is fetched.
 */
#include "role/files_disk.h"

#include <stdlib.h>
#include <sys/uio.h>

#include "io/disk.h"

enum { BLOCK = 256 * 1024, WARM = 4096, BUCKETS = 256, LOOKS = 3 };

static const nsec_t warm_for = NSEC_PER_SEC;

struct warm {
        uint64_t key;
        nsec_t since;
        bool is_fetched; /* or only seen in a few places */
};

struct files_disk {
        struct disk *disk;
        struct warm warm[WARM]; /* by its key; 0: none */
        struct list fetches[BUCKETS];
};

struct fetch {
        struct list link, waiters;
        struct files_disk *disk;
        uint64_t key;
};

void files_wait_init(struct files_wait *ret, files_wait_fn fn, void *userdata) {
        *ret = (struct files_wait){ .fn = fn, .userdata = userdata };
        list_init(&ret->link);
}

bool files_wait_is_waiting(const struct files_wait *wait) {
        return !list_is_empty(&wait->link);
}

void files_wait_cancel(struct files_wait *wait) {
        list_remove(&wait->link);
}

int files_disk_new(struct loop *loop, struct files_disk **ret) {
        struct files_disk *disk = calloc(1, sizeof(*disk));
        int r;

        if (!disk)
                return -ENOMEM;
        r = disk_new(loop, &disk->disk);
        if (r < 0) {
                free(disk);
                return r;
        }
        for (size_t i = 0; i < BUCKETS; i++)
                list_init(&disk->fetches[i]);
        *ret = disk;
        return 0;
}

static void fetch_free(struct fetch *fetch) {
        assert(list_is_empty(&fetch->waiters));
        list_remove(&fetch->link);
        free(fetch);
}

struct files_disk *files_disk_free(struct files_disk *disk) {
        if (!disk)
                return NULL;
        disk_free(disk->disk);
        for (size_t i = 0; i < BUCKETS; i++)
                LIST_FOR_EACH(pos, &disk->fetches[i])
        fetch_free(CONTAINER_OF(pos, struct fetch, link));
        free(disk);
        return NULL;
}

/* ---- blocks ---- */

static uint64_t key_of(const struct vtree_file *file, uint64_t block) {
        uint64_t key =
                (file->host_id ^ block * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

        key ^= key >> 32;
        return key ? key : 1;
}

static struct warm *warm_at(struct files_disk *disk, uint64_t key) {
        return &disk->warm[key % WARM];
}

static void set_warm(struct files_disk *disk, uint64_t key, nsec_t now,
                     bool is_fetched) {
        *warm_at(disk, key) = (struct warm){ key, now, is_fetched };
}

static bool is_known_warm(struct files_disk *disk, uint64_t key, nsec_t now) {
        const struct warm *warm = warm_at(disk, key);

        return warm->key == key && now - warm->since < warm_for;
}

static bool was_just_fetched(struct files_disk *disk, uint64_t key, nsec_t now) {
        return is_known_warm(disk, key, now) && warm_at(disk, key)->is_fetched;
}

static bool is_in_memory(const struct vtree_file *file, uint64_t at) {
        struct iovec one = { &(uint8_t){ 0 }, 1 };

        return preadv2(file->fd, &one, 1, (off_t)at, RWF_NOWAIT) >= 0;
}

/* Whether block `block` can be read without waiting. */
static bool is_warm(struct files_disk *disk, struct vtree_file *file, uint64_t block,
                    nsec_t now) {
        uint64_t key = key_of(file, block), first = block * BLOCK;
        uint64_t n = min_u64(BLOCK, file->host_size - min_u64(file->host_size, first));

        if (is_known_warm(disk, key, now))
                return true;
        if (vtree_file_storage(file) != VTREE_STORAGE_ASKABLE)
                return false;
        for (unsigned i = 0; i < LOOKS && n > 0; i++)
                if (!is_in_memory(file, first + (n - 1) * i / (LOOKS - 1)))
                        return false;
        set_warm(disk, key, now, false);
        return true;
}

/* ---- fetching ---- */

static struct fetch *find(struct files_disk *disk, uint64_t key) {
        LIST_FOR_EACH(pos, &disk->fetches[key % BUCKETS])
        if (CONTAINER_OF(pos, struct fetch, link)->key == key)
                return CONTAINER_OF(pos, struct fetch, link);
        return NULL;
}

static void on_fetched(int answer, void *userdata) {
        struct fetch *fetch = userdata;
        struct list waiters;

        if (answer == 0)
                set_warm(fetch->disk, fetch->key, loop_now(), true);
        /* Those who wait again while they are called wait for another fetch. */
        list_init(&waiters);
        while (!list_is_empty(&fetch->waiters)) {
                struct list *first = fetch->waiters.next;

                list_remove(first);
                list_append(&waiters, first);
        }
        fetch_free(fetch);
        while (!list_is_empty(&waiters)) {
                struct files_wait *wait =
                        CONTAINER_OF(waiters.next, struct files_wait, link);

                list_remove(&wait->link);
                wait->fn(answer, wait->userdata);
        }
}

static int begin(struct files_disk *disk, const struct vtree_file *file, uint64_t block,
                 struct fetch **ret) {
        struct fetch *fetch = calloc(1, sizeof(*fetch));
        int r;

        if (!fetch)
                return -ENOMEM;
        *fetch = (struct fetch){ .disk = disk, .key = key_of(file, block) };
        list_init(&fetch->waiters);
        list_append(&disk->fetches[fetch->key % BUCKETS], &fetch->link);
        r = disk_fetch(disk->disk, file->fd, file->device, block * BLOCK, BLOCK,
                       on_fetched, fetch);
        if (r < 0) {
                fetch_free(fetch);
                return r;
        }
        *ret = fetch;
        return 0;
}

/* -EAGAIN, or what keeps it from being fetched. */
static int wait_for(struct files_disk *disk, const struct vtree_file *file,
                    uint64_t block, struct files_wait *wait) {
        struct fetch *fetch = find(disk, key_of(file, block));
        int r = fetch ? 0 : begin(disk, file, block, &fetch);

        if (r < 0)
                return r;
        if (wait) {
                list_remove(&wait->link);
                list_append(&fetch->waiters, &wait->link);
        }
        return -EAGAIN;
}

/* ---- for the doors ---- */

int64_t files_disk_ready(struct files_disk *disk, struct vtree_file *file,
                         uint64_t offset, uint64_t n, struct files_wait *wait) {
        struct vtree_place e;
        uint64_t end, block;
        nsec_t now;

        file = vtree_file_part(file, &offset, &n);
        e = vtree_file_place(file, offset);
        block = e.offset / BLOCK;
        n = min_u64(n, e.length);
        end = e.offset + n;
        if (n == 0 || vtree_file_storage(file) == VTREE_STORAGE_MEMORY)
                return (int64_t)n;
        now = loop_now();
        while (block * BLOCK < end && is_warm(disk, file, block, now))
                block++;
        if (block * BLOCK >= end)
                return (int64_t)n;
        if (block * BLOCK <= e.offset)
                return wait_for(disk, file, block, wait);
        /* What comes next is fetched while this is sent. */
        (void)wait_for(disk, file, block, NULL);
        return (int64_t)(block * BLOCK - e.offset);
}

/* Where the kernel cannot say, all blocks must be known. */
static int64_t ready_all(struct files_disk *disk, struct vtree_file *file,
                         uint64_t offset, size_t n, struct files_wait *wait) {
        for (uint64_t done = 0; done < n;) {
                int64_t r = files_disk_ready(disk, file, offset + done, n - done, wait);

                if (r <= 0)
                        return r;
                done += (uint64_t)r;
        }
        return (int64_t)n;
}

static int64_t read_part(struct files_disk *disk, struct vtree_file *file,
                         uint64_t offset, void *buffer, size_t n,
                         struct files_wait *wait) {
        int64_t r = vtree_file_read_now(file, offset, buffer, n);
        uint64_t first_missing;

        if (r == (int64_t)n || (r < 0 && r != -EAGAIN))
                return r;
        if (r >= 0 && offset + (uint64_t)r >= file->size)
                return r; /* its end */
        if (vtree_file_storage(file) == VTREE_STORAGE_OPAQUE) {
                r = ready_all(disk, file, offset, n, wait);
        } else {
                first_missing =
                        vtree_file_place(file, offset + (uint64_t)(r > 0 ? r : 0))
                                .offset /
                        BLOCK;
                /* Fetched this second, and gone again: memory is short. */
                r = was_just_fetched(disk, key_of(file, first_missing), loop_now())
                            ? 0
                            : wait_for(disk, file, first_missing, wait);
        }
        return r < 0 ? r : vtree_file_read(file, offset, buffer, n);
}

int64_t files_disk_read(struct files_disk *disk, struct vtree_file *file,
                        uint64_t offset, void *buffer, size_t n,
                        struct files_wait *wait) {
        uint8_t *p = buffer;
        size_t done = 0;

        while (done < n) {
                uint64_t at = offset + done, some = n - done;
                struct vtree_file *part = vtree_file_part(file, &at, &some);
                int64_t r;

                if (some == 0)
                        break;
                r = read_part(disk, part, at, p + done, (size_t)some, wait);
                if (r < 0)
                        return r;
                done += (size_t)r;
                if ((uint64_t)r < some)
                        break;
        }
        return (int64_t)done;
}
