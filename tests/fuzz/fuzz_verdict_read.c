/*
 * fuzz_verdict_read.c: any bytes as a manifest's verdict.
 *
 * What was read of one, written as the program writes it, reads the same: written again, it is the
 * same bytes.
 */
#include <assert.h>

#include "index/record.h"
#include "index/verdict_read.h"
#include "io/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf line = BUF_INIT, again = BUF_INIT;
    struct chk_verdict v;
    struct arena arena;
    int code;

    arena_init(&arena, 64 << 20);
    code = idx_verdict_read((struct bytes){data, size}, &arena, &v);
    assert(code == 0 || code == ERR_DAMAGED);
    if (!code) {
        idx_record_verdict(&line, &v);
        code = idx_verdict_read((struct bytes){line.data, line.size}, &arena, &v);
        assert(code == 0);
        idx_record_verdict(&again, &v);
        assert(line.size == again.size && memcmp(line.data, again.data, line.size) == 0);
    }
    buf_done(&line);
    buf_done(&again);
    arena_done(&arena);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const char *const verdicts[] = {
        "{\"type\":\"verdict\",\"remedy\":\"resync_folders\",\"folders\":[{\"nid\":2,\"failed\":1,"
        "\"orphaned\":2,\"unaccounted\":3,\"rows_without_item\":4,\"remedy\":\"resync_folders\","
        "\"download\":{\"items\":5,\"bytes\":6,\"unsized\":7}}],\"export_first\":\"required\","
        "\"reasons\":[{\"text\":\"a\",\"codes\":[\"page_crc\"]},{\"text\":\"c\",\"about\":"
        "\"export\","
        "\"strength\":\"strong\",\"count\":7,\"items\":[4,36],\"folders\":[2]},{\"text\":\"d\","
        "\"about\":\"sync\",\"count\":3,\"errors\":[{\"code\":\"0x80040102\",\"folder\":2,"
        "\"count\":3,\"first\":\"2021-08-11T06:15:11Z\",\"last\":\"2021-08-11T06:15:12Z\"}]}],"
        "\"coverage\":{\"allocated\":1,\"verified\":2,\"items_expected\":3,\"items_read\":4,"
        "\"items_failed\":5,\"items_orphaned\":6,\"rows\":7,\"rows_without_item\":8},"
        "\"download\":{\"items\":9,\"bytes\":10}}",
        "{\"remedy\":\"none\",\"export_first\":\"unknown\",\"reasons\":[]}",
    };

    return samples_mutate(verdicts, sizeof verdicts / sizeof *verdicts, data, size, max, seed);
}
