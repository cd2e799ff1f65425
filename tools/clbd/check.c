// SPDX-License-Identifier: MIT
/* What must hold of values and between keys of the configuration. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/field.h"
#include "clbd/rules.h"
#include "clbd/schema.h"

#define RATE_MAX 10000000

__attribute__((format(printf, 3, 4))) static bool
fault_at(struct clbd_config_fault *fault, const char *text, const char *format,
	 ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fault->path, sizeof(fault->path), format, args);
	va_end(args);
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return false;
}

static bool is_endpoint(const char *text)
{
	struct clb_address address;
	bool has_port = false;
	uint16_t port;

	return !clb_endpoint_parse(text, &address, &port, &has_port) &&
	       has_port && port;
}

/* Names in order, so that each is looked up in few steps. */
struct names {
	const char **names;
	size_t count;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_name(const struct names *names, const char *name)
{
	return bsearch(&name, names->names, names->count, sizeof(name),
		       compare);
}

static bool check_server(const struct clbd_config_group *group, unsigned int g,
			 unsigned int i, struct clbd_config_fault *fault)
{
	const struct clbd_config_server *server = &group->servers[i];
	unsigned int j;

	if (!is_endpoint(server->address))
		return fault_at(fault, "not ADDRESS:PORT",
				"groups[%u].servers[%u].address", g, i);
	if (server->weight && *server->weight > 100)
		return fault_at(fault, "more than 100",
				"groups[%u].servers[%u].weight", g, i);
	if (server->max_connections > 1000000)
		return fault_at(fault, "more than 1000000",
				"groups[%u].servers[%u].max-connections", g,
				i);
	for (j = 0; j < i; j++) {
		if (!strcmp(group->servers[j].address, server->address))
			return fault_at(fault, "already in this group",
					"groups[%u].servers[%u].address", g, i);
	}
	return true;
}

static bool is_location(const char *text)
{
	size_t size = strlen(text);

	return clbd_bytes_span(text, size, CLBD_BYTE_TARGET) == size;
}

/* @owner: whose check it is, as a path */
static bool check_check(const struct clbd_config_check *check,
			const char *owner, struct clbd_config_fault *fault)
{
	const struct {
		const char *key;
		uint32_t value;
		uint32_t most;
		const char *text;
	} numbers[] = {
		{ "interval", check->interval, 50, "more than 50" },
		{ "timeout", check->timeout, 300, "more than 300" },
		{ "rise", check->rise, 10, "more than 10" },
		{ "fall", check->fall, 10, "more than 10" },
		{ "port", check->port, 65535, "more than 65535" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i].value > numbers[i].most)
			return fault_at(fault, numbers[i].text, "%s.check.%s",
					owner, numbers[i].key);
	}
	if (check->url && (check->url[0] != '/' || !is_location(check->url)))
		return fault_at(fault, "not a path", "%s.check.url", owner);
	if (check->host && !is_location(check->host))
		return fault_at(fault, "not a host", "%s.check.host", owner);
	return true;
}

static bool is_cookie_name(const char *name)
{
	size_t size = strlen(name);

	return clbd_bytes_span(name, size, CLBD_BYTE_TOKEN) == size;
}

static bool check_group(const struct clbd_config_group *group, unsigned int g,
			struct clbd_config_fault *fault)
{
	char path[CLBD_CONFIG_PATH];
	unsigned int i;

	if (group->keepalive && *group->keepalive > 10000)
		return fault_at(fault, "more than 10000",
				"groups[%u].keepalive", g);
	if (group->keepalive_timeout > 3600)
		return fault_at(fault, "more than 3600",
				"groups[%u].keepalive-timeout", g);
	if (group->cookie && !is_cookie_name(group->cookie))
		return fault_at(fault, "no name of a cookie",
				"groups[%u].cookie", g);
	if (group->server_cookie && !is_cookie_name(group->server_cookie))
		return fault_at(fault, "no name of a cookie",
				"groups[%u].server-cookie", g);
	if (group->server_cookie && group->cookie)
		return fault_at(fault, "there is a cookie",
				"groups[%u].server-cookie", g);
	if (group->cookie_lifetime > 86400)
		return fault_at(fault, "more than 86400",
				"groups[%u].cookie-lifetime", g);
	snprintf(path, sizeof(path), "groups[%u]", g);
	if (group->check && !check_check(group->check, path, fault))
		return false;
	if (group->eject_time > 3600)
		return fault_at(fault, "more than 3600",
				"groups[%u].eject-time", g);
	if (group->slow_start > 900)
		return fault_at(fault, "more than 900",
				"groups[%u].slow-start", g);
	if (group->queue > 1000000)
		return fault_at(fault, "more than 1000000", "groups[%u].queue",
				g);
	if (group->queue_timeout > 180)
		return fault_at(fault, "more than 180",
				"groups[%u].queue-timeout", g);
	for (i = 0; i < group->server_count; i++) {
		if (!check_server(group, g, i, fault))
			return false;
	}
	return true;
}

