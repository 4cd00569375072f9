#include "ipc/pieces.h"

#include "test/check.h"

static const struct ipc_piece sample[] = {
        { IPC_PIECE_BYTES, 0, 132, NULL },
        { IPC_PIECE_FILE, 5, IPC_PIECE_REST, "media/a/initrd" },
        { IPC_PIECE_ZEROS, 0, 4, NULL },
};

static void pieces_come_as_they_went(void **state) {
        struct text tail = { 0 };
        struct ipc_piece piece;
        struct reader r;

        for (size_t i = 0; i < ARRAY_SIZE(sample); i++)
                ipc_pieces_add(&tail, &sample[i]);
        r = reader_of(tail.s, tail.n);
        for (size_t i = 0; i < ARRAY_SIZE(sample); i++) {
                assert_true(ipc_pieces_next(&r, &piece));
                assert_int_equal(piece.kind, sample[i].kind);
                assert_int_equal(piece.offset, sample[i].offset);
                assert_int_equal(piece.length, sample[i].length);
                assert_string_equal(piece.path, sample[i].path ? sample[i].path : "");
        }
        assert_false(ipc_pieces_next(&r, &piece));
        assert_false(r.failed);
        text_done(&tail);
}

static void assert_refused(const void *data, size_t n) {
        struct reader r = reader_of(data, n);
        struct ipc_piece piece;

        assert_false(ipc_pieces_next(&r, &piece));
        assert_true(r.failed);
}

static void a_malformed_tail_is_refused(void **state) {
        const struct ipc_piece bad[] = {
                { (enum ipc_piece_kind)3, 0, 1, NULL },
                { IPC_PIECE_FILE, 0, 1, NULL },
                { IPC_PIECE_ZEROS, 0, 0, NULL },
                { IPC_PIECE_ZEROS, 0, IPC_PIECE_ALIGN_MAX + 1, NULL },
        };
        struct text tail = { 0 };

        ipc_pieces_add(&tail, &sample[1]);
        for (size_t n = 1; n < tail.n; n++)
                assert_refused(tail.s, n);
        text_done(&tail);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                tail = (struct text){ 0 };
                ipc_pieces_add(&tail, &bad[i]);
                assert_refused(tail.s, tail.n);
                text_done(&tail);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_come_as_they_went),
                cmocka_unit_test(a_malformed_tail_is_refused),
        };

        return check_run("ipc/pieces", tests);
}
