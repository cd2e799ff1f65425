// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suites, built into clb.ko by "make CLB_KUNIT=y" alone. They run when
 * something is written to the module parameter run_tests, not while the module
 * is loaded: KUnit would start them before the module is ready. The outcome is
 * KTAP in the kernel log.
 */
#include <linux/module.h>

#include "test.h"

static struct kunit_suite *suites[] = {
	&clb_test_acl,
	&clb_test_ahead,
	&clb_test_bucket,
	&clb_test_maglev,
	&clb_test_meter,
	&clb_test_packet,
	&clb_test_parse_sync,
	&clb_test_pool,
	&clb_test_route,
	&clb_test_ruleset,
	&clb_test_scheduler,
	&clb_test_session,
	&clb_test_sync_behind,
	&clb_test_sync_early,
	&clb_test_sync_repair,
	&clb_test_sync_session,
	&clb_test_sync_wire,
	&clb_test_table,
	&clb_test_tcp,
	&clb_test_toa,
	&clb_test_translate,
};

static int run_tests(const char *val, const struct kernel_param *kp)
{
	int err = __kunit_test_suites_init(suites, ARRAY_SIZE(suites));

	__kunit_test_suites_exit(suites, ARRAY_SIZE(suites));
	return err;
}

static const struct kernel_param_ops run_ops = { .set = run_tests };

module_param_cb(run_tests, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run_tests, "run the KUnit suites");
