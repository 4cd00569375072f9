/* Values about booting: which loader, whether only signed ones, and amounts of memory.
 */
#include "conf/internal.h"
#include "policy/loader.h"

static void read_loader(struct parser *p, const struct doc_node *node,
                        const struct option *option, void *at) {
        enum policy_kind kind;
        const char *near;

        if (!want_text(p, node, option))
                return;
        if (policy_kind_parse(node->text, &kind)) {
                *(uint8_t *)at = (uint8_t)kind;
                return;
        }
        near = text_nearest(node->text, policy_kind_words);
        problem(p, node, option->key, " must be a kind of loader, not '", node->text,
                near ? "'; did you mean '"
                     : "': auto, pxelinux, lpxelinux, grub, shim, "
                       "ipxe, snponly, syslinux or iso",
                near ? near : "", near ? "'?" : "", NULL);
}
static bool loader_equal(const struct option *option, const void *a, const void *b) {
        return *(const uint8_t *)a == *(const uint8_t *)b;
}
const struct type type_loader = { "auto, pxelinux, lpxelinux, grub, shim, ipxe, "
                                  "snponly, syslinux or iso",
                                  "word", read_loader, loader_equal };

static void read_secure(struct parser *p, const struct doc_node *node,
                        const struct option *option, void *at) {
        if (!want_text(p, node, option))
                return;
        if (strcmp(node->text, "true") == 0 || strcmp(node->text, "on") == 0)
                *(enum policy_secure *)at = POLICY_SECURE_ON;
        else if (strcmp(node->text, "false") == 0 || strcmp(node->text, "off") == 0)
                *(enum policy_secure *)at = POLICY_SECURE_OFF;
        else
                problem(p, node, option->key, " must be true or false, not '",
                        node->text, "'", NULL);
}
static bool secure_equal(const struct option *option, const void *a, const void *b) {
        return *(const enum policy_secure *)a == *(const enum policy_secure *)b;
}
const struct type type_secure = { "true or false", "boolean", read_secure,
                                  secure_equal };

static bool parse_size(const char *s, uint64_t *ret) {
        static const char units[] = "KMGT";
        size_t n = strlen(s);
        char number[16];
        const char *unit;
        uint64_t v;

        if (n < 2 || n > sizeof(number))
                return false;
        unit = strchr(units, s[n - 1]);
        memcpy(number, s, n - 1);
        number[n - 1] = '\0';
        if (!unit || !parse_number(number, 1 << 20, &v) || v == 0)
                return false;
        *ret = v << (10 * (unit - units + 1));
        return true;
}

static void read_size(struct parser *p, const struct doc_node *node,
                      const struct option *option, void *at) {
        if (want_text(p, node, option) && !parse_size(node->text, at))
                refuse_value(p, node, option, "512M or 2G");
}
static bool size_equal(const struct option *option, const void *a, const void *b) {
        return *(const uint64_t *)a == *(const uint64_t *)b;
}
const struct type type_size = { "an amount of memory such as 2G", "size", read_size,
                                size_equal };
