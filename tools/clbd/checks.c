// SPDX-License-Identifier: MIT
/* Which servers are checked, and how. */
#include "clbd/checks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A group, and a check for all its servers. */
struct source {
	const struct clbd_config_group *group;
	const struct clbd_config_check *config;
	uint64_t own;
};

static int compare_numbers(uint64_t x, uint64_t y)
{
	return (x > y) - (x < y);
}

static int compare_groups(const void *a, const void *b)
{
	const struct clbd_config_group *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Groups stay in their order, as the first one counts. */
static int compare_sources(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int order = compare_numbers(x->own, y->own);

	return order ? order : (x->group > y->group) - (x->group < y->group);
}

static int compare_keys(const void *a, const void *b)
{
	const struct clbd_check *x = a, *y = b;
	int order = strcmp(x->server, y->server);

	return order ? order : compare_numbers(x->own, y->own);
}

static int compare_checks(const void *a, const void *b)
{
	const struct clbd_check *x = a, *y = b;
	int order = compare_keys(a, b);

	return order ? order : compare_numbers(x->rank, y->rank);
}

static size_t count_sources(const struct clbd_config *config)
{
	size_t count = config->group_count;
	uint32_t l;

	for (l = 0; l < config->listener_count; l++)
		count += config->listeners[l].rule_count;
	return count;
}

static size_t sources_of_groups(const struct clbd_config *config,
				struct source *sources)
{
	size_t count = 0;
	uint32_t g;

	for (g = 0; g < config->group_count; g++) {
		const struct clbd_config_group *group = &config->groups[g];

		if (group->check)
			sources[count++] =
				(struct source){ group, group->check, 0 };
	}
	return count;
}

/* There may be as many groups as rules: each is found in few steps. */
static size_t sources_of_rules(const struct clbd_config *config,
			       const struct clbd_config_group **by_name,
			       struct source *sources)
{
	size_t count = 0;
	uint32_t g, l, r;

	for (g = 0; g < config->group_count; g++)
		by_name[g] = &config->groups[g];
	qsort(by_name, config->group_count, sizeof(*by_name), compare_groups);
	for (l = 0; l < config->listener_count; l++) {
		const struct clbd_config_listener *listener =
			&config->listeners[l];

		for (r = 0; r < listener->rule_count; r++) {
			const struct clbd_config_rule *rule =
				&listener->rules[r];
			const struct clbd_config_group wanted = {
				.name = rule->group,
			}, *key = &wanted, **group;

			if (!rule->check)
				continue;
			group = bsearch(&key, by_name, config->group_count,
					sizeof(*by_name), compare_groups);
			sources[count++] = (struct source){ *group, rule->check,
							    rule->check->id };
		}
	}
	return count;
}

/* Many rules may want the same. Return: how many are left */
static size_t sort_sources(struct source *sources, size_t count)
{
	size_t kept = 0, i;

	if (count)
		qsort(sources, count, sizeof(*sources), compare_sources);
	for (i = 0; i < count; i++) {
		if (!kept || compare_sources(&sources[kept - 1], &sources[i]))
			sources[kept++] = sources[i];
	}
	return kept;
}

static int list_servers(const struct source *sources, size_t count,
			struct clbd_checks *checks)
{
	size_t most = 0, s, i;

	for (s = 0; s < count; s++)
		most += sources[s].group->server_count;
	checks->count = 0;
	checks->checks = calloc(most + 1, sizeof(*checks->checks));
	if (!checks->checks)
		return -ENOMEM;
	for (s = 0; s < count; s++) {
		for (i = 0; i < sources[s].group->server_count; i++)
			checks->checks[checks->count++] = (struct clbd_check){
				.server = sources[s].group->servers[i].address,
				.own = sources[s].own,
				.config = sources[s].config,
				.rank = s,
			};
	}
	return 0;
}

static void sort_checks(struct clbd_checks *checks)
{
	struct clbd_check *list = checks->checks;
	size_t kept = 0, i;

	qsort(list, checks->count, sizeof(*list), compare_checks);
	for (i = 0; i < checks->count; i++) {
		if (!kept || compare_keys(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	}
	checks->count = kept;
}

int clbd_checks_list(const struct clbd_config *config,
		     struct clbd_checks *checks)
{
	const struct clbd_config_group **by_name;
	struct source *sources;
	int err = -ENOMEM;
	size_t count;

	by_name = calloc(config->group_count, sizeof(*by_name));
	sources = calloc(count_sources(config), sizeof(*sources));
	if (by_name && sources) {
		count = sources_of_groups(config, sources);
		count += sources_of_rules(config, by_name, sources + count);
		count = sort_sources(sources, count);
		err = list_servers(sources, count, checks);
	}
	if (!err)
		sort_checks(checks);
	free(by_name);
	free(sources);
	return err;
}

void clbd_checks_free(struct clbd_checks *checks)
{
	free(checks->checks);
	*checks = (struct clbd_checks){ 0 };
}

const struct clbd_check *clbd_checks_find(const struct clbd_checks *checks,
					  const char *server, uint64_t own)
{
	const struct clbd_check key = { .server = server, .own = own };

	return checks->count ? bsearch(&key, checks->checks, checks->count,
				       sizeof(key), compare_keys)
			     : NULL;
}
