// SPDX-License-Identifier: MIT
/* Which responses are compressed. */
#include "clbd/coding.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const clbd_coding_types[] = {
	"text/*",	   "application/javascript", "application/json",
	"application/xml", "application/xhtml+xml",  "image/svg+xml",
};

const unsigned int clbd_coding_type_count = COUNT(clbd_coding_types);

static bool is_named(const struct clbd_field *field, const char *text,
		     const char *name)
{
	return clbd_bytes_equal(text + field->name.at, field->name.size, name);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* One entry of a list: a word, and what comes behind its semicolon. */
struct entry {
	const char *word;
	size_t size;
	const char *rest;
	const char *end;
};

static void trim(const char **at, const char **end)
{
	while (*at < *end && is_space(**at))
		(*at)++;
	while (*end > *at && is_space((*end)[-1]))
		(*end)--;
}

/* The next entry of a list, from *@at on. Return: whether there is one */
static bool next_entry(const char **at, const char *end, struct entry *entry)
{
	const char *stop, *semicolon, *from = *at;

	if (from >= end)
		return false;
	stop = memchr(from, ',', end - from);
	*at = stop ? stop + 1 : end;
	entry->end = stop ? stop : end;
	semicolon = memchr(from, ';', entry->end - from);
	stop = semicolon ? semicolon : entry->end;
	entry->rest = semicolon ? semicolon + 1 : entry->end;
	trim(&from, &stop);
	entry->word = from;
	entry->size = stop - from;
	return true;
}

/* "q=0.5" in thousandths; 1000 where there is none, 0 where it is no weight. */
static int weight_of(const struct entry *entry)
{
	const char *at = entry->rest, *end = entry->end;
	int weight, scale = 100;

	trim(&at, &end);
	if (at == end)
		return 1000;
	if (end - at < 3 || (*at | 0x20) != 'q' || at[1] != '=')
		return 0;
	at += 2;
	if (*at != '0' && *at != '1')
		return 0;
	weight = 1000 * (*at++ - '0');
	if (at < end && *at++ != '.')
		return 0;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9' || !scale)
			return 0;
		weight += scale * (*at - '0');
		scale /= 10;
	}
	return weight <= 1000 ? weight : 0;
}

struct taste {
	int gzip;
	int identity;
	int others;
};

static void read_tastes(struct taste *taste, const char *at, const char *end)
{
	struct entry entry;

	while (next_entry(&at, end, &entry)) {
		if (clbd_bytes_equal(entry.word, entry.size, "gzip") ||
		    clbd_bytes_equal(entry.word, entry.size, "x-gzip"))
			taste->gzip = weight_of(&entry);
		else if (clbd_bytes_equal(entry.word, entry.size, "identity"))
			taste->identity = weight_of(&entry);
		else if (clbd_bytes_equal(entry.word, entry.size, "*"))
			taste->others = weight_of(&entry);
	}
}

bool clbd_coding_accepted(const struct clbd_head *request, const char *text)
{
	struct taste taste = { .gzip = -1, .identity = -1, .others = -1 };
	size_t i;

	for (i = 0; i < request->count; i++) {
		const struct clbd_field *field = &request->fields[i];
		const char *at = text + field->value.at;

		if (is_named(field, text, "accept-encoding"))
			read_tastes(&taste, at, at + field->value.size);
	}
	if (taste.gzip < 0)
		taste.gzip = taste.others;
	return taste.gzip > 0 && taste.gzip >= taste.identity;
}

/* Whether a list has a word. */
static bool list_has(const struct clbd_field *field, const char *text,
		     const char *word)
{
	const char *at = text + field->value.at, *end = at + field->value.size;
	struct entry entry;

	while (next_entry(&at, end, &entry)) {
		if (clbd_bytes_equal(entry.word, entry.size, word))
			return true;
	}
	return false;
}

static bool type_matches(const char *type, const char *word, size_t size)
{
	size_t length = strlen(type);

	if (length < 2 || strcmp(type + length - 2, "/*"))
		return clbd_bytes_equal(word, size, type);
	length--;
	return size > length && !strncasecmp(word, type, length);
}

static bool type_fits(const struct clbd_coding *coding,
		      const struct clbd_field *field, const char *text)
{
	const char *at = text + field->value.at, *end = at + field->value.size;
	struct entry entry;
	unsigned int i;

	if (!next_entry(&at, end, &entry))
		return false;
	for (i = 0; i < coding->type_count; i++) {
		if (type_matches(coding->types[i], entry.word, entry.size))
			return true;
	}
	return false;
}

/* Whether the body is whole, and nobody has said to leave it as it is. */
static bool is_as_made(const struct clbd_field *field, const char *text)
{
	if (is_named(field, text, "content-encoding") ||
	    is_named(field, text, "content-range"))
		return false;
	return !is_named(field, text, "cache-control") ||
	       !list_has(field, text, "no-transform");
}

bool clbd_coding_fits(const struct clbd_coding *coding,
		      const struct clbd_head *response, const char *text)
{
	unsigned int types = 0;
	size_t i;

	if (response->framing == CLBD_FRAMING_NONE || response->status < 200 ||
	    response->status == 206)
		return false;
	if (response->framing == CLBD_FRAMING_LENGTH &&
	    response->length < coding->minimum)
		return false;
	for (i = 0; i < response->count; i++) {
		const struct clbd_field *field = &response->fields[i];

		if (!is_as_made(field, text))
			return false;
		if (!is_named(field, text, "content-type"))
			continue;
		if (types++ || !type_fits(coding, field, text))
			return false;
	}
	return types;
}

bool clbd_coding_is_etag(const char *name, size_t size)
{
	return clbd_bytes_equal(name, size, "etag");
}

bool clbd_coding_drops(const char *name, size_t size)
{
	static const char *const dropped[] = {
		"accept-ranges", "content-digest", "content-length",
		"content-md5",	 "digest",	   "etag",
		"repr-digest",	 "trailer",	   "transfer-encoding",
	};
	size_t i;

	for (i = 0; i < COUNT(dropped); i++) {
		if (clbd_bytes_equal(name, size, dropped[i]))
			return true;
	}
	return false;
}

bool clbd_coding_varies(const struct clbd_head *response, const char *text)
{
	size_t i;

	for (i = 0; i < response->count; i++) {
		const struct clbd_field *field = &response->fields[i];

		if (is_named(field, text, "vary") &&
		    (list_has(field, text, "accept-encoding") ||
		     list_has(field, text, "*")))
			return true;
	}
	return false;
}
