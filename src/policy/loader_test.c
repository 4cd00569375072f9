/* The tables agree with each other. */
#include "policy/loader.h"

#include "test/check.h"

static void every_loader_has_a_name_of_its_own(void **state) {
        for (unsigned i = POLICY_LOADER_NONE + 1; i < POLICY_N_LOADERS; i++) {
                const struct policy_loader_info *info =
                        policy_loader_info((enum policy_loader)i);

                if (!info->file || !info->package || !info->what)
                        fail_msg("loader %u has no row", i);
                assert_true(info->file[0] != '\0' && info->what[0] != '\0');
                assert_int_equal(policy_loader_by_file(info->file), i);
                if (info->kind != POLICY_KIND_HELPER)
                        assert_int_equal(policy_loader_of(info->kind, info->firmware),
                                         i);
        }
        assert_string_equal(policy_loader_file(POLICY_LOADER_NONE), "");
        assert_int_equal(policy_loader_by_file("no.such"), POLICY_LOADER_NONE);
        assert_int_equal(policy_loader_of(POLICY_KIND_GRUB, POLICY_S390),
                         POLICY_LOADER_NONE);
}

static bool is_in_a_place(const char *path) {
        for (size_t i = 0; policy_places[i]; i++) {
                size_t n = strlen(policy_places[i]);

                if (strncmp(path, policy_places[i], n) == 0 &&
                    (path[n] == '/' || path[n] == '\0'))
                        return true;
        }
        return false;
}

/* What the sandbox of the files workers leaves readable, and the name it is served by.
 */
static void every_file_is_in_a_place_and_of_its_loader(void **state) {
        for (size_t i = 0; i < policy_n_files; i++) {
                const struct policy_file *file = &policy_files[i];

                if (!is_in_a_place(file->host_path))
                        fail_msg("%s is in none of policy_places", file->host_path);
                assert_true(file->package[0] != '\0');
                if (file->loader != POLICY_LOADER_NONE)
                        assert_string_equal(file->name,
                                            policy_loader_file(file->loader));
        }
}

static void what_loaders_do_without_is_known(void **state) {
        assert_string_equal(policy_file_optional("revocations_sbat.efi"), "shim");
        assert_string_equal(policy_file_optional("secure/f/shim_certificate_0.efi"),
                            "shim");
        assert_string_equal(policy_file_optional("1234abcd/bootsig.bin"),
                            "a Raspberry Pi");
        assert_null(policy_file_optional("shimx64.efi"));
        assert_null(policy_file_optional("revocations/other"));
        assert_null(policy_file_optional(""));
}

static void every_word_is_a_kind(void **state) {
        enum policy_kind kind = POLICY_KIND_AUTO;

        for (size_t i = 0; policy_kind_words[i]; i++)
                assert_true(policy_kind_parse(policy_kind_words[i], &kind));
        for (unsigned i = 0; i < POLICY_KIND_HELPER; i++) {
                const char *word = policy_kind_word((enum policy_kind)i);

                assert_non_null(word);
                assert_true(policy_kind_parse(word, &kind));
                assert_int_equal(kind, i);
        }
        assert_null(policy_kind_word(POLICY_KIND_HELPER));
        assert_false(policy_kind_parse("grub2", &kind));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_loader_has_a_name_of_its_own),
                cmocka_unit_test(every_file_is_in_a_place_and_of_its_loader),
                cmocka_unit_test(what_loaders_do_without_is_known),
                cmocka_unit_test(every_word_is_a_kind),
        };

        return check_run("loader", tests);
}
