/* Values about booting: which loader, and whether only signed ones. */
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
