/* SPDX-License-Identifier: MIT */
/*
 * Pages that a listener answers errors with. The parent reads their files, and
 * workers get them in one of memory: for each page of the configuration, in its
 * order, four bytes of size and then the page.
 */
#ifndef CLBD_PAGES_H
#define CLBD_PAGES_H

#include <stdint.h>
#include <sys/types.h>

#include "clbd/schema.h"

/* A page has room in an answer, beside its head. */
#define CLBD_PAGE_MAX (12 * 1024)

struct clbd_page {
	uint16_t status;
	uint32_t size;
	const char *type;
	char *text;
};

/**
 * clbd_pages_collect() - read the files of all pages
 * @config: that names them
 * @fault: what is wrong with one
 *
 * Return: the file of memory, -ENOENT where there are no pages, or -EINVAL
 */
int clbd_pages_collect(const struct clbd_config *config,
		       struct clbd_config_fault *fault);

/**
 * clbd_pages_take() - the pages of one listener
 * @file: of memory
 * @at: where in it these begin; moved on
 * @listener: whose they are
 *
 * Return: as many as the listener has, to be freed; NULL: without memory
 */
struct clbd_page *clbd_pages_take(int file, off_t *at,
				  const struct clbd_config_listener *listener);
void clbd_pages_free(struct clbd_page *pages, uint32_t count);

#endif /* CLBD_PAGES_H */
