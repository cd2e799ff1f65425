// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "lib/number.h"

int clb_line_split(char *line, char **words, size_t max, size_t *count)
{
	static const char blanks[] = " \t\r\n";
	size_t n = 0;
	char *word;

	for (word = strtok_r(line, blanks, &line); word && *word != '#';
	     word = strtok_r(NULL, blanks, &line)) {
		if (n == max)
			return -E2BIG;
		words[n++] = word;
	}
	*count = n;
	return 0;
}

int clb_word_match(const char *word, const char *const *names, size_t n)
{
	int found = CLB_WORD_UNKNOWN;
	size_t length = strlen(word);
	size_t i;

	if (!length)
		return CLB_WORD_UNKNOWN;
	for (i = 0; i < n; i++) {
		if (strncmp(word, names[i], length))
			continue;
		if (!names[i][length])
			return i;
		found = found == CLB_WORD_UNKNOWN ? (int)i :
						    CLB_WORD_AMBIGUOUS;
	}
	return found;
}

/* Lists in args->error the names that begin with @start. */
static void append_names(struct clb_args *args, const char *start,
			 const char *const *names, size_t n)
{
	const char *separator = ": ";
	size_t i;

	for (i = 0; i < n; i++) {
		size_t used = strlen(args->error);

		if (strncmp(names[i], start, strlen(start)))
			continue;
		snprintf(args->error + used, sizeof(args->error) - used,
			 "%s%s", separator, names[i]);
		separator = ", ";
	}
}

int clb_args_match(struct clb_args *args, const char *word, const char *what,
		   const char *const *names, size_t n)
{
	int i = clb_word_match(word, names, n);

	if (i >= 0)
		return i;
	if (i == CLB_WORD_AMBIGUOUS) {
		clb_args_fail(args, "%s '%.40s' is ambiguous", what, word);
		append_names(args, word, names, n);
	} else {
		clb_args_fail(args, "unknown %s '%.40s', expected one of",
			      what, word);
		append_names(args, "", names, n);
	}
	return i;
}

const char *clb_args_peek(const struct clb_args *args)
{
	return args->next < args->count ? args->words[args->next] : NULL;
}

const char *clb_args_take(struct clb_args *args)
{
	const char *word = clb_args_peek(args);

	if (word)
		args->next++;
	return word;
}

bool clb_args_accept(struct clb_args *args, const char *name)
{
	const char *word = clb_args_peek(args);

	if (!word || clb_word_match(word, &name, 1) < 0)
		return false;
	args->next++;
	return true;
}

int clb_args_fail(struct clb_args *args, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(args->error, sizeof(args->error), format, list);
	va_end(list);
	return -EINVAL;
}

/* Says which values a field takes. */
static int fail_value(struct clb_args *args, const struct clb_field *field,
		      const char *word, int err)
{
	const char *what = field->what ? field->what : "a number";
	const char *separator = "";
	char names[128] = "";
	size_t i;

	if (err == -ERANGE)
		return clb_args_fail(args, "%s: %.40s is too large",
				     field->name, word);
	if (err == -EPERM)
		return clb_args_fail(args, "%s: others may read %.60s",
				     field->name, word);
	if (err == -EKEYREJECTED)
		return clb_args_fail(args, "%s: %.60s is neither root's nor yours",
				     field->name, word);
	if (err != -EINVAL)
		return clb_args_fail(args, "%s: %.60s: %s", field->name, word,
				     strerror(-err));
	for (i = 0; i < field->n_names; i++) {
		size_t used = strlen(names);

		if (!field->names[i])
			continue;
		snprintf(names + used, sizeof(names) - used, "%s%s",
			 separator, field->names[i]);
		separator = ", ";
	}
	if (field->format == CLB_FORMAT_SWITCH)
		what = "on or off";
	else if (field->n_names)
		what = names;
	return clb_args_fail(args, "%s: '%.40s' is not %s%s", field->name,
			     word, field->n_names ? "one of " : "", what);
}

