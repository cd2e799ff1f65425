// SPDX-License-Identifier: MIT
/*
 * clbd's rules. Lines "DOMAIN URL" are rules, "-" for none of either, and the
 * last is a host and a path: the rule found must be the one that plain search
 * finds among all, which knows nothing of hashes and trees.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clbd/rules.h"

#define RULES 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rule {
	const char *domain;
	const char *url;
};

struct input {
	char *text;
	struct rule rules[RULES];
	size_t count;
	const char *host;
	const char *path;
};

static void check(bool good)
{
	if (!good)
		abort();
}

/* Return: whether the text is lines of two words */
static bool read_input(struct input *input)
{
	char *line, *rest = input->text, *word;

	while ((line = strsep(&rest, "\n"))) {
		word = strchr(line, ' ');
		if (!word)
			return false;
		*word++ = 0;
		if (!rest) {
			input->host = line;
			input->path = word;
			return *word == '/';
		}
		if (input->count == RULES)
			return false;
		input->rules[input->count++] = (struct rule){
			.domain = strcmp(line, "-") ? line : NULL,
			.url = strcmp(word, "-") ? word : NULL,
		};
	}
	return false;
}

static bool is_valid(const struct rule *rule)
{
	const char *name = rule->domain;
	size_t size;

	if (rule->url && rule->url[0] != '/')
		return false;
	if (!name)
		return true;
	size = strlen(name);
	if (size > CLBD_RULES_DOMAIN_MAX)
		return false;
	if (!strncmp(name, "*.", 2)) {
		name += 2;
		size -= 2;
	}
	return size && name[0] != '.' && name[size - 1] != '.' &&
	       !strchr(name, '*') && !strstr(name, "..") &&
	       (name[0] == '[' || !strchr(name, ':'));
}

static bool is_same(const struct rule *a, const struct rule *b)
{
	return !strcasecmp(a->domain ? a->domain : "",
			   b->domain ? b->domain : "") &&
	       !strcmp(a->url ? a->url : "", b->url ? b->url : "");
}

static unsigned int digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static bool is_digit(char c)
{
	return c && strchr("0123456789abcdefABCDEF", c);
}

/* Up to the query, with "%41" taken for "A". */
static size_t decode(const char *path, char *out)
{
	size_t size = 0;

	for (; *path && *path != '?'; path++) {
		out[size] = *path;
		if (*path == '%' && is_digit(path[1]) && is_digit(path[2])) {
			out[size] = digit(path[1]) << 4 | digit(path[2]);
			path += 2;
		}
		size++;
	}
	return size;
}

/* Segment by segment; the last may be empty. Return: bytes in @out */
static size_t normalize(const char *text, size_t size, char *out)
{
	size_t at = 0, i, end;

	for (i = 0; i < size; i = end) {
		size_t length;

		end = i + 1;
		while (end < size && text[end] != '/')
			end++;
		length = end - i - 1;
		if (at && out[at - 1] == '/')
			at--;
		if (length == 2 && !memcmp(text + i + 1, "..", 2)) {
			while (at && out[at - 1] != '/')
				at--;
			at -= at > 0;
		}
		out[at++] = '/';
		if ((length == 1 && text[i + 1] == '.') ||
		    (length == 2 && !memcmp(text + i + 1, "..", 2)))
			continue;
		memcpy(out + at, text + i + 1, length);
		at += length;
	}
	return at;
}

/* How narrow the domain is that fits; 0: it does not. */
static size_t fit_domain(const char *domain, const char *host, size_t size)
{
	size_t length;

	if (!domain)
		return 1;
	if (size && host[size - 1] == '.')
		size--;
	length = strlen(domain);
	if (size > CLBD_RULES_DOMAIN_MAX)
		return 0;
	if (domain[0] != '*') {
		if (length != size || strncasecmp(domain, host, size))
			return 0;
		return SIZE_MAX;
	}
	/* The dot belongs to it. */
	length--;
	if (size < length ||
	    strncasecmp(domain + 1, host + size - length, length))
		return 0;
	return 1 + length;
}

static const struct rule *search(const struct input *input, const bool *added)
{
	size_t size = strlen(input->path), narrow = 0, longest = 0, i;
	char *plain = malloc(2 * size + 2), *path = plain + size + 1;
	const struct rule *best = NULL;

	check(plain);
	size = normalize(plain, decode(input->path, plain), path);
	for (i = 0; i < input->count; i++) {
		const struct rule *rule = &input->rules[i];
		size_t url = rule->url ? strlen(rule->url) : 0, fits;

		fits = fit_domain(rule->domain, input->host,
				  strlen(input->host));
		if (!added[i] || !fits || url > size ||
		    (url && memcmp(rule->url, path, url)))
			continue;
		if (fits < narrow || (fits == narrow && best && url < longest))
			continue;
		best = rule;
		narrow = fits;
		longest = url;
	}
	free(plain);
	return best;
}

static bool add(struct clbd_rules *rules, struct input *input, size_t i,
		const bool *added)
{
	struct rule *rule = &input->rules[i];
	bool twice = false;
	size_t j;
	int err;

	for (j = 0; j < i; j++)
		twice |= added[j] && is_same(&input->rules[j], rule);
	err = clbd_rules_add(rules, rule->domain, rule->url, rule);
	check(err == (!is_valid(rule) ? -EINVAL : twice ? -EEXIST : 0));
	return !err;
}

static void try(struct input *input)
{
	struct clbd_rules *rules = clbd_rules_new(input->count);
	bool added[RULES] = { false };
	const void *found;
	size_t i;

	check(rules);
	for (i = 0; i < input->count; i++)
		added[i] = add(rules, input, i, added);
	found = clbd_rules_find(rules, input->host, strlen(input->host),
				input->path, strlen(input->path));
	check(found == search(input, added));
	clbd_rules_free(rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { .text = malloc(size + 1) };
	char *text = input.text;

	check(text);
	memcpy(text, data, size);
	text[size] = 0;
	if (strlen(text) == size && read_input(&input))
		try(&input);
	free(text);
	return 0;
}