static bool check_groups(const struct clbd_config *config, struct names *names,
			 struct clbd_config_fault *fault)
{
	unsigned int g;

	for (g = 0; g < config->group_count; g++) {
		if (!check_group(&config->groups[g], g, fault))
			return false;
		if (config->groups[g].cookie && !config->secret)
			return fault_at(fault, "needs a secret at the top",
					"groups[%u].cookie", g);
		if (config->groups[g].server_cookie && !config->secret)
			return fault_at(fault, "needs a secret at the top",
					"groups[%u].server-cookie", g);
		names->names[g] = config->groups[g].name;
	}
	names->count = config->group_count;
	qsort(names->names, names->count, sizeof(names->names[0]), compare);
	for (g = 1; g < names->count; g++) {
		unsigned int i = config->group_count - 1;

		if (strcmp(names->names[g], names->names[g - 1]))
			continue;
		while (strcmp(config->groups[i].name, names->names[g]))
			i--;
		return fault_at(fault, "another group has this name",
				"groups[%u].name", i);
	}
	return true;
}

/* What is wrong with where requests go, and with which key; NULL: nothing. */
static const char *target_fault(const struct names *names, const char *group,
				const char *redirect, uint32_t code,
				const char **key)
{
	*key = "group";
	if (group && !has_name(names, group))
		return "no group has this name";
	*key = "redirect";
	if (group && redirect)
		return "there is a group";
	if (redirect && !is_location(redirect))
		return "not a location";
	/* "//evil.example/" is a path, and a location at that host */
	if (redirect && !strncmp(redirect, "$uri", 4))
		return "needs a host before $uri, or clients choose one";
	*key = "redirect-code";
	if (code && code != 301 && code != 302 && code != 303 && code != 307 &&
	    code != 308)
		return "not one of 301, 302, 303, 307, 308";
	return NULL;
}

/* What a rule has of its own. */
static bool check_own(const struct clbd_config *config,
		      const struct clbd_config_rule *rule, unsigned int l,
		      unsigned int r, struct clbd_config_fault *fault)
{
	char path[CLBD_CONFIG_PATH];

	if (!rule->group && clbd_config_is_own(rule))
		return fault_at(fault, "has a scheduler, cookie or check "
				"without a group",
				"listeners[%u].rules[%u]", l, r);
	if (rule->cookie && !is_cookie_name(rule->cookie))
		return fault_at(fault, "no name of a cookie",
				"listeners[%u].rules[%u].cookie", l, r);
	if (rule->cookie && !config->secret)
		return fault_at(fault, "needs a secret at the top",
				"listeners[%u].rules[%u].cookie", l, r);
	if (rule->cookie_lifetime && *rule->cookie_lifetime > 86400)
		return fault_at(fault, "more than 86400",
				"listeners[%u].rules[%u].cookie-lifetime", l,
				r);
	if (rule->rate > RATE_MAX)
		return fault_at(fault, "more than 10000000",
				"listeners[%u].rules[%u].rate", l, r);
	if (rule->burst > RATE_MAX)
		return fault_at(fault, "more than 10000000",
				"listeners[%u].rules[%u].burst", l, r);
	snprintf(path, sizeof(path), "listeners[%u].rules[%u]", l, r);
	return !rule->check || check_check(rule->check, path, fault);
}

static bool check_rule(const struct clbd_config *config,
		       const struct clbd_config_rule *rule,
		       const struct names *names, struct clbd_rules *rules,
		       unsigned int l, unsigned int r,
		       struct clbd_config_fault *fault)
{
	const char *key, *text;

	if (!check_own(config, rule, l, r, fault))
		return false;

