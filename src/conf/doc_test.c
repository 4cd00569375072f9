/* YAML with places: what a message can point at. */
#include "conf/doc.h"

#include "test/check.h"

static struct doc *parse(const char *s) {
        struct text why = { 0 };
        struct doc *doc = NULL;
        int line, column;

        assert_int_equal(doc_parse(s, strlen(s), &doc, &why, &line, &column), 0);
        text_done(&why);
        return doc;
}

static void places_count_from_one(void **state) {
        struct doc *doc = parse("a: 1\nb:\n  - x\n  - {c: 'd'}\n");
        const struct doc_node *b = doc_get(doc_root(doc), "b");
        const struct doc_node *c = doc_get(&b->items[1], "c");

        assert_string_equal(doc_get(doc_root(doc), "a")->text, "1");
        assert_int_equal(b->kind, DOC_LIST);
        assert_int_equal(b->items[0].line, 3);
        assert_int_equal(b->items[0].column, 5);
        assert_int_equal(c->line, 4);
        assert_true(c->is_quoted);
        assert_null(doc_get(doc_root(doc), "z"));
        doc_free(doc);
}

static void nothing_is_null(void **state) {
        static const char *const texts[] = { "", "# only a comment\n", "---\n", "~" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct doc *doc = parse(texts[i]);

                assert_int_equal(doc_root(doc)->kind, DOC_NULL);
                doc_free(doc);
        }
}

static void refusals_say_where(void **state) {
        static const struct {
                const char *text, *why;
                int line;
        } rows[] = {
                { "a: [1, 2\nb: 3\n", "not YAML", 0 },
                { "a: &x 1\nb: *x\n", "aliases", 2 },
                { "a: 1\na: 2\n", "not YAML", 2 },
                { "? [a]\n: b\n", "a key must be a word", 0 },
                { "a: \xc3\xa4\nb: \xff\n", "not UTF-8", 2 },
                { "%\xff\xff\xff", "not UTF-8", 1 },
                { "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "deep", 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct text why = { 0 };
                struct doc *doc = NULL;
                int line = -1, column = -1;

                assert_int_equal(doc_parse(rows[i].text, strlen(rows[i].text), &doc,
                                           &why, &line, &column),
                                 DOC_REFUSED);
                assert_non_null(strstr(text_string(&why), rows[i].why));
                if (rows[i].line)
                        assert_int_equal(line, rows[i].line);
                assert_true(line >= 1 && column >= 1);
                text_done(&why);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(places_count_from_one),
                cmocka_unit_test(nothing_is_null),
                cmocka_unit_test(refusals_say_where),
        };

        return check_run("doc", tests);
}
