/* Reading recipes: what is wrong with one is said, with the place. */
#include "media/recipe.h"

#include "test/check.h"

#define MATCH "system: s\nmatch: [{file: f, as: k}]\n"
#define ENTRY MATCH "entries:\n  - "

static const struct {
        const char *text, *said;
} rows[] = {
        { "", "r:1:1: expected keys and values" },
        { "- a\n", "r:1:1: expected keys and values" },
        { "system: [\n", "r:" },
        { "system: s\n", "r:1:1: a recipe needs a system and a match" },
        { "match: [{file: f}]\n", "a recipe needs a system and a match" },
        { "sistem: s\nmatch: [{file: f}]\n",
          "r:1:1: unknown key; the nearest is 'system'" },
        { "system: s\nmatch: {file: f}\n", "r:2:9: expected a list of conditions" },
        { "system: s\nmatch: []\n", "expected a list of conditions" },
        { "system: s\nmatch:\n  - {fil: f}\n",
          "r:3:6: unknown key; the nearest is 'file'" },
        { "system: s\nmatch:\n  - {as: f}\n", "r:3:6: a condition asks nothing" },
        { "system: s\nmatch:\n  - {file: f, var: arch}\n", "two questions in one" },
        { "system: s\nmatch:\n  - {var: nobody}\n",
          "a variable that nothing sets: 'nobody'" },
        { "system: s\nmatch:\n  - {file: '${no}/f'}\n",
          "that nothing sets in '${no}/f'" },
        { "system: s\nmatch:\n  - {file: '${arch/f'}\n", "a '${' without its '}'" },
        { "system: s\nmatch:\n  - {file: [[f]]}\n", "expected a text in 'file'" },
        { "system: s\nmatch:\n  - {file: f, text: '('}\n",
          "not a regular expression: '('" },
        { "system: s\nmatch:\n  - {file: f, text: 'a', set: b}\n",
          "more variables than groups" },
        { "system: s\nmatch:\n  - {file: f, set: b}\n", "a set needs a text" },
        { "system: s\nmatch:\n  - {ini: f, key: k}\n",
          "an ini needs a section and a key" },
        { "system: s\nmatch:\n  - {file: f, let: [a]}\n", "a few variables for 'let'" },
        { "system: s\nmatch:\n  - any: [{none: [{file: f, x: y}]}]\n", "unknown key" },
        { "system: s\nmatch:\n  - {var: arch, path: a}\n",
          "r:3:23: a path is asked of a file, and instead of a text" },
        { "system: s\nmatch:\n  - {file: f, path: a, text: b}\n",
          "a path is asked of a file, and instead of a text" },
        { "system: s\nmatch:\n  - {file: [f, '${no}']}\n",
          "that nothing sets in '${no}'" },
        { "system: s\nmatch:\n  - {volume: [f]}\n", "expected a text for 'volume'" },
        { ENTRY "{id: a, title: b}\n", "an entry needs an id, a title and a kernel" },
        { ENTRY "{id: a, title: b, kernel: '${z}'}\n", "that nothing sets in '${z}'" },
        { ENTRY "{id: a, title: b, kernel: '${tree}'}\n",
          "that nothing sets in '${tree}'" },
        { ENTRY "{id: a, title: b, kernel: c, firmware: coreboot}\n",
          "unknown firmware 'coreboot'" },
        { ENTRY "{id: a, title: b, kernel: c, transports: [smoke]}\n",
          "unknown transport 'smoke'" },
        { ENTRY "{id: a, title: b, kernel: c, memory: much}\n",
          "expected a size such as" },
        { ENTRY "{id: a, title: b, kernel: c, memory: 99999999999G}\n",
          "expected a size" },
        { ENTRY "{id: a, title: b, kernel: c, initrd: [1,2,3,4,5,6,7,8,9]}\n",
          "too many initrds" },
        { ENTRY "{id: a, title: b, kernel: c, boot: kexec}\n",
          "r:4:40: unknown kind of booting 'kexec'" },
        { ENTRY "{id: a, title: b, kernel: c, ways: {transport: nfs}}\n",
          "r:4:41: expected a list of a few ways" },
        { ENTRY "{id: a, title: b, kernel: c, ways: [{args: x}]}\n",
          "a way needs a transport" },
        { ENTRY "{id: a, title: b, kernel: c, ways: [{transport: smoke}]}\n",
          "unknown transport 'smoke'" },
        { ENTRY "{id: a, title: b, kernel: c, ways: [{transport: nfs, arg: x}]}\n",
          "unknown key; the nearest is 'args'" },
        { ENTRY "{id: a, title: b, kernel: c, initrd: {name: x}}\n",
          "an initrd needs a file" },
        { ENTRY "{id: a, title: b, kernel: c, initrd: '${name}/x'}\n",
          "that nothing sets in '${name}/x'" },
        { ENTRY "{id: a, title: b, kernel: c, args: 'ks=${answer}'}\n",
          "that nothing sets in 'ks=${answer}'" },
        { ENTRY "{id: a, title: b, kernel: c, answer: {args: x}}\n",
          "an answer needs a kind" },
        { "system: s\nmatch:\n  - {file: f, as: name}\n",
          "a name that the menu fills in: 'name'" },
        { MATCH "loaders: {uefi: {shim: a}}\n", "r:3:11: unknown firmware 'uefi'" },
        { MATCH "own_menu: {id: a}\n", "r:3:12: own_menu needs an id and a title" },
        { MATCH "own_menu: {id: a, title: '${no}'}\n",
          "r:3:27: a variable that nothing sets" },
        { MATCH "own_menu: {id: a, name: b}\n", "r:3:19: unknown key" },
        { MATCH "loaders: {bios: {shin: a}}\n", "the nearest is 'shim'" },
        { MATCH "problems: [{when: [{file: x}]}]\n", "a problem says something" },
};

