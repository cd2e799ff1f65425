// SPDX-License-Identifier: MIT
/* The keys of the configuration. clbd.conf(5) says what they mean. */
#include "clbd/schema.h"

#include "clbd/balance.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OPTIONAL CYAML_FLAG_OPTIONAL

#define TEXT(key, flags, type, member, max)                                    \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), type, member, \
			       1, max)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, OPTIONAL, type, member)

static const cyaml_strval_t schedulers[] = {
	{ "wrr", CLBD_SCHEDULER_WRR },
	{ "rr", CLBD_SCHEDULER_RR },
	{ "wlc", CLBD_SCHEDULER_WLC },
	{ "hash", CLBD_SCHEDULER_HASH },
};

static const cyaml_strval_t hashes[] = {
	{ "source", CLBD_CONFIG_HASH_SOURCE },
	{ "url", CLBD_CONFIG_HASH_URL },
};

static const cyaml_strval_t headers[] = {
	{ "proto", CLBD_CONFIG_HEADER_PROTO },
	{ "port", CLBD_CONFIG_HEADER_PORT },
	{ "client-port", CLBD_CONFIG_HEADER_CLIENT_PORT },
	{ "listener-name", CLBD_CONFIG_HEADER_LISTENER_NAME },
	{ "listener-address", CLBD_CONFIG_HEADER_LISTENER_ADDRESS },
};

static const cyaml_schema_field_t server_fields[] = {
	TEXT("address", 0, struct clbd_config_server, address, 63),
	CYAML_FIELD_UINT_PTR("weight", OPTIONAL | CYAML_FLAG_POINTER,
			     struct clbd_config_server, weight),
	NUMBER("max-connections", struct clbd_config_server, max_connections),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t server_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct clbd_config_server,
			    server_fields),
};

static const cyaml_strval_t check_types[] = {
	{ "tcp", CLBD_CONFIG_CHECK_TCP },
	{ "http", CLBD_CONFIG_CHECK_HTTP },
};

static const cyaml_strval_t check_methods[] = {
	{ "head", CLBD_CONFIG_CHECK_HEAD },
	{ "get", CLBD_CONFIG_CHECK_GET },
};

static const cyaml_strval_t expectations[] = {
	{ "2xx", CLBD_CONFIG_EXPECT_2XX },
	{ "3xx", CLBD_CONFIG_EXPECT_3XX },
	{ "4xx", CLBD_CONFIG_EXPECT_4XX },
	{ "5xx", CLBD_CONFIG_EXPECT_5XX },
};

