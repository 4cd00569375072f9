/*
 * Counting menus and files, see the header.
 */
#include "policy/fetch.h"

static const nsec_t rest = 24 * 3600 * NSEC_PER_SEC;

bool fetch_by_http(struct fetch *fetch, nsec_t now) {
        if (fetch->is_avoided && now >= fetch->until)
                *fetch = (struct fetch){ 0 };
        return !fetch->is_avoided;
}

static void avoid(struct fetch *fetch, nsec_t now) {
        *fetch = (struct fetch){ .is_avoided = true, .until = now + rest };
}

void fetch_offered(struct fetch *fetch, bool is_chosen, nsec_t now) {
        if (fetch->is_avoided)
                return;
        if (is_chosen && fetch->n_offered >= 2)
                avoid(fetch, now);
        else if (fetch->n_offered < UINT8_MAX)
                fetch->n_offered++;
}

/* What a menu offers by HTTP; an EFI program comes by TFTP in any case, and so do
 * loaders and their modules. */
static bool is_offered(const char *path) {
        size_t n = strlen(path);

        if (strncmp(path, "media/", 6) != 0 && strncmp(path, "made/", 5) != 0)
                return false;
        return n < 4 || strcmp(path + n - 4, ".efi") != 0;
}

bool fetch_seen(struct fetch *fetch, const char *path, bool is_http, nsec_t now) {
        bool was_offered = fetch->n_offered > 0;

        if (fetch->is_avoided || !is_offered(path))
                return false;
        fetch->n_offered = 0;
        if (!is_http && was_offered)
                avoid(fetch, now);
        return fetch->is_avoided;
}
