// SPDX-License-Identifier: MIT
/* Reading the configuration: YAML by the schema, then what must hold. */
#include "clbd/config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clbd/balance.h"
#include "clbd/schema.h"

/*
 * libcyaml tells what is wrong as lines for a log: the first says what, those
 * after "Backtrace" where, innermost first: "in mapping field 'x' (line: 3,
 * ...".
 */
struct report {
	struct clbd_config_fault fault;
	unsigned int line;
};

static void prepend(struct clbd_config_fault *fault, const char *part,
		    size_t size, bool index)
{
	char path[CLBD_CONFIG_PATH];
	bool dot = fault->path[0] && fault->path[0] != '[';

	snprintf(path, sizeof(path), index ? "[%.*s]%s%.90s" : "%.*s%s%.90s",
		 (int)size, part, dot ? "." : "", fault->path);
	strcpy(fault->path, path);
}

static void read_place(struct report *report, const char *text)
{
	const char *name = strchr(text, '\''), *end, *line;
	char number[24];
	bool index = strstr(text, "entry");

	end = name ? strchr(name + 1, '\'') : NULL;
	if (end && index) {
		/* It counts from one. */
		snprintf(number, sizeof(number), "%ld", atol(name + 1) - 1);
		prepend(&report->fault, number, strlen(number), true);
	} else if (end) {
		prepend(&report->fault, name + 1, end - name - 1, false);
	}
	line = strstr(text, "line: ");
	if (line && !report->line)
		sscanf(line, "line: %u", &report->line);
}

static void note(cyaml_log_t level, void *context, const char *format,
		 va_list args)
{
	struct report *report = context;
	char text[CLBD_CONFIG_TEXT];
	const char *at = text;
	size_t size;

	(void)level;
	vsnprintf(text, sizeof(text), format, args);
	if (!strncmp(at, "Load: ", 6))
		at += 6;
	while (*at == ' ')
		at++;
	if (!strncmp(at, "in ", 3)) {
		read_place(report, at);
		return;
	}
	if (report->fault.text[0] || !strncmp(at, "Backtrace", 9))
		return;
	size = strcspn(at, "\n");
	snprintf(report->fault.text, sizeof(report->fault.text), "%.*s",
		 (int)size, at);
}

/* It says where the mapping is, and in the text which key of that is meant. */
static void read_unexpected(struct report *report, const char *text,
			    size_t size)
{
	struct clbd_config_fault *fault = &report->fault;
	char key[CLBD_CONFIG_TEXT];
	size_t at = strlen(fault->path);

	if (sscanf(fault->text, "Unexpected key: %89s", key) != 1)
		return;
	snprintf(fault->path + at, sizeof(fault->path) - at, "%s%s",
		 at ? "." : "", key);
	strcpy(fault->text, "there is no such key");
	report->line = clbd_config_line(text, size, fault->path);
}

static cyaml_config_t settings(struct report *report)
{
	return (cyaml_config_t){
		.log_fn = note,
		.log_ctx = report,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
	};
}

static void tell(char error[CLBD_CONFIG_ERROR], const char *name,
		 const struct report *report)
{
	const struct clbd_config_fault *fault = &report->fault;

	if (report->line)
		snprintf(error, CLBD_CONFIG_ERROR, "%.120s:%u: %s%s%s", name,
			 report->line, fault->path, fault->path[0] ? ": " : "",
			 fault->text);
	else
		snprintf(error, CLBD_CONFIG_ERROR, "%.120s: %s", name,
			 fault->text);
}

