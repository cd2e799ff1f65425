/* SPDX-License-Identifier: MIT */
/*
 * Forwarding rules: which target a host and a path lead to.
 *
 * A rule has a domain ("a.example", "*.example", or none: any) and a URL prefix
 * (or none: any). Of the rules that fit, the one with the narrowest domain is
 * taken, and of these the one with the longest prefix. A wildcard stands for
 * one label or more.
 *
 * Finding costs what the host and the path are long, however many rules there
 * are. Pure: it allocates while rules are added, and nothing when one is found.
 */
#ifndef CLBD_RULES_H
#define CLBD_RULES_H

#include <stddef.h>

#define CLBD_RULES_DOMAIN_MAX 253

struct clbd_rules;

struct clbd_rules *clbd_rules_new(size_t count);
void clbd_rules_free(struct clbd_rules *rules);

/**
 * clbd_rules_add() - add a rule
 * @rules: to which; there is room for as many as clbd_rules_new() was told
 * @domain: in any case; NULL: any
 * @url: a prefix that begins with a slash; NULL: any. It must outlive @rules.
 * @target: not NULL
 *
 * Return: 0, -EEXIST where there is such a rule, -EINVAL, -ENOSPC or -ENOMEM
 */
int clbd_rules_add(struct clbd_rules *rules, const char *domain,
		   const char *url, void *target);

/**
 * clbd_rules_find() - the target of a request
 * @rules: NULL: there are none
 * @host: without port, in any case
 * @host_size: its bytes; 0: none, so that rules without a domain are left
 * @path: as in the request; a query is not looked at. "%41" is "A", "//" is
 *	"/", "/./" and "/../" are gone before it is compared.
 * @path_size: its bytes
 *
 * Return: the target, or NULL
 */
void *clbd_rules_find(const struct clbd_rules *rules, const char *host,
		      size_t host_size, const char *path, size_t path_size);

#endif /* CLBD_RULES_H */
