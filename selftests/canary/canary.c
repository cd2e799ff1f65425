// SPDX-License-Identifier: GPL-2.0
/*
 * Makes one of five mistakes, for the proof that "make check-debug" sees them.
 * The faults are silent on a kernel without the checks.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#define CANARY_LEAKS 16

static char *fault = "";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "which: lock, rcu, uaf, shift or leak");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static int __rcu *shared;

/* Lock inversion: each order is harmless as long as it is the only one. */
static void fault_lock(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

/* A pointer read under RCU without RCU. */
static void fault_rcu(void)
{
	if (rcu_dereference(shared))
		pr_info("canary: not empty\n");
}

static void fault_uaf(void)
{
	char *p = kzalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	if (READ_ONCE(p[8]))
		pr_info("canary: used again\n");
}

static void fault_shift(void)
{
	unsigned int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	if (1U << bits)
		pr_info("canary: shifted too far\n");
}

/* Several: a stale pointer on some stack may keep one of them alive. */
static void fault_leak(void)
{
	int i;

	for (i = 0; i < CANARY_LEAKS; i++) {
		void *p = kzalloc(1000, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(p);
	}
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "lock", fault_lock },
	{ "rcu", fault_rcu },
	{ "uaf", fault_uaf },
	{ "shift", fault_shift },
	{ "leak", fault_leak },
};

static int __init canary_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(fault, faults[i].name))
			continue;
		faults[i].make();
		return 0;
	}
	return -EINVAL;
}

static void __exit canary_exit(void)
{
}

module_init(canary_init);
module_exit(canary_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CLB selftests: faults that must be seen");
