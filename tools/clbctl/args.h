/* SPDX-License-Identifier: MIT */
/* The words of a command, and the parts of the grammar all verbs share. */
#ifndef CLB_CLBCTL_ARGS_H
#define CLB_CLBCTL_ARGS_H

#include <stdarg.h>

#include "lib/message.h"

struct clb_args {
	char **words;
	size_t count;
	size_t next;
	char error[256];	/* why parsing failed */
};

/* Most words of one command: a line of a file, or a command line. */
#define CLB_ARGS_MAX 4096

/**
 * clb_line_split() - split a line into words
 * @line: cut up in place; a word that begins with # ends it
 * @words: result: pointers into @line
 * @max: size of @words
 * @count: number of words
 *
 * Return: 0, or -E2BIG where there are more than @max words; outputs other
 * than @line and @words are then untouched
 */
int clb_line_split(char *line, char **words, size_t max, size_t *count);

#define CLB_WORD_UNKNOWN	(-1)
#define CLB_WORD_AMBIGUOUS	(-2)

/**
 * clb_word_match() - find a word or an unambiguous start of it
 * @word: as typed
 * @names: words to choose from
 * @n: their number
 *
 * Return: index of the name, CLB_WORD_UNKNOWN or CLB_WORD_AMBIGUOUS
 */
int clb_word_match(const char *word, const char *const *names, size_t n);

/* As clb_word_match(), but says in args->error what is wrong with @word. */
int clb_args_match(struct clb_args *args, const char *word, const char *what,
		   const char *const *names, size_t n);

/* The next word, or NULL. */
const char *clb_args_peek(const struct clb_args *args);
const char *clb_args_take(struct clb_args *args);

/* Whether the next word is @name or a start of it; takes it if so. */
bool clb_args_accept(struct clb_args *args, const char *name);

/* Return: -EINVAL, always */
int clb_args_fail(struct clb_args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * These take words and store what they mean, marked present. Return: 0, or
 * -EINVAL with args->error set.
 */

/* {tcp|udp} ADDRESS:PORT */
int clb_args_listener(struct clb_args *args, struct clb_listener *listener);

/* [server] ADDRESS[:PORT] */
int clb_args_server(struct clb_args *args, struct clb_server *server);

/* The value of @field, which was named just before. */
int clb_args_value(struct clb_args *args, const struct clb_field *field,
		   void *object);

/* [KEYWORD VALUE]... up to the end: the options of @object */
int clb_args_options(struct clb_args *args, const struct clb_object *object,
		     void *value);

/* As clb_args_options(), but one at least. */
int clb_args_changes(struct clb_args *args, const struct clb_object *object,
		     void *value);

/* Nothing may be left. */
int clb_args_end(struct clb_args *args);

#endif /* CLB_CLBCTL_ARGS_H */
