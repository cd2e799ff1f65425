// SPDX-License-Identifier: MIT
/* Counters as Prometheus reads them. */
#include "clbd/metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Where the next line goes, and how much room there is. */
struct output {
	char *out;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void line(struct output *output, const char *format, ...)
{
	size_t room = output->used < output->size ? output->size - output->used
						  : 0;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(room ? output->out + output->used : NULL, room, format,
			 args);
	va_end(args);
	if (size > 0)
		output->used += size;
}

static void head(struct output *output, const char *name, const char *text,
		 const char *type)
{
	line(output, "# HELP clbd_%s %s\n# TYPE clbd_%s %s\n", name, text, name,
	     type);
}

static void gauge(struct output *output, const char *name, const char *text,
		  uint64_t value)
{
	head(output, name, text, "gauge");
	line(output, "clbd_%s %" PRIu64 "\n", name, value);
}

/* @labels: in their braces, without the closing one; or nothing */
static void times(struct output *output, const char *name, const char *labels,
		  const struct clbd_times *all)
{
	const char *open = *labels ? labels : "{", *comma = *labels ? "," : "";
	const char *close = *labels ? "}" : "";
	uint64_t count = 0;
	unsigned int i;

	for (i = 0; i < CLBD_TIMES_BUCKETS - 1; i++) {
		unsigned int ms = clbd_times_bounds[i];

		count += all->bucket[i];
		line(output,
		     "clbd_%s_bucket%s%sle=\"%u.%03u\"} %" PRIu64 "\n", name,
		     open, comma, ms / 1000, ms % 1000, count);
	}
	count += all->bucket[i];
	line(output,
	     "clbd_%s_bucket%s%sle=\"+Inf\"} %" PRIu64 "\n"
	     "clbd_%s_count%s%s %" PRIu64 "\n"
	     "clbd_%s_sum%s%s %" PRIu64 ".%03u\n",
	     name, open, comma, count, name, labels, close, count, name,
	     labels, close, all->sum / 1000, (unsigned int)(all->sum % 1000));
}

static void put_totals(struct output *output, const struct clbd_shared *shared)
{
	struct clbd_stats sum = clbd_stats_sum(shared);

	gauge(output, "workers", "processes that serve", shared->workers);
	gauge(output, "servers_down", "servers that checks found down",
	      *shared->servers_down);
	gauge(output, "rule_servers_down",
	      "servers that checks of rules found down",
	      *shared->rule_servers_down);
	gauge(output, "meters_left_out",
	      "listeners and servers that are not counted by themselves",
	      shared->meters->places->left_out);
#define TELL(name, text)                                                       \
	head(output, #name "_total", text, "counter");                         \
	line(output, "clbd_" #name "_total %" PRIu64 "\n", sum.name);
	CLBD_STATS(TELL)
#undef TELL
	head(output, "request_seconds", "how long requests took", "histogram");
	times(output, "request_seconds", "", &sum.times);
}

/* What is told of each place of a kind; a gauge is what began and is not over. */
enum form {
	FORM_COUNTER,
	FORM_OPEN,
	FORM_RESPONSES,
	FORM_TIMES,
};

#define AT(member) offsetof(struct clbd_meter, member)

static const struct {
	enum clbd_meter_kind kind;
	enum form form;
	const char *name;
	const char *text;
	size_t at;
} metrics_told[] = {
	{ CLBD_METER_LISTENER, FORM_COUNTER, "listener_connections_total",
	  "connections of clients accepted", AT(begun) },
	{ CLBD_METER_LISTENER, FORM_OPEN, "listener_connections_open",
	  "connections of clients", 0 },
	{ CLBD_METER_LISTENER, FORM_COUNTER, "listener_requests_total",
	  "requests", AT(requests) },
	{ CLBD_METER_LISTENER, FORM_RESPONSES, "listener_responses_total",
	  "responses by status", 0 },
	{ CLBD_METER_LISTENER, FORM_COUNTER, "listener_failures_total",
	  "requests that had no whole response", AT(failures) },
	{ CLBD_METER_LISTENER, FORM_COUNTER, "listener_received_bytes_total",
	  "bytes of requests", AT(received) },
	{ CLBD_METER_LISTENER, FORM_COUNTER, "listener_sent_bytes_total",
	  "bytes of bodies of responses", AT(sent) },
	{ CLBD_METER_LISTENER, FORM_TIMES, "listener_request_seconds",
	  "from the first byte of a request to the end of its response", 0 },
	{ CLBD_METER_SERVER, FORM_COUNTER, "server_requests_total",
	  "requests that the server was asked", AT(requests) },
	{ CLBD_METER_SERVER, FORM_OPEN, "server_requests_open",
	  "requests that the server has now", 0 },
	{ CLBD_METER_SERVER, FORM_RESPONSES, "server_responses_total",
	  "responses of the server by status", 0 },
	{ CLBD_METER_SERVER, FORM_COUNTER, "server_failures_total",
	  "connections refused and requests without a response", AT(failures) },
	{ CLBD_METER_SERVER, FORM_COUNTER, "server_received_bytes_total",
	  "bytes of bodies of the server's responses", AT(received) },
	{ CLBD_METER_SERVER, FORM_COUNTER, "server_sent_bytes_total",
	  "bytes of bodies of requests", AT(sent) },
	{ CLBD_METER_SERVER, FORM_TIMES, "server_response_seconds",
	  "until the server's response began", 0 },
};

#define COUNT (sizeof(metrics_told) / sizeof(metrics_told[0]))

/* What a label may not hold as it is. */
static void put_escaped(struct output *output, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			line(output, "\\n");
		else if (*text == '"' || *text == '\\')
			line(output, "\\%c", *text);
		else
			line(output, "%c", *text);
	}
}

static void put_labels(struct output *output,
		       const struct clbd_meter_name *name)
{
	line(output, name->kind == CLBD_METER_LISTENER ? "{listener=\""
						       : "{group=\"");
	put_escaped(output, name->first);
	if (name->kind == CLBD_METER_SERVER) {
		line(output, "\",server=\"");
		put_escaped(output, name->second);
	}
	line(output, "\"");
}

static void put_responses(struct output *output, const char *name,
			  const char *labels, const struct clbd_meter *meter)
{
	static const char *const codes[] = {
		"other", "1xx", "2xx", "3xx", "4xx", "5xx",
	};
	unsigned int i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		line(output, "clbd_%s%s,code=\"%s\"} %" PRIu64 "\n", name,
		     labels, codes[i], meter->responses[i]);
}

static void put_place(struct output *output, unsigned int metric,
		      const struct clbd_meters *meters, unsigned int place,
		      const struct clbd_meter_name *meter_name)
{
	const char *name = metrics_told[metric].name;
	struct clbd_meter sum = clbd_meters_sum(meters, place);
	/* Twice as long as names, and then some. */
	char labels[300];
	struct output text = { .out = labels, .size = sizeof(labels) };
	uint64_t value;

	put_labels(&text, meter_name);
	switch (metrics_told[metric].form) {
	case FORM_RESPONSES:
		put_responses(output, name, labels, &sum);
		return;
	case FORM_TIMES:
		times(output, name, labels, &sum.times);
		return;
	case FORM_OPEN:
		value = sum.begun - sum.ended;
		break;
	default:
		value = *(const uint64_t *)((const char *)&sum +
					    metrics_told[metric].at);
	}
	line(output, "clbd_%s%s} %" PRIu64 "\n", name, labels, value);
}

static void put_head(struct output *output, unsigned int metric)
{
	static const char *const types[] = {
		[FORM_COUNTER] = "counter",
		[FORM_OPEN] = "gauge",
		[FORM_RESPONSES] = "counter",
		[FORM_TIMES] = "histogram",
	};

	head(output, metrics_told[metric].name, metrics_told[metric].text,
	     types[metrics_told[metric].form]);
}

/* One place of one metric, before the first of which its head is. */
static void put_next(struct output *output, struct clbd_metrics *metrics,
		     const struct clbd_meters *meters)
{
	unsigned int metric = metrics->metric - 1u;
	size_t count = clbd_meters_count(meters);
	struct clbd_meter_name name;

	if (!metrics->place)
		put_head(output, metric);
	if (metrics->place < count) {
		name = clbd_meters_name(meters, metrics->place);
		if (name.kind == metrics_told[metric].kind)
			put_place(output, metric, meters, metrics->place,
				  &name);
	}
	if (++metrics->place < count)
		return;
	metrics->place = 0;
	metrics->done = metrics->metric++ == COUNT;
}

size_t clbd_metrics_write(struct clbd_metrics *metrics,
			  const struct clbd_shared *shared, char *out,
			  size_t size)
{
	struct output output = { .out = out, .size = size };

	if (!metrics->metric) {
		put_totals(&output, shared);
		metrics->metric = 1;
	}
	/* As long as there is room for any. */
	while (!metrics->done && output.used + CLBD_METRICS_ROOM / 2 < size)
		put_next(&output, metrics, shared->meters);
	return output.used;
}
