/* SPDX-License-Identifier: MIT */
/* The process that checks whether servers are well. */
#ifndef CLBD_HEALTH_H
#define CLBD_HEALTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Takes configurations from the parent, with those servers that are down,
 * checks servers, and tells the parent which of them came up or went down. Ends
 * when told to stop, or with the parent. Return: exit status
 */
int clbd_health_run(int control);

/*
 * The status in the first bytes of a response. Pure.
 * Return: 100 to 599; 0: more bytes are needed; -1: it is no response
 */
int clbd_health_status(const char *data, size_t size);

#endif /* CLBD_HEALTH_H */