static void what_is_wrong_is_said_with_its_place(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct recipe *recipe = NULL;
                struct text problems = { 0 };
                int r = recipe_parse("r", rows[i].text, strlen(rows[i].text), &recipe,
                                     &problems);

                if (r != RECIPE_REFUSED)
                        fail_msg("taken: %s", rows[i].text);
                if (!strstr(text_string(&problems), rows[i].said))
                        fail_msg("said \"%s\", not \"%s\"", text_string(&problems),
                                 rows[i].said);
                assert_null(recipe);
                text_done(&problems);
        }
}

static void a_right_one_is_taken(void **state) {
        static const char *const texts[] = {
                MATCH,
                ENTRY "{id: a, title: b, why_not: c}\n",
                ENTRY "{id: a, title: '${k} ${arch}', kernel: '${k}', memory: 2G,\n"
                      "     args: 'x=${tree} ${iso} ${server} ${volume}'}\n",
                ENTRY
                "{id: a, title: b, kernel: '/made/${name}/k', boot: wim, help: h,\n"
                "     initrd: [{file: '/wimboot', name: n, args: a}, i],\n"
                "     answer: {kind: preseed, args: 'url=${answer}'}, remedy: r,\n"
                "     ways: [{transport: nfs, args: 'r=${server}:/media/${name}',\n"
                "             memory: 1G, memory_of: f, when: [{file: f}]}]}\n"
                "loaders: {uefi-x64: {shim: a, grub: b}}\n"
                "problems: [{when: [{file: x}], say: y}]\n",
                "system: '${a}'\nmatch:\n  - {volume: '^(.)', set: a}\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct recipe *recipe;
                struct text problems = { 0 };

                assert_int_equal(recipe_parse("r", texts[i], strlen(texts[i]), &recipe,
                                              &problems),
                                 RECIPE_OK);
                assert_int_equal(problems.n, 0);
                recipe_free(recipe);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_wrong_is_said_with_its_place),
                cmocka_unit_test(a_right_one_is_taken),
        };

        return check_run("media/recipe", tests);
}
