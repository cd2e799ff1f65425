// SPDX-License-Identifier: MIT
/*
 * Forwarding rules: a hash of domains, each with a tree of prefixes.
 *
 * Domains are hashed from their end, so that one walk over a host has the hash
 * of each of its suffixes. "*.example" is kept as ".example", "any" as "".
 */
#include "clbd/rules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A node's @edge leads to it; siblings differ in the first byte of theirs. */
struct node {
	const char *edge;
	size_t size;
	void *target;
	struct node *child;
	struct node *sibling;
};

struct domain {
	struct domain *next;
	uint32_t hash;
	uint16_t size;
	struct node root;
	char name[CLBD_RULES_DOMAIN_MAX + 2];
};

struct clbd_rules {
	size_t mask;
	size_t room;
	struct domain *table[];
};

#define HASH_START 0x811c9dc5u

static uint32_t hash_step(uint32_t hash, char c)
{
	return (hash ^ (uint8_t)c) * 0x01000193u;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

struct clbd_rules *clbd_rules_new(size_t count)
{
	struct clbd_rules *rules;
	size_t size = 16;

	while (size < 2 * count)
		size *= 2;
	rules = calloc(1, sizeof(*rules) + size * sizeof(rules->table[0]));
	if (rules) {
		rules->mask = size - 1;
		rules->room = count;
	}
	return rules;
}

/* The child goes where its parent was, so that no depth is needed. */
static void free_nodes(struct node *node)
{
	while (node) {
		struct node *next = node->sibling, *last = node->child;

		if (last) {
			while (last->sibling)
				last = last->sibling;
			last->sibling = next;
			next = node->child;
		}
		free(node);
		node = next;
	}
}

void clbd_rules_free(struct clbd_rules *rules)
{
	size_t i;

	if (!rules)
		return;
	for (i = 0; i <= rules->mask; i++) {
		while (rules->table[i]) {
			struct domain *domain = rules->table[i];

			rules->table[i] = domain->next;
			free_nodes(domain->root.child);
			free(domain);
		}
	}
	free(rules);
}

static struct domain *find_domain(const struct clbd_rules *rules, uint32_t hash,
				  const char *name, size_t size)
{
	struct domain *domain = rules->table[hash & rules->mask];

	for (; domain; domain = domain->next) {
		if (domain->hash == hash && domain->size == size &&
		    !memcmp(domain->name, name, size))
			return domain;
	}
	return NULL;
}

static struct domain *add_domain(struct clbd_rules *rules, const char *text)
{
	size_t size, i;
	uint32_t hash = HASH_START;
	char name[CLBD_RULES_DOMAIN_MAX + 2];
	struct domain *domain;

	if (text[0] == '*')
		text++;
	size = strlen(text);
	for (i = size; i-- > 0;) {
		name[i] = lower(text[i]);
		hash = hash_step(hash, name[i]);
	}
	domain = find_domain(rules, hash, name, size);
	if (domain)
		return domain;
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return NULL;
	domain->hash = hash;
	domain->size = size;
	memcpy(domain->name, name, size);
	domain->next = rules->table[hash & rules->mask];
	rules->table[hash & rules->mask] = domain;
	return domain;
}

static struct node *child_of(const struct node *node, char c)
{
	struct node *child = node->child;

	while (child && child->edge[0] != c)
		child = child->sibling;
	return child;
}

static size_t common(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t i = 0;

	while (i < a_size && i < b_size && a[i] == b[i])
		i++;
	return i;
}

static struct node *new_node(struct node *parent, const char *edge, size_t size)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->edge = edge;
	node->size = size;
	node->sibling = parent->child;
	parent->child = node;
	return node;
}

/* Cuts the edge of @node after @size bytes; the rest leads to a new node. */
static int split(struct node *node, size_t size)
{
	struct node *rest = calloc(1, sizeof(*rest));

	if (!rest)
		return -ENOMEM;
	rest->edge = node->edge + size;
	rest->size = node->size - size;
	rest->target = node->target;
	rest->child = node->child;
	node->size = size;
	node->target = NULL;
	node->child = rest;
	return 0;
}

static struct node *add_prefix(struct node *node, const char *url)
{
	size_t size = strlen(url);

	while (size) {
		struct node *child = child_of(node, url[0]);
		size_t same;

		if (!child)
			return new_node(node, url, size);
		same = common(child->edge, child->size, url, size);
		if (same < child->size && split(child, same))
			return NULL;
		url += same;
		size -= same;
		node = child;
	}
	return node;
}