int clb_args_value(struct clb_args *args, const struct clb_field *field,
		   void *object)
{
	const char *word = clb_args_take(args);
	int err;

	if (!word)
		return clb_args_fail(args, "%s: value missing", field->name);
	err = clb_field_parse(field, word, object);
	return err ? fail_value(args, field, word, err) : 0;
}

static void set_endpoint(const struct clb_object *object, void *value,
			 const struct clb_address *address,
			 uint16_t port, bool has_port)
{
	clb_field_set_address(clb_field_find_name(object, "address"), value,
			      address);
	if (has_port)
		clb_field_set(clb_field_find_name(object, "port"), value,
			      port);
}

int clb_args_listener(struct clb_args *args, struct clb_listener *listener)
{
	const struct clb_field *protocol =
		clb_field_find(&clb_listener_object, CLB_LISTENER_A_PROTOCOL);
	struct clb_address address;
	const char *word;
	bool has_port;
	uint16_t port;

	word = clb_args_peek(args);
	if (!word)
		return clb_args_fail(args,
				     "listener missing: {tcp|udp} ADDRESS:PORT");
	if (clb_args_value(args, protocol, listener))
		return -EINVAL;
	word = clb_args_take(args);
	if (!word)
		return clb_args_fail(args, "listener: ADDRESS:PORT missing");
	if (clb_endpoint_parse(word, &address, &port, &has_port))
		return clb_args_fail(args,
				     "'%.60s' is not ADDRESS:PORT (IPv6: [ADDRESS]:PORT)",
				     word);
	if (!has_port)
		return clb_args_fail(args,
				     "'%.60s' has no port (ADDRESS:PORT, IPv6: [ADDRESS]:PORT, all ports: ADDRESS:all)",
				     word);
	set_endpoint(&clb_listener_object, listener, &address, port, true);
	return 0;
}

int clb_args_server(struct clb_args *args, struct clb_server *server)
{
	struct clb_address address;
	const char *word;
	bool has_port;
	uint16_t port;

	clb_args_accept(args, "server");
	word = clb_args_take(args);
	if (!word)
		return clb_args_fail(args, "server missing: ADDRESS[:PORT]");
	if (clb_endpoint_parse(word, &address, &port, &has_port))
		return clb_args_fail(args,
				     "'%.60s' is not ADDRESS[:PORT] (IPv6 with a port: [ADDRESS]:PORT)",
				     word);
	set_endpoint(&clb_server_object, server, &address, port, has_port);
	return 0;
}

static const struct clb_field *match_option(struct clb_args *args,
					    const struct clb_object *object,
					    const char *word)
{
	const struct clb_field *fields[64] = { NULL };
	const char *names[64];
	size_t i, n = 0;
	int found;

	for (i = 0; i < object->n_fields; i++) {
		if (object->fields[i].role != CLB_ROLE_OPTION)
			continue;
		fields[n] = &object->fields[i];
		names[n++] = object->fields[i].name;
	}
	found = clb_args_match(args, word, "keyword", names, n);
	return found < 0 ? NULL : fields[found];
}

int clb_args_options(struct clb_args *args, const struct clb_object *object,
		     void *value)
{
	const struct clb_field *field;
	const char *word;

	while ((word = clb_args_take(args))) {
		field = match_option(args, object, word);
		if (!field)
			return -EINVAL;
		if (clb_field_present(field, value))
			return clb_args_fail(args, "%s is given twice",
					     field->name);
		if (clb_args_value(args, field, value))
			return -EINVAL;
	}
	return 0;
}

int clb_args_changes(struct clb_args *args, const struct clb_object *object,
		     void *value)
{
	if (!clb_args_peek(args))
		return clb_args_fail(args, "nothing to set: KEYWORD VALUE missing");
	return clb_args_options(args, object, value);
}

int clb_args_end(struct clb_args *args)
{
	const char *word = clb_args_peek(args);

	if (word)
		return clb_args_fail(args, "'%.40s' is one word too many",
				     word);
	return 0;
}