static const cyaml_schema_field_t check_fields[] = {
	CYAML_FIELD_ENUM("type", OPTIONAL | CYAML_FLAG_STRICT,
			 struct clbd_config_check, type, check_types,
			 COUNT(check_types)),
	NUMBER("interval", struct clbd_config_check, interval),
	NUMBER("timeout", struct clbd_config_check, timeout),
	NUMBER("rise", struct clbd_config_check, rise),
	NUMBER("fall", struct clbd_config_check, fall),
	NUMBER("port", struct clbd_config_check, port),
	CYAML_FIELD_ENUM("method", OPTIONAL | CYAML_FLAG_STRICT,
			 struct clbd_config_check, method, check_methods,
			 COUNT(check_methods)),
	TEXT("url", OPTIONAL, struct clbd_config_check, url, 1024),
	TEXT("host", OPTIONAL, struct clbd_config_check, host, 253),
	CYAML_FIELD_FLAGS_PTR("expect",
			      OPTIONAL | CYAML_FLAG_STRICT | CYAML_FLAG_POINTER,
			      struct clbd_config_check, expect, expectations,
			      COUNT(expectations)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t group_fields[] = {
	TEXT("name", 0, struct clbd_config_group, name, 63),
	CYAML_FIELD_ENUM("scheduler", OPTIONAL | CYAML_FLAG_STRICT,
			 struct clbd_config_group, scheduler, schedulers,
			 COUNT(schedulers)),
	CYAML_FIELD_ENUM("hash", OPTIONAL | CYAML_FLAG_STRICT,
			 struct clbd_config_group, hash, hashes, COUNT(hashes)),
	CYAML_FIELD_UINT_PTR("keepalive", OPTIONAL | CYAML_FLAG_POINTER,
			     struct clbd_config_group, keepalive),
	NUMBER("keepalive-timeout", struct clbd_config_group,
	       keepalive_timeout),
	CYAML_FIELD_MAPPING_PTR("check", OPTIONAL | CYAML_FLAG_POINTER,
				struct clbd_config_group, check, check_fields),
	TEXT("cookie", OPTIONAL, struct clbd_config_group, cookie, 63),
	NUMBER("cookie-lifetime", struct clbd_config_group, cookie_lifetime),
	TEXT("server-cookie", OPTIONAL, struct clbd_config_group,
	     server_cookie, 63),
	CYAML_FIELD_UINT_PTR("eject-after", OPTIONAL | CYAML_FLAG_POINTER,
			     struct clbd_config_group, eject_after),
	NUMBER("eject-time", struct clbd_config_group, eject_time),
	NUMBER("slow-start", struct clbd_config_group, slow_start),
	NUMBER("queue", struct clbd_config_group, queue),
	NUMBER("queue-timeout", struct clbd_config_group, queue_timeout),
	CYAML_FIELD_SEQUENCE_COUNT("servers", CYAML_FLAG_POINTER,
				   struct clbd_config_group, servers,
				   server_count, &server_schema, 1, 1000),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t group_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct clbd_config_group,
			    group_fields),
};

static const cyaml_schema_field_t rule_fields[] = {
	TEXT("domain", OPTIONAL, struct clbd_config_rule, domain, 253),
	TEXT("url", OPTIONAL, struct clbd_config_rule, url, 1024),
	TEXT("group", OPTIONAL, struct clbd_config_rule, group, 63),
	TEXT("redirect", OPTIONAL, struct clbd_config_rule, redirect, 1024),
	NUMBER("redirect-code", struct clbd_config_rule, redirect_code),
	NUMBER("rate", struct clbd_config_rule, rate),
	NUMBER("burst", struct clbd_config_rule, burst),
	CYAML_FIELD_ENUM_PTR("scheduler",
			     OPTIONAL | CYAML_FLAG_STRICT | CYAML_FLAG_POINTER,
			     struct clbd_config_rule, scheduler, schedulers,
			     COUNT(schedulers)),
	CYAML_FIELD_ENUM_PTR("hash",
			     OPTIONAL | CYAML_FLAG_STRICT | CYAML_FLAG_POINTER,
			     struct clbd_config_rule, hash, hashes,
			     COUNT(hashes)),
	TEXT("cookie", OPTIONAL, struct clbd_config_rule, cookie, 63),
	CYAML_FIELD_UINT_PTR("cookie-lifetime", OPTIONAL | CYAML_FLAG_POINTER,
			     struct clbd_config_rule, cookie_lifetime),
	CYAML_FIELD_MAPPING_PTR("check", OPTIONAL | CYAML_FLAG_POINTER,
				struct clbd_config_rule, check, check_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t rule_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct clbd_config_rule,
			    rule_fields),
};

static const cyaml_schema_field_t patience_fields[] = {
	NUMBER("idle", struct clbd_config_patience, idle),
	NUMBER("request", struct clbd_config_patience, request),
	NUMBER("tunnel", struct clbd_config_patience, tunnel),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t listener_limits[] = {
	NUMBER("body", struct clbd_config_listener_limits, body),
	NUMBER("rate", struct clbd_config_listener_limits, rate),
	NUMBER("burst", struct clbd_config_listener_limits, burst),
	NUMBER("streams", struct clbd_config_listener_limits, streams),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t page_fields[] = {
	CYAML_FIELD_UINT("status", 0, struct clbd_config_page, status),
	TEXT("file", 0, struct clbd_config_page, file, 4095),
	TEXT("type", OPTIONAL, struct clbd_config_page, type, 127),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t page_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct clbd_config_page,
			    page_fields),
};

static const cyaml_schema_value_t type_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 127),
};

static const cyaml_schema_field_t gzip_fields[] = {
	NUMBER("level", struct clbd_config_gzip, level),
	CYAML_FIELD_UINT_PTR("minimum", OPTIONAL | CYAML_FLAG_POINTER,
			     struct clbd_config_gzip, minimum),
	CYAML_FIELD_SEQUENCE_COUNT("types", OPTIONAL | CYAML_FLAG_POINTER,
				   struct clbd_config_gzip, types, type_count,
				   &type_schema, 1, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t prefix_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 63),
};