	text = target_fault(names, rule->group, rule->redirect,
			    rule->redirect_code, &key);
	if (text)
		return fault_at(fault, text, "listeners[%u].rules[%u].%s", l, r,
				key);
	if (!rule->group && !rule->redirect)
		return fault_at(fault, "needs a group or a redirect",
				"listeners[%u].rules[%u]", l, r);
	if (!rule->domain && !rule->url)
		return fault_at(fault, "needs a domain or a url",
				"listeners[%u].rules[%u]", l, r);
	switch (clbd_rules_add(rules, rule->domain, rule->url, rules)) {
	case 0:
		return true;
	case -EEXIST:
		return fault_at(fault, "another rule has this domain and url",
				"listeners[%u].rules[%u]", l, r);
	case -EINVAL:
		if (rule->url && rule->url[0] != '/')
			return fault_at(fault, "does not begin with a slash",
					"listeners[%u].rules[%u].url", l, r);
		return fault_at(fault, "not a name or *.NAME",
				"listeners[%u].rules[%u].domain", l, r);
	default:
		return fault_at(fault, "out of memory", "listeners");
	}
}

static bool check_rules(const struct clbd_config *config,
			const struct names *names, unsigned int l,
			struct clbd_config_fault *fault)
{
	const struct clbd_config_listener *listener = &config->listeners[l];
	struct clbd_rules *rules = clbd_rules_new(listener->rule_count);
	bool good = true;
	unsigned int r;

	if (!rules)
		return fault_at(fault, "out of memory", "listeners[%u]", l);
	for (r = 0; good && r < listener->rule_count; r++)
		good = check_rule(config, &listener->rules[r], names, rules, l, r,
				  fault);
	clbd_rules_free(rules);
	return good;
}

static bool check_timeouts(const struct clbd_config_listener *listener,
			   unsigned int l, struct clbd_config_fault *fault)
{
	if (listener->timeouts.idle > 60)
		return fault_at(fault, "more than 60",
				"listeners[%u].timeouts.idle", l);
	if (listener->timeouts.request > 180)
		return fault_at(fault, "more than 180",
				"listeners[%u].timeouts.request", l);
	if (listener->timeouts.tunnel > 86400)
		return fault_at(fault, "more than 86400",
				"listeners[%u].timeouts.tunnel", l);
	return true;
}

static bool check_limits(const struct clbd_config_listener *listener,
			 unsigned int l, struct clbd_config_fault *fault)
{
	if (listener->limits.rate > RATE_MAX)
		return fault_at(fault, "more than 10000000",
				"listeners[%u].limits.rate", l);
	if (listener->limits.burst > RATE_MAX)
		return fault_at(fault, "more than 10000000",
				"listeners[%u].limits.burst", l);
	if (listener->limits.streams > 1000)
		return fault_at(fault, "more than 1000",
				"listeners[%u].limits.streams", l);
	return true;
}

static bool check_prefix_list(char *const *prefixes, uint32_t count,
			      const char *key, unsigned int l,
			      struct clbd_config_fault *fault)
{
	struct clb_address address;
	uint8_t length;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (clb_prefix_parse(prefixes[i], &address, &length))
			return fault_at(fault, "not ADDRESS[/LENGTH]",
					"listeners[%u].%s[%u]", l, key, i);
	}
	return true;
}

static bool check_prefixes(const struct clbd_config_listener *listener,
			   unsigned int l, struct clbd_config_fault *fault)
{
	return check_prefix_list(listener->proxy_from,
				 listener->proxy_from_count, "proxy-from", l,
				 fault) &&
	       check_prefix_list(listener->client_address_from,
				 listener->client_address_from_count,
				 "client-address-from", l, fault);
}

