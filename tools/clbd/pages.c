// SPDX-License-Identifier: MIT
/* Pages of errors: from files to workers. */
#include "clbd/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_page(int file, const char *text, uint32_t size)
{
	if (write(file, &size, sizeof(size)) != sizeof(size) ||
	    write(file, text, size) != (ssize_t)size)
		return -EIO;
	return 0;
}

/* Return: what is wrong, or NULL */
static const char *copy_page(int file, const char *path)
{
	char text[CLBD_PAGE_MAX + 1];
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	ssize_t n;

	if (from < 0)
		return strerror(errno);
	while ((n = read(from, text + size, sizeof(text) - size)) > 0)
		size += n;
	close(from);
	if (n < 0)
		return strerror(errno);
	if (size > CLBD_PAGE_MAX)
		return "more than 12288 bytes";
	return write_page(file, text, size) ? "out of memory" : NULL;
}

static int collect(int file, const struct clbd_config *config,
		   struct clbd_config_fault *fault)
{
	uint32_t l, i;

	for (l = 0; l < config->listener_count; l++) {
		const struct clbd_config_listener *listener =
			&config->listeners[l];

		for (i = 0; i < listener->page_count; i++) {
			const char *text;

			text = copy_page(file, listener->pages[i].file);
			if (!text)
				continue;
			snprintf(fault->path, sizeof(fault->path),
				 "listeners[%u].error-pages[%u].file", l, i);
			snprintf(fault->text, sizeof(fault->text), "%s", text);
			return -EINVAL;
		}
	}
	return 0;
}

int clbd_pages_collect(const struct clbd_config *config,
		       struct clbd_config_fault *fault)
{
	uint32_t l, pages = 0;
	int file;

	for (l = 0; l < config->listener_count; l++)
		pages += config->listeners[l].page_count;
	if (!pages)
		return -ENOENT;
	file = memfd_create("clbd.pages", MFD_CLOEXEC);
	if (file >= 0 && !collect(file, config, fault))
		return file;
	if (file >= 0)
		close(file);
	else
		snprintf(fault->text, sizeof(fault->text), "out of memory");
	return -EINVAL;
}

static bool take(int file, off_t *at, void *data, size_t size)
{
	if (pread(file, data, size, *at) != (ssize_t)size)
		return false;
	*at += size;
	return true;
}

static int take_page(int file, off_t *at, struct clbd_page *page,
		     const struct clbd_config_page *config)
{
	page->status = config->status;
	page->type = config->type ? config->type : "text/html; charset=utf-8";
	if (!take(file, at, &page->size, sizeof(page->size)) ||
	    page->size > CLBD_PAGE_MAX)
		return -EPROTO;
	page->text = malloc(page->size + 1);
	if (!page->text)
		return -ENOMEM;
	return take(file, at, page->text, page->size) ? 0 : -EPROTO;
}

struct clbd_page *clbd_pages_take(int file, off_t *at,
				  const struct clbd_config_listener *listener)
{
	struct clbd_page *pages = calloc(listener->page_count, sizeof(*pages));
	uint32_t i;

	for (i = 0; pages && i < listener->page_count; i++) {
		if (!take_page(file, at, &pages[i], &listener->pages[i]))
			continue;
		clbd_pages_free(pages, listener->page_count);
		return NULL;
	}
	return pages;
}

void clbd_pages_free(struct clbd_page *pages, uint32_t count)
{
	uint32_t i;

	for (i = 0; pages && i < count; i++)
		free(pages[i].text);
	free(pages);
}