/* What a host can be: no label of it is empty, and it has no port. */
static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && name[strlen(name) - 1] != '.' &&
	       !strstr(name, "..") && !strchr(name, '*') &&
	       (name[0] == '[' || !strchr(name, ':'));
}

static bool is_valid(const char *domain, const char *url)
{
	if (domain) {
		const char *name = strncmp(domain, "*.", 2) ? domain
							    : domain + 2;

		if (!is_name(name) || strlen(domain) > CLBD_RULES_DOMAIN_MAX)
			return false;
	}
	return !url || url[0] == '/';
}

int clbd_rules_add(struct clbd_rules *rules, const char *domain,
		   const char *url, void *target)
{
	struct domain *entry;
	struct node *node;

	if (!is_valid(domain, url))
		return -EINVAL;
	if (!rules->room)
		return -ENOSPC;
	entry = add_domain(rules, domain ? domain : "");
	node = entry ? add_prefix(&entry->root, url ? url : "") : NULL;
	if (!node)
		return -ENOMEM;
	if (node->target)
		return -EEXIST;
	node->target = target;
	rules->room--;
	return 0;
}

/* The target of the longest prefix of @path. */
static void *find_prefix(const struct node *node, const char *path, size_t size)
{
	void *target = node->target;

	while (size) {
		node = child_of(node, path[0]);
		if (!node || node->size > size ||
		    memcmp(node->edge, path, node->size))
			break;
		if (node->target)
			target = node->target;
		path += node->size;
		size -= node->size;
	}
	return target;
}

/* By narrowing domains: the last that has a fitting rule is taken. */
static void *find_host(const struct clbd_rules *rules, const char *host,
		       size_t host_size, const char *path, size_t path_size)
{
	const struct domain *domain = find_domain(rules, HASH_START, "", 0);
	uint32_t hash = HASH_START;
	char name[CLBD_RULES_DOMAIN_MAX];
	void *target = NULL, *found;
	size_t i;

	if (domain)
		target = find_prefix(&domain->root, path, path_size);
	if (host_size && host[host_size - 1] == '.')
		host_size--;
	if (host_size > sizeof(name))
		return target;
	for (i = host_size; i-- > 0;) {
		name[i] = lower(host[i]);
		hash = hash_step(hash, name[i]);
		if (i && name[i] != '.')
			continue;
		domain = find_domain(rules, hash, name + i, host_size - i);
		found = domain ? find_prefix(&domain->root, path, path_size)
			       : NULL;
		if (found)
			target = found;
	}
	return target;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a path, "%41" taken for one. Return: bytes it is written in */
static size_t decode(const char *path, size_t size, char *out)
{
	*out = path[0];
	if (path[0] != '%' || size < 3 || hex(path[1]) < 0 || hex(path[2]) < 0)
		return 1;
	*out = hex(path[1]) << 4 | hex(path[2]);
	return 3;
}

/* A segment ends at @at: "." and ".." take it, or the one before, away. */
static size_t end_segment(const char *out, size_t start, size_t at)
{
	if (at - start == 1 && out[start] == '.')
		return start;
	if (at - start == 2 && out[start] == '.' && out[start + 1] == '.') {
		if (start > 1)
			start--;
		while (start > 1 && out[start - 1] != '/')
			start--;
		return start;
	}
	return at;
}

#define PATH_MAX_SIZE 4096

/* Writes the plain form of @path to @out; what is longer is cut off. */
static size_t normalize(const char *path, size_t size, char *out)
{
	size_t i = 0, at = 0, start = 0;

	while (i < size && at < PATH_MAX_SIZE) {
		char c;

		i += decode(path + i, size - i, &c);
		if (c == '/') {
			at = end_segment(out, start, at);
			if (at && out[at - 1] == '/') {
				start = at;
				continue;
			}
			start = at + 1;
		}
		out[at++] = c;
	}
	return end_segment(out, start, at);
}

/* Whether the path may have another form: most have not. */
static bool is_plain(const char *path, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (path[i] == '%' ||
		    (path[i] == '/' && i + 1 < size &&
		     (path[i + 1] == '/' || path[i + 1] == '.')))
			return false;
	}
	return true;
}

void *clbd_rules_find(const struct clbd_rules *rules, const char *host,
		      size_t host_size, const char *path, size_t path_size)
{
	const char *query = memchr(path, '?', path_size);
	char plain[PATH_MAX_SIZE];

	if (!rules)
		return NULL;
	if (query)
		path_size = query - path;
	if (!path_size) {
		path = "/";
		path_size = 1;
	}
	if (!is_plain(path, path_size)) {
		path_size = normalize(path, path_size, plain);
		path = plain;
	}
	return find_host(rules, host, host_size, path, path_size);
}
