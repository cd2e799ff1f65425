// SPDX-License-Identifier: MIT
/* Which line of the YAML a path is in. */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "clbd/schema.h"

static unsigned int line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

static yaml_node_t *entry_of(yaml_document_t *document, const yaml_node_t *node,
			     unsigned long index, unsigned int *line)
{
	yaml_node_t *entry;
	const yaml_node_item_t *items;

	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	items = node->data.sequence.items.start;
	if (index >= (size_t)(node->data.sequence.items.top - items))
		return NULL;
	entry = yaml_document_get_node(document, items[index]);
	if (entry)
		*line = line_of(entry);
	return entry;
}

/* @line: that of the key, for a value may begin below it */
static yaml_node_t *value_of(yaml_document_t *document, const yaml_node_t *node,
			     const char *key, size_t size, unsigned int *line)
{
	const yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(document, pair->key);

		if (name && name->type == YAML_SCALAR_NODE &&
		    name->data.scalar.length == size &&
		    !memcmp(name->data.scalar.value, key, size)) {
			*line = line_of(name);
			return yaml_document_get_node(document, pair->value);
		}
	}
	return NULL;
}

/* One part of a path: "[3]", or "name" with the dot before it. */
static yaml_node_t *step(yaml_document_t *document, yaml_node_t *node,
			 const char **path, unsigned int *line)
{
	size_t size;

	if (**path == '[') {
		char *end;
		unsigned long index = strtoul(*path + 1, &end, 10);

		*path = *end == ']' ? end + 1 : end;
		return entry_of(document, node, index, line);
	}
	if (**path == '.')
		(*path)++;
	size = strcspn(*path, ".[");
	node = value_of(document, node, *path, size, line);
	*path += size;
	return node;
}

static unsigned int line_in(yaml_document_t *document, const char *path)
{
	yaml_node_t *node = yaml_document_get_root_node(document);
	unsigned int line = node ? line_of(node) : 0;

	while (node && *path)
		node = step(document, node, &path, &line);
	return line;
}

unsigned int clbd_config_line(const char *text, size_t size, const char *path)
{
	yaml_document_t document;
	yaml_parser_t parser;
	unsigned int line = 0;

	if (!yaml_parser_initialize(&parser))
		return 0;
	yaml_parser_set_input_string(&parser, (const void *)text, size);
	if (yaml_parser_load(&parser, &document)) {
		line = line_in(&document, path);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return line;
}
