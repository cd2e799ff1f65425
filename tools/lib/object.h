/* SPDX-License-Identifier: MIT */
/*
 * The objects of the netlink interface as C structs, and one table of fields
 * for each. Everything that walks an object -- reading and building netlink
 * attributes, the command line, text, JSON -- walks its table, so that a new
 * attribute is one new line in object.c.
 */
#ifndef CLB_LIB_OBJECT_H
#define CLB_LIB_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/clb.h>

#include "address.h"
#include "secret.h"

/*
 * Every struct begins with @present: bit CLB_x_A_y is set where the field of
 * that attribute holds a value. Ports are in host order.
 */
struct clb_listener {
	uint64_t present;
	struct clb_address address;
	uint8_t protocol;
	uint8_t mode;
	uint8_t scheduler;
	uint8_t hash_key;
	uint8_t persistence_prefix;
	uint8_t reset;
	uint8_t acl_mode;
	uint8_t sync;
	uint8_t direct_access;
	uint8_t client_address;
	uint16_t port;
	uint32_t persistence;
	uint32_t timeout_syn;
	uint32_t timeout_established;
	uint32_t timeout_fin;
	uint32_t timeout_udp;
	uint32_t slow_start;
	uint32_t max_sessions;
	uint32_t max_new_sessions;
	uint32_t burst;
	uint32_t servers;
	uint32_t acl_entries;
	uint32_t sessions;
	uint64_t rate;
	uint64_t sessions_total;
	uint64_t in_packets;
	uint64_t in_bytes;
	uint64_t out_packets;
	uint64_t out_bytes;
	uint64_t drops;
};

struct clb_server {
	uint64_t present;
	struct clb_address address;
	uint8_t state;
	uint16_t port;
	uint16_t weight;
	uint32_t drain_timeout;
	uint32_t max_sessions;
	uint32_t active_sessions;
	uint32_t inactive_sessions;
	uint64_t sessions_total;
	uint64_t in_packets;
	uint64_t in_bytes;
	uint64_t out_packets;
	uint64_t out_bytes;
};

struct clb_acl_entry {
	uint64_t present;
	struct clb_address address;
	uint8_t prefix;
};

struct clb_local_address {
	uint64_t present;
	struct clb_address address;
	uint8_t active;
	uint16_t node;
	uint32_t sessions;
};

struct clb_settings {
	uint64_t present;
	uint32_t max_sessions;
	uint8_t fast_path;
};

struct clb_session {
	uint64_t present;
	struct clb_address client_address;
	struct clb_address address;
	struct clb_address local_address;
	struct clb_address server_address;
	uint16_t client_port;
	uint16_t port;
	uint16_t local_port;
	uint16_t server_port;
	uint8_t protocol;
	uint8_t state;
	uint8_t mode;
	uint32_t expires;
};

struct clb_stats {
	uint64_t present;
	uint64_t counters[CLB_STATS_A_MAX + 1]; /* by enum clb_stats_attr */
};

struct clb_sync {
	uint64_t present;
	struct clb_address group;
	uint8_t secret[CLB_SECRET_LENGTH];
	uint8_t ttl;
	uint8_t key_id;
	uint8_t other_key_id;
	uint8_t running;
	uint8_t ready;
	uint16_t node;
	uint16_t port;
	uint16_t mtu;
	uint16_t reorder;
	uint32_t cluster;
	uint32_t interface;
	uint32_t peers;
	uint32_t queue;
	uint64_t epoch;
	uint64_t counters[CLB_SYNC_A_MAX + 1]; /* by enum clb_sync_attr */
};

struct clb_sync_peer {
	uint64_t present;
	struct clb_address address;
	uint8_t alive;
	uint8_t ready;
	uint8_t key_id;
	uint16_t node;
	uint32_t heard;
	uint32_t sessions;
	uint32_t gaps;
	uint64_t epoch;
	uint64_t sequence;
	uint64_t lag;
	uint64_t counters[CLB_SYNC_PEER_A_MAX + 1]; /* by enum
						     * clb_sync_peer_attr */
};

enum clb_type {
	CLB_TYPE_U8,
	CLB_TYPE_U16,
	CLB_TYPE_U32,
	CLB_TYPE_U64,
	CLB_TYPE_PORT, /* uint16_t; network order on the wire */
	CLB_TYPE_ADDRESS, /* struct clb_address */
	CLB_TYPE_SECRET, /* uint8_t[CLB_SECRET_LENGTH]; in requests alone */
};

