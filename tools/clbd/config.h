/* SPDX-License-Identifier: MIT */
/* The configuration, as clbd.conf(5) has it: one struct for each mapping. */
#ifndef CLBD_CONFIG_H
#define CLBD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/address.h"

struct clbd_config_server {
	char *address;
	uint32_t *weight; /* NULL: 100 */
	uint32_t max_connections; /* of all workers; 0: no limit */
};

enum {
	CLBD_CONFIG_CHECK_TCP,
	CLBD_CONFIG_CHECK_HTTP,
};

enum {
	CLBD_CONFIG_CHECK_HEAD,
	CLBD_CONFIG_CHECK_GET,
};

/* By the first digit of the status. */
enum {
	CLBD_CONFIG_EXPECT_2XX = 1 << 2,
	CLBD_CONFIG_EXPECT_3XX = 1 << 3,
	CLBD_CONFIG_EXPECT_4XX = 1 << 4,
	CLBD_CONFIG_EXPECT_5XX = 1 << 5,
};

/**
 * struct clbd_config_check - how servers are checked
 * @id: made of all that follows: equal checks have the same
 */
struct clbd_config_check {
	uint64_t id;
	uint32_t type;
	uint32_t interval; /* s; 2 */
	uint32_t timeout; /* s; 5 */
	uint32_t rise; /* 3 */
	uint32_t fall; /* 3 */
	uint32_t port; /* 0: the server's */
	uint32_t method;
	char *url; /* NULL: / */
	char *host; /* NULL: the server's address */
	uint32_t *expect; /* NULL: 2xx */
};

struct clbd_config_group {
	char *name;
	uint32_t scheduler; /* enum clbd_scheduler */
	uint32_t hash; /* enum clbd_config_hash */
	uint32_t *keepalive; /* idle upstreams of a server; NULL: 64 */
	uint32_t keepalive_timeout; /* s; 0: 30 */
	struct clbd_config_check *check; /* NULL: none */
	char *cookie; /* NULL: no stickiness */
	uint32_t cookie_lifetime; /* s; 0: as long as the client lives */
	char *server_cookie; /* that of the servers; NULL: none */
	uint32_t *eject_after; /* failures in a row; NULL: 3; 0: never */
	uint32_t eject_time; /* s; 0: 10 */
	uint32_t slow_start; /* s; 0: none */
	uint32_t queue; /* requests that wait, of all workers */
	uint32_t queue_timeout; /* s; 0: 10 */
	struct clbd_config_server *servers;
	uint32_t server_count;
};

/* What the scheduler "hash" goes by. */
enum clbd_config_hash {
	CLBD_CONFIG_HASH_SOURCE,
	CLBD_CONFIG_HASH_URL,
};

struct clbd_config_rule {
	char *domain; /* NULL: any */
	char *url; /* NULL: any */
	char *group; /* this, or */
	char *redirect;
	uint32_t redirect_code; /* 0: 301 */
	uint32_t rate; /* requests a second; 0: no limit */
	uint32_t burst; /* requests at once; 0: as @rate */
	uint32_t *scheduler; /* these are the group's, where NULL */
	uint32_t *hash;
	char *cookie;
	uint32_t *cookie_lifetime;
	struct clbd_config_check *check;
};

/* Fields a listener adds beside X-Forwarded-For. */
enum {
	CLBD_CONFIG_HEADER_PROTO = 1 << 0,
	CLBD_CONFIG_HEADER_PORT = 1 << 1,
	CLBD_CONFIG_HEADER_CLIENT_PORT = 1 << 2,
	CLBD_CONFIG_HEADER_LISTENER_NAME = 1 << 3,
	CLBD_CONFIG_HEADER_LISTENER_ADDRESS = 1 << 4,
};

/* Seconds; 0: the default */
struct clbd_config_patience {
	uint32_t idle; /* 15 */
	uint32_t request; /* 60 */
	uint32_t tunnel; /* 900 */
};

struct clbd_config_listener_limits {
	uint64_t body; /* bytes; 0: without limit */
	uint32_t rate; /* requests a second; 0: no limit */
	uint32_t burst; /* requests at once; 0: as @rate */
	uint32_t streams; /* of a connection of HTTP/2; 0: 100 */
};

struct clbd_config_page {
	uint32_t status;
	char *file;
	char *type; /* NULL: HTML */
};

struct clbd_config_gzip {
	uint32_t level; /* 0: 1 */
	uint32_t *minimum; /* bytes; NULL: 1024 */
	char **types; /* NULL: those of coding.c */
	uint32_t type_count;
};

struct clbd_config_listener {
	char *name;
	char *address;
	char *group; /* for what no rule fits: this, or */
	char *redirect; /* with $host and $uri */
	uint32_t redirect_code; /* 0: 301 */
	bool metrics; /* instead of a group */
	bool http2; /* in clear text, by prior knowledge */
	struct clbd_config_patience timeouts;
	struct clbd_config_listener_limits limits;
	struct clbd_config_gzip *gzip; /* NULL: none */
	struct clbd_config_page *pages; /* of errors */
	uint32_t page_count;
	uint32_t *headers; /* NULL: proto and port */
	char **proxy_from; /* prefixes */
	uint32_t proxy_from_count;
	char **client_address_from; /* prefixes */
	uint32_t client_address_from_count;
	struct clbd_config_rule *rules;
	uint32_t rule_count;
};

enum {
	CLBD_CONFIG_SYSLOG_RFC3164,
	CLBD_CONFIG_SYSLOG_RFC5424,
};

struct clbd_config_syslog {
	uint32_t format;
	uint32_t facility; /* 0: local0 */
};

struct clbd_config_limits {
	uint32_t connections; /* in a worker; 0: 20000 */
	uint32_t head; /* bytes; 0: the most there is room for */
};

struct clbd_config_timeouts {
	uint32_t connect; /* s; 0: 5 */
	uint32_t stop; /* s; 0: 30 */
};

struct clbd_config {
	char *user; /* NULL: nobody, where clbd is started by root */
	uint32_t workers; /* 0: one for each processor */
	struct clbd_config_limits limits;
	struct clbd_config_timeouts timeouts;
	char *secret; /* for cookies */
	char *control; /* path of the control socket; NULL: none */
	char *log; /* a file, "-" or "syslog:SOCKET"; NULL: none */
	struct clbd_config_syslog syslog;
	struct clbd_config_group *groups;
	uint32_t group_count;
	struct clbd_config_listener *listeners;
	uint32_t listener_count;
};

#define CLBD_CONFIG_HEAD_MAX (15 * 1024)
#define CLBD_CONFIG_ERROR 512

/**
 * clbd_config_read() - read a configuration from memory
 * @name: of the file, for messages
 * @text: the YAML
 * @size: its bytes
 * @config: the result; untouched on failure
 * @error: "FILE:LINE: PATH: what is wrong"
 *
 * Return: 0, -EINVAL or -ENOMEM
 */
int clbd_config_read(const char *name, const char *text, size_t size,
		     struct clbd_config **config,
		     char error[CLBD_CONFIG_ERROR]);
/* The same from a file that the parent has checked. NULL: no memory */
struct clbd_config *clbd_config_map(int file);
void clbd_config_free(struct clbd_config *config);

/* Whether a rule has a choice of servers other than its group's. */
bool clbd_config_is_own(const struct clbd_config_rule *rule);

/* The address of a checked configuration, as a socket takes it. */
socklen_t clbd_config_address(const char *text, struct sockaddr_storage *out);

#endif /* CLBD_CONFIG_H */