/* "text/html", or "text" and "/" and "*"; in lower case. */
static bool is_media_type(const char *text)
{
	size_t main = clbd_bytes_span(text, strlen(text), CLBD_BYTE_TOKEN);
	const char *rest = text + main;

	return main && *rest == '/' && rest[1] &&
	       !rest[1 + clbd_bytes_span(rest + 1, strlen(rest + 1),
					 CLBD_BYTE_TOKEN)] &&
	       !text[strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

static bool check_gzip(const struct clbd_config_gzip *gzip, unsigned int l,
		       struct clbd_config_fault *fault)
{
	uint32_t i;

	if (!gzip)
		return true;
	if (gzip->level > 9)
		return fault_at(fault, "more than 9",
				"listeners[%u].gzip.level", l);
	for (i = 0; i < gzip->type_count; i++) {
		if (!is_media_type(gzip->types[i]))
			return fault_at(fault, "not a media type in lower case",
					"listeners[%u].gzip.types[%u]", l, i);
	}
	return true;
}

static bool check_page(const struct clbd_config_listener *listener,
		       unsigned int l, uint32_t i,
		       struct clbd_config_fault *fault)
{
	const struct clbd_config_page *page = &listener->pages[i];
	uint32_t j;

	if (page->status < 400 || page->status > 599)
		return fault_at(fault, "not 400 to 599",
				"listeners[%u].error-pages[%u].status", l, i);
	for (j = 0; j < i; j++) {
		if (listener->pages[j].status == page->status)
			return fault_at(fault, "has a page already",
					"listeners[%u].error-pages[%u].status",
					l, i);
	}
	if (page->file[0] != '/')
		return fault_at(fault, "does not begin with a slash",
				"listeners[%u].error-pages[%u].file", l, i);
	if (page->type && clbd_bytes_span(page->type, strlen(page->type),
					  CLBD_BYTE_VALUE) !=
				  strlen(page->type))
		return fault_at(fault, "not a media type",
				"listeners[%u].error-pages[%u].type", l, i);
	return true;
}

static bool check_pages(const struct clbd_config_listener *listener,
			unsigned int l, struct clbd_config_fault *fault)
{
	uint32_t i;

	for (i = 0; i < listener->page_count; i++) {
		if (!check_page(listener, l, i, fault))
			return false;
	}
	return true;
}

/* It goes into a field of requests. */
static bool is_plain(const char *name)
{
	return !name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-_.")];
}

static bool check_listener(const struct clbd_config *config,
			   const struct names *names, unsigned int l,
			   struct clbd_config_fault *fault)
{
	const struct clbd_config_listener *listener = &config->listeners[l];
	const char *key, *text;
	unsigned int i;

	if (!is_plain(listener->name))
		return fault_at(fault, "has other than letters, digits, - _ .",
				"listeners[%u].name", l);
	if (!is_endpoint(listener->address))
		return fault_at(fault, "not ADDRESS:PORT",
				"listeners[%u].address", l);
	for (i = 0; i < l; i++) {
		if (!strcmp(config->listeners[i].address, listener->address))
			return fault_at(fault,
					"another listener has this address",
					"listeners[%u].address", l);
		if (!strcmp(config->listeners[i].name, listener->name))
			return fault_at(fault, "another listener has this name",
					"listeners[%u].name", l);
	}
	text = target_fault(names, listener->group, listener->redirect,
			    listener->redirect_code, &key);
	if (text)
		return fault_at(fault, text, "listeners[%u].%s", l, key);
	if (listener->metrics &&
	    (listener->group || listener->redirect || listener->rule_count))
		return fault_at(fault, "there is a group, a redirect or rules",
				"listeners[%u].metrics", l);
	if (!listener->group && !listener->redirect && !listener->rule_count &&
	    !listener->metrics)
		return fault_at(fault, "needs a group, a redirect or rules",
				"listeners[%u]", l);
	return check_timeouts(listener, l, fault) &&
	       check_limits(listener, l, fault) &&
	       check_prefixes(listener, l, fault) &&
	       check_gzip(listener->gzip, l, fault) &&
	       check_pages(listener, l, fault) &&
	       check_rules(config, names, l, fault);
}

static bool check_top(const struct clbd_config *config,
		      struct clbd_config_fault *fault)
{
	if (config->workers > 256)
		return fault_at(fault, "more than 256", "workers");
	if (config->limits.connections > 10000000)
		return fault_at(fault, "more than 10000000",
				"limits.connections");
	if (config->limits.head > CLBD_CONFIG_HEAD_MAX)
		return fault_at(fault, "more than 15360", "limits.head");
	/* What a socket's name has room for. */
	if (config->log && strlen(config->log) > 100 &&
	    !strncmp(config->log, "syslog:", 7))
		return fault_at(fault, "more than 100 characters", "log");
	if (config->timeouts.connect > 60)
		return fault_at(fault, "more than 60", "timeouts.connect");
	if (config->timeouts.stop > 86400)
		return fault_at(fault, "more than 86400", "timeouts.stop");
	return true;
}

bool clbd_config_check(const struct clbd_config *config,
		       struct clbd_config_fault *fault)
{
	struct names names = { 0 };
	unsigned int l;
	bool good;

	names.names = calloc(config->group_count, sizeof(names.names[0]));
	if (!names.names)
		return fault_at(fault, "out of memory", "groups");
	good = check_top(config, fault) && check_groups(config, &names, fault);
	for (l = 0; good && l < config->listener_count; l++)
		good = check_listener(config, &names, l, fault);
	free(names.names);
	return good;
}