enum clb_format {
	CLB_FORMAT_NUMBER,
	CLB_FORMAT_SCALED, /* k, m, g */
	CLB_FORMAT_NAME, /* one of @names */
	CLB_FORMAT_SWITCH, /* on, off */
	CLB_FORMAT_ADDRESS,
	CLB_FORMAT_INTERFACE, /* name of a network device */
	CLB_FORMAT_SECRET, /* name of a file */
};

enum clb_role {
	CLB_ROLE_KEY, /* names the object */
	CLB_ROLE_OPTION, /* the user may set it */
	CLB_ROLE_OUTPUT,
};

/* Default of a prefix length: 32 or 128 by the family of the object. */
#define CLB_DEFAULT_LONGEST UINT64_MAX

/**
 * struct clb_field - one attribute of an object
 * @name: keyword on the command line; in JSON with underscores
 * @what: placeholder for the value in error messages, e.g. "SECONDS"
 * @attr: netlink attribute
 * @offset: of the value in the object's struct
 * @names: for CLB_FORMAT_NAME: names by value, NULL where there is none
 * @n_names: size of @names
 * @initial: default of an option
 */
struct clb_field {
	const char *name;
	const char *what;
	uint16_t attr;
	uint16_t offset;
	enum clb_type type;
	enum clb_format format;
	enum clb_role role;
	const char *const *names;
	size_t n_names;
	uint64_t initial;
};

/**
 * struct clb_object - a kind of object
 * @name: its word in the interface
 * @attr: top-level attribute (enum clb_attr) it is nested in
 * @size: of its struct
 * @fields: its fields in the order in which they are shown
 * @n_fields: size of @fields
 */
struct clb_object {
	const char *name;
	uint16_t attr;
	size_t size;
	const struct clb_field *fields;
	size_t n_fields;
};

extern const struct clb_object clb_listener_object;
extern const struct clb_object clb_server_object;
extern const struct clb_object clb_acl_entry_object;
extern const struct clb_object clb_local_address_object;
extern const struct clb_object clb_settings_object;
extern const struct clb_object clb_session_object;
extern const struct clb_object clb_stats_object;
extern const struct clb_object clb_sync_object;
extern const struct clb_object clb_sync_peer_object;

/* Return: the object nested in @attr (enum clb_attr), or NULL */
const struct clb_object *clb_object_find(uint16_t attr);

/* Return: the field of netlink attribute @attr, or NULL */
const struct clb_field *clb_field_find(const struct clb_object *object,
				       uint16_t attr);

/* Return: the field called @name, or NULL */
const struct clb_field *clb_field_find_name(const struct clb_object *object,
					    const char *name);

bool clb_field_present(const struct clb_field *field, const void *object);

/* The bit of the field in @present, with which every object begins. */
static inline void clb_field_mark(const struct clb_field *field, void *object)
{
	*(uint64_t *)object |= 1ULL << field->attr;
}

/* The value of a number field, 0 where it is not present. */
uint64_t clb_field_get(const struct clb_field *field, const void *object);

/* The value of an address field, of length 0 where it is not present. */
const struct clb_address *clb_field_address(const struct clb_field *field,
					    const void *object);

/* Stores a value and marks the field present. */
void clb_field_set(const struct clb_field *field, void *object, uint64_t value);
void clb_field_set_address(const struct clb_field *field, void *object,
			   const struct clb_address *address);

/* Largest value the netlink attribute holds. */
uint64_t clb_field_max(const struct clb_field *field);

/* Return: the name of @value, or NULL */
const char *clb_field_value_name(const struct clb_field *field, uint64_t value);

/**
 * clb_field_parse() - read the text of a value
 * @field: of any format
 * @text: as a person writes it
 * @object: where it goes; untouched on failure
 *
 * Return: 0, -EINVAL: no such value, -ERANGE: the attribute cannot hold it, or
 * the error of reading a file
 */
int clb_field_parse(const struct clb_field *field, const char *text,
		    void *object);

/* Writes the value as clb_field_parse() reads it. */
void clb_field_format(const struct clb_field *field, const void *object,
		      char text[CLB_ADDRESS_TEXT]);

#endif /* CLB_LIB_OBJECT_H */
