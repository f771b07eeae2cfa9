/* test_budget.c: arrays that grow within a bound shared by threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "io/err.h"
#include "scanner/check/budget.h"

/* Room for nothing is room: NULL means that there is none. */
static void nothing_can_be_reserved_in_an_empty_array(void **state)
{
    struct chk_budget budget;
    struct chk_array a = {0};
    int rc = 0;

    (void)state;
    chk_budget_init(&budget, 1 << 20);
    assert_non_null(chk_array_reserve(&budget, &a, 8, 0, &rc));
    assert_int_equal(rc, 0);
    assert_int_equal(a.count, 0);
    chk_array_done(&budget, &a, 8);
    assert_int_equal(budget.used, 0);
}

static void growth_stops_at_the_bound(void **state)
{
    struct chk_budget budget;
    struct chk_array a = {0};
    int rc = 0;

    (void)state;
    chk_budget_init(&budget, 4096);
    while (chk_array_reserve(&budget, &a, 8, 1, &rc))
        a.count++;
    assert_int_equal(rc, ERR_LIMIT);
    assert_true(a.count > 0 && a.count <= 512 && budget.used <= 4096);
    chk_array_done(&budget, &a, 8);
    assert_int_equal(budget.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_reserved_in_an_empty_array),
        cmocka_unit_test(growth_stops_at_the_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
