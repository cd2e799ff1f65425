// SPDX-License-Identifier: MIT
/* Counters of clbd, and how they are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/config.h"
#include "clbd/meter.h"
#include "clbd/metrics.h"
#include "clbd/stats.h"
#include "test.h"

static struct clbd_config *many_servers(unsigned int count)
{
	static struct clbd_config_listener listener = { .name = "site" };
	static struct clbd_config_group group = { .name = "\"\\\n" };
	static struct clbd_config config = {
		.listeners = &listener,
		.listener_count = 1,
		.groups = &group,
		.group_count = 1,
	};
	unsigned int i;

	group.server_count = count;
	group.servers = calloc(count, sizeof(*group.servers));
	assert_non_null(group.servers);
	for (i = 0; i < count; i++) {
		group.servers[i].address = malloc(64);
		assert_non_null(group.servers[i].address);
		snprintf(group.servers[i].address, 64, "s%u:80", i);
	}
	return &config;
}

static void free_servers(struct clbd_config *config)
{
	unsigned int i;

	for (i = 0; i < config->groups[0].server_count; i++)
		free(config->groups[0].servers[i].address);
	free(config->groups[0].servers);
}

/* All pieces of what is told: each in whole lines. */
static char *told(const struct clbd_shared *shared, size_t room)
{
	struct clbd_metrics metrics = { 0 };
	char *all = NULL, *more;
	size_t size = 0;

	while (!metrics.done) {
		size_t used;

		more = realloc(all, size + room + 1);
		assert_non_null(more);
		all = more;
		used = clbd_metrics_write(&metrics, shared, all + size, room);
		assert_in_range(used, 1, room - 1);
		assert_int_equal(all[size + used - 1], '\n');
		size += used;
	}
	all[size] = 0;
	return all;
}

static void metrics_come_in_pieces(void **state)
{
	struct clbd_shared *shared = clbd_shared_new(2);
	struct clbd_config *config = many_servers(100);
	struct clbd_meter spare = { 0 }, *meter;
	char *small, *large;

	(void)state;
	assert_non_null(shared);
	memset(shared->stats, 0x7f, 4 * sizeof(struct clbd_stats));
	clbd_meters_register(shared->meters, config);
	clbd_meters_register(shared->meters, config);
	assert_int_equal(clbd_meters_count(shared->meters), 101);
	meter = clbd_meters_find(shared->meters, 1, CLBD_METER_SERVER,
				 "\"\\\n", "s7:80", &spare);
	assert_ptr_not_equal(meter, &spare);
	meter->begun = 5;
	clbd_meter_response(meter, 204, 3);
	clbd_meter_response(meter, 42, 100);
	small = told(shared, CLBD_METRICS_ROOM);
	large = told(shared, 1 << 20);
	assert_string_equal(small, large);
	assert_non_null(strstr(large, "clbd_server_responses_total{group=\"\\\""
			       "\\\\\\n\",server=\"s7:80\",code=\"2xx\"} 1\n"));
	assert_non_null(strstr(large, "server=\"s7:80\",le=\"0.005\"} 1\n"));
	assert_non_null(strstr(large, "server=\"s7:80\"} 0.103\n"));
	assert_non_null(strstr(large, "clbd_server_requests_open{group=\"\\\""
			       "\\\\\\n\",server=\"s7:80\"} 5\n"));
	clbd_meters_begin(shared->meters, 1);
	assert_int_equal(meter->ended, 5);
	free(small);
	free(large);
	free_servers(config);
	clbd_shared_free(shared);
}

/* A worker that is not honest may write anything where all do. */
static void meters_are_overwritten(void **state)
{
	static const unsigned char bytes[] = { 0xff, 0x41, 0x01 };
	struct clbd_shared *shared = clbd_shared_new(2);
	struct clbd_config *config = many_servers(100);
	struct clbd_meter spare = { 0 }, *meter;
	unsigned int i;

	(void)state;
	assert_non_null(shared);
	clbd_meters_register(shared->meters, config);
	for (i = 0; i < sizeof(bytes); i++) {
		memset(shared->meters->places, bytes[i],
		       sizeof(*shared->meters->places) +
			       2 * CLBD_METERS * sizeof(*meter));
		meter = clbd_meters_find(shared->meters, 1, CLBD_METER_SERVER,
					 config->groups[0].name, "s7:80",
					 &spare);
		assert_true(meter == &spare ||
			    (meter >= shared->meters->meters &&
			     meter < shared->meters->meters + 2 * CLBD_METERS));
		assert_in_range(clbd_meters_count(shared->meters), 0,
				CLBD_METERS);
		clbd_meters_begin(shared->meters, 1);
		free(told(shared, 1 << 20));
		clbd_meters_sum(shared->meters, CLBD_METERS - 1);
		/* The parent goes by what it has for itself. */
		clbd_meters_register(shared->meters, config);
		assert_int_equal(clbd_meters_count(shared->meters), 101);
		assert_string_equal(clbd_meters_name(shared->meters, 8).second,
				    "s7:80");
	}
	free_servers(config);
	clbd_shared_free(shared);
}

static void too_many_servers_to_count(void **state)
{
	struct clbd_meters *meters = clbd_meters_new(1);
	struct clbd_config *config = many_servers(CLBD_METERS + 9);
	struct clbd_meter spare = { 0 }, *last, *none;

	(void)state;
	assert_non_null(meters);
	clbd_meters_register(meters, config);
	assert_int_equal(meters->own.count, CLBD_METERS);
	assert_int_equal(meters->places->left_out, 10);
	last = clbd_meters_find(meters, 0, CLBD_METER_SERVER,
				config->groups[0].name, "s4094:80", &spare);
	none = clbd_meters_find(meters, 0, CLBD_METER_SERVER,
				config->groups[0].name, "s4095:80", &spare);
	assert_ptr_not_equal(last, &spare);
	assert_ptr_equal(none, &spare);
	free_servers(config);
	free(meters);
}

static void times_fall_into_buckets(void **state)
{
	struct clbd_times times = { 0 };

	(void)state;
	clbd_times_add(&times, 0);
	clbd_times_add(&times, 1);
	clbd_times_add(&times, 2);
	clbd_times_add(&times, 10000);
	clbd_times_add(&times, 10001);
	assert_int_equal(times.bucket[0], 2);
	assert_int_equal(times.bucket[1], 1);
	assert_int_equal(times.bucket[CLBD_TIMES_BUCKETS - 2], 1);
	assert_int_equal(times.bucket[CLBD_TIMES_BUCKETS - 1], 1);
	assert_int_equal(times.sum, 20004);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_come_in_pieces),
		cmocka_unit_test(meters_are_overwritten),
		cmocka_unit_test(too_many_servers_to_count),
		cmocka_unit_test(times_fall_into_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
