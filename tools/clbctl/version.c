// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "clbctl.h"
#include "format.h"

#define MODULE_VERSION_FILE "/sys/module/clb/version"

/* Return: whether the module is there and says its version */
static bool module_version(char *text, size_t size)
{
	FILE *file = fopen(MODULE_VERSION_FILE, "re");
	bool found;

	if (!file)
		return false;
	found = fgets(text, size, file);
	if (found)
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
	return found;
}

static void print_json(const char *module, unsigned int family)
{
	json_t *json = json_pack("{s:s, s:s?, s:o}", "clbctl", CLB_VERSION,
				 "module", module, "family",
				 family ? json_integer(family) : json_null());

	clb_json_print(json);
}

static int run(struct clb_context *context, struct clb_args *args)
{
	unsigned int family = 0;
	struct clb_error error;
	char text[64];
	bool module;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	module = module_version(text, sizeof(text));
	if (!clb_client_open(&context->client, &error))
		family = clb_client_version(context->client);
	if (context->json) {
		print_json(module ? text : NULL, family);
		return CLB_EXIT_OK;
	}
	printf("clbctl %s\n", CLB_VERSION);
	if (module)
		printf("module %s\n", text);
	if (family)
		printf("netlink family version %u\n", family);
	else
		printf("%s\n", error.message);
	return CLB_EXIT_OK;
}

const struct clb_verb clb_verb_version = {
	.name = "version",
	.summary = "versions of clbctl, the module and the netlink family",
	.itself = { .run = run },
	.help =
"usage: clbctl version\n"
"\n"
"Versions of clbctl and, where it is loaded, of the module and of its netlink\n"
"family.\n",
};