static const cyaml_schema_field_t listener_fields[] = {
	TEXT("name", 0, struct clbd_config_listener, name, 63),
	TEXT("address", 0, struct clbd_config_listener, address, 63),
	TEXT("group", OPTIONAL, struct clbd_config_listener, group, 63),
	TEXT("redirect", OPTIONAL, struct clbd_config_listener, redirect,
	     1024),
	NUMBER("redirect-code", struct clbd_config_listener, redirect_code),
	CYAML_FIELD_BOOL("metrics", OPTIONAL, struct clbd_config_listener,
			 metrics),
	CYAML_FIELD_BOOL("http2", OPTIONAL, struct clbd_config_listener, http2),
	CYAML_FIELD_MAPPING("timeouts", OPTIONAL, struct clbd_config_listener,
			    timeouts, patience_fields),
	CYAML_FIELD_MAPPING("limits", OPTIONAL, struct clbd_config_listener,
			    limits, listener_limits),
	CYAML_FIELD_MAPPING_PTR("gzip", OPTIONAL | CYAML_FLAG_POINTER,
				struct clbd_config_listener, gzip, gzip_fields),
	CYAML_FIELD_SEQUENCE_COUNT("error-pages",
				   OPTIONAL | CYAML_FLAG_POINTER,
				   struct clbd_config_listener, pages,
				   page_count, &page_schema, 0, 32),
	CYAML_FIELD_FLAGS_PTR("headers",
			      OPTIONAL | CYAML_FLAG_STRICT | CYAML_FLAG_POINTER,
			      struct clbd_config_listener, headers, headers,
			      COUNT(headers)),
	CYAML_FIELD_SEQUENCE_COUNT("proxy-from", OPTIONAL | CYAML_FLAG_POINTER,
				   struct clbd_config_listener, proxy_from,
				   proxy_from_count, &prefix_schema, 0, 64),
	CYAML_FIELD_SEQUENCE_COUNT("client-address-from",
				   OPTIONAL | CYAML_FLAG_POINTER,
				   struct clbd_config_listener,
				   client_address_from,
				   client_address_from_count, &prefix_schema,
				   0, 256),
	CYAML_FIELD_SEQUENCE_COUNT("rules", OPTIONAL | CYAML_FLAG_POINTER,
				   struct clbd_config_listener, rules,
				   rule_count, &rule_schema, 0, 100000),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t listener_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct clbd_config_listener,
			    listener_fields),
};

static const cyaml_schema_field_t limits[] = {
	NUMBER("connections", struct clbd_config_limits, connections),
	NUMBER("head", struct clbd_config_limits, head),
	CYAML_FIELD_END,
};

static const cyaml_strval_t formats[] = {
	{ "rfc3164", CLBD_CONFIG_SYSLOG_RFC3164 },
	{ "rfc5424", CLBD_CONFIG_SYSLOG_RFC5424 },
};

/* As RFC 5424 numbers them. */
static const cyaml_strval_t facilities[] = {
	{ "user", 1 },	  { "daemon", 3 },  { "local0", 16 },
	{ "local1", 17 }, { "local2", 18 }, { "local3", 19 },
	{ "local4", 20 }, { "local5", 21 }, { "local6", 22 },
	{ "local7", 23 },
};

static const cyaml_schema_field_t syslog_fields[] = {
	CYAML_FIELD_ENUM("format", OPTIONAL | CYAML_FLAG_STRICT,
			 struct clbd_config_syslog, format, formats,
			 COUNT(formats)),
	CYAML_FIELD_ENUM("facility", OPTIONAL | CYAML_FLAG_STRICT,
			 struct clbd_config_syslog, facility, facilities,
			 COUNT(facilities)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t timeouts[] = {
	NUMBER("connect", struct clbd_config_timeouts, connect),
	NUMBER("stop", struct clbd_config_timeouts, stop),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
	TEXT("user", OPTIONAL, struct clbd_config, user, 32),
	NUMBER("workers", struct clbd_config, workers),
	CYAML_FIELD_MAPPING("limits", OPTIONAL, struct clbd_config, limits,
			    limits),
	CYAML_FIELD_MAPPING("timeouts", OPTIONAL, struct clbd_config, timeouts,
			    timeouts),
	TEXT("secret", OPTIONAL, struct clbd_config, secret, 1023),
	TEXT("control", OPTIONAL, struct clbd_config, control, 90),
	TEXT("log", OPTIONAL, struct clbd_config, log, 4095),
	CYAML_FIELD_MAPPING("syslog", OPTIONAL, struct clbd_config, syslog,
			    syslog_fields),
	CYAML_FIELD_SEQUENCE_COUNT("groups", CYAML_FLAG_POINTER,
				   struct clbd_config, groups, group_count,
				   &group_schema, 1, 100000),
	CYAML_FIELD_SEQUENCE_COUNT("listeners", CYAML_FLAG_POINTER,
				   struct clbd_config, listeners, listener_count,
				   &listener_schema, 1, 64),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t clbd_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct clbd_config, fields),
};
