// SPDX-License-Identifier: MIT
/* Stickiness by a cookie of the servers' own. */
#include "clbd/sticky.h"

#include <string.h>

#include "clbd/session.h"

#define MARK '~'
#define PREFIX (CLBD_COOKIE_TOKEN + 1)

static bool is_token(const char *at, size_t size)
{
	size_t i;

	if (size < PREFIX || at[CLBD_COOKIE_TOKEN] != MARK)
		return false;
	for (i = 0; i < CLBD_COOKIE_TOKEN; i++) {
		if (!strchr("0123456789abcdef", at[i]) || !at[i])
			return false;
	}
	return true;
}

size_t clbd_sticky_strip(char *value, size_t size, const char *name,
			 char token[CLBD_COOKIE_TOKEN], bool *found)
{
	const char *at = value, *here;
	size_t length, kept = size;

	while (clbd_cookie_next(&at, value + kept, name, &here, &length)) {
		char *begin = value + (here - value);

		if (!is_token(begin, length))
			continue;
		if (!*found)
			memcpy(token, begin, CLBD_COOKIE_TOKEN);
		*found = true;
		memmove(begin, begin + PREFIX, value + kept - begin - PREFIX);
		kept -= PREFIX;
		memset(value + kept, ' ', PREFIX);
		at = begin + (length - PREFIX);
	}
	return kept;
}

size_t clbd_sticky_value(const char *field, size_t size, const char *name)
{
	size_t length = strlen(name);

	if (size <= length || memcmp(field, name, length) ||
	    field[length] != '=')
		return 0;
	return length + 1;
}

/* Whose token it is; -1: nobody's, as that of a server that has gone. */
static int owner_of(const struct clbd_group *group,
		    const char token[CLBD_COOKIE_TOKEN])
{
	size_t i;

	for (i = 0; i < group->balance.count; i++) {
		if (!memcmp(group->tokens[i], token, CLBD_COOKIE_TOKEN))
			return i;
	}
	return -1;
}

void clbd_sticky_request(struct clbd_session *session)
{
	const struct clbd_group *group = session->group;
	struct clbd_head *head = &session->request;
	/* The head is the session's own. */
	char *text = (char *)session->text;
	char token[CLBD_COOKIE_TOKEN];
	bool found = false;
	size_t i;

	session->owner = -1;
	for (i = 0; group->server_cookie && i < head->count; i++) {
		struct clbd_slice *value = &head->fields[i].value;

		if (head->fields[i].id == CLBD_FIELD_COOKIE)
			value->size = clbd_sticky_strip(text + value->at,
							value->size,
							group->server_cookie,
							token, &found);
	}
	if (found)
		session->owner = owner_of(group, token);
}

bool clbd_sticky_is_set(const struct clbd_session *session,
			const struct clbd_field *field, const char *text)
{
	const char *name = session->group ? session->group->server_cookie
					  : NULL;

	return name && field->id == CLBD_FIELD_SET_COOKIE &&
	       clbd_sticky_value(text + field->value.at, field->value.size,
				 name);
}

void clbd_sticky_response(struct clbd_session *session, const char *text)
{
	struct clbd_head *head = &session->response;
	size_t i;

	for (i = 0; i < head->count; i++) {
		if (clbd_sticky_is_set(session, &head->fields[i], text))
			head->fields[i].hop = true;
	}
}