/* One address is one text, however it was written: it is known by that. */
static int rewrite(char **text)
{
	char canonical[CLB_ADDRESS_TEXT];
	struct clb_address address;
	bool has_port = false;
	uint16_t port;
	char *copy;

	if (clb_endpoint_parse(*text, &address, &port, &has_port) || !has_port)
		return 0;
	clb_endpoint_format(&address, port, canonical);
	if (!port || !strcmp(*text, canonical))
		return 0;
	copy = strdup(canonical);
	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

static int rewrite_addresses(struct clbd_config *config)
{
	uint32_t i, g;
	int err = 0;

	for (i = 0; i < config->listener_count && !err; i++)
		err = rewrite(&config->listeners[i].address);
	for (g = 0; g < config->group_count && !err; g++) {
		struct clbd_config_group *group = &config->groups[g];

		for (i = 0; i < group->server_count && !err; i++)
			err = rewrite(&group->servers[i].address);
	}
	return err;
}

#define DEFAULT(value, otherwise) ((value) ? (value) : (otherwise))

/* What is not given is as clbd.conf(5) says, and the same as if it were. */
static void settle_check(struct clbd_config_check *check)
{
	char text[2048];

	if (!check)
		return;
	check->interval = DEFAULT(check->interval, 2);
	check->timeout = DEFAULT(check->timeout, 5);
	check->rise = DEFAULT(check->rise, 3);
	check->fall = DEFAULT(check->fall, 3);
	snprintf(text, sizeof(text), "%u %u %u %u %u %u %u %u %s\n%s",
		 check->type, check->interval, check->timeout, check->rise,
		 check->fall, check->port, check->method,
		 check->expect ? *check->expect : 0,
		 check->url ? check->url : "", check->host ? check->host : "");
	check->id = DEFAULT(clbd_balance_hash(text, strlen(text)), 1);
}

static void settle_checks(struct clbd_config *config)
{
	uint32_t g, l, r;

	for (g = 0; g < config->group_count; g++)
		settle_check(config->groups[g].check);
	for (l = 0; l < config->listener_count; l++) {
		for (r = 0; r < config->listeners[l].rule_count; r++)
			settle_check(config->listeners[l].rules[r].check);
	}
}

int clbd_config_read(const char *name, const char *text, size_t size,
		     struct clbd_config **out, char error[CLBD_CONFIG_ERROR])
{
	struct report report = { .line = 0 };
	const cyaml_config_t cyaml = settings(&report);
	struct clbd_config *config = NULL;
	cyaml_err_t err;

	err = cyaml_load_data((const uint8_t *)text, size, &cyaml,
			      &clbd_config_schema, (cyaml_data_t **)&config,
			      NULL);
	if (err || !config) {
		if (!report.fault.text[0])
			snprintf(report.fault.text, sizeof(report.fault.text),
				 "%s", err ? cyaml_strerror(err) : "is empty");
		read_unexpected(&report, text, size);
		tell(error, name, &report);
		return err == CYAML_ERR_OOM ? -ENOMEM : -EINVAL;
	}
	if (rewrite_addresses(config)) {
		clbd_config_free(config);
		return -ENOMEM;
	}
	settle_checks(config);
	if (!clbd_config_check(config, &report.fault)) {
		report.line = clbd_config_line(text, size, report.fault.path);
		tell(error, name, &report);
		clbd_config_free(config);
		return -EINVAL;
	}
	*out = config;
	return 0;
}

struct clbd_config *clbd_config_map(int file)
{
	char error[CLBD_CONFIG_ERROR];
	struct clbd_config *config = NULL;
	off_t size = lseek(file, 0, SEEK_END);
	void *text;

	if (size <= 0)
		return NULL;
	text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	if (text == MAP_FAILED)
		return NULL;
	if (clbd_config_read("configuration", text, size, &config,
			     error))
		fprintf(stderr, "clbd: %s\n", error);
	munmap(text, size);
	return config;
}

void clbd_config_free(struct clbd_config *config)
{
	struct report report = { .line = 0 };
	const cyaml_config_t cyaml = settings(&report);

	if (config)
		cyaml_free(&cyaml, &clbd_config_schema, config, 0);
}

bool clbd_config_is_own(const struct clbd_config_rule *rule)
{
	return rule->scheduler || rule->hash || rule->cookie ||
	       rule->cookie_lifetime || rule->check;
}

socklen_t clbd_config_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (void *)out;
	struct sockaddr_in *in = (void *)out;
	struct clb_address address;
	bool has_port;
	uint16_t port;

	memset(out, 0, sizeof(*out));
	if (clb_endpoint_parse(text, &address, &port, &has_port))
		return 0;
	if (address.length == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, address.bytes, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, address.bytes, 16);
	return sizeof(*in6);
}
