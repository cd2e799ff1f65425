/* SPDX-License-Identifier: MIT */
/* The parts that clbd_config_read() is made of. */
#ifndef CLBD_SCHEMA_H
#define CLBD_SCHEMA_H

#include <cyaml/cyaml.h>

#include "clbd/config.h"

#define CLBD_CONFIG_PATH 128
#define CLBD_CONFIG_TEXT 200

/* Which keys there are, and of what type. */
extern const cyaml_schema_value_t clbd_config_schema;

/**
 * struct clbd_config_fault - what is wrong, and where
 * @path: of the key, as "listeners[0].group"
 * @text: what is wrong with it
 */
struct clbd_config_fault {
	char path[CLBD_CONFIG_PATH];
	char text[CLBD_CONFIG_TEXT];
};

/* Whether all holds that must hold between keys; if not, @fault says what. */
bool clbd_config_check(const struct clbd_config *config,
		       struct clbd_config_fault *fault);

/*
 * The line of the YAML where @path begins, or of the last part of it there is.
 */
unsigned int clbd_config_line(const char *text, size_t size, const char *path);

#endif /* CLBD_SCHEMA_H */
