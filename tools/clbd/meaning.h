/* SPDX-License-Identifier: MIT */
/* What a head means, once it is well formed: the second half of head.c. */
#ifndef CLBD_MEANING_H
#define CLBD_MEANING_H

#include "clbd/head.h"

/* Return: CLBD_BAD, for a caller to return it */
enum clbd_result clbd_head_refuse(struct clbd_head *head, uint16_t status,
				  const char *reason);

/* Return: CLBD_DONE or CLBD_BAD */
enum clbd_result clbd_head_judge(struct clbd_head *head, const char *data);

#endif /* CLBD_MEANING_H */
