/* SPDX-License-Identifier: MIT */
#ifndef CLB_CLBCTL_FILTER_H
#define CLB_CLBCTL_FILTER_H

#include "args.h"

/**
 * clb_filter_parse() - read which sessions are meant
 * @args: [listener KEY] [server SERVER] [client ADDRESS[:PORT]] [state NAME]
 * @message: what is given is added to it
 *
 * Return: 0 or -EINVAL with args->error set
 */
int clb_filter_parse(struct clb_args *args, struct clb_message *message);

#endif /* CLB_CLBCTL_FILTER_H */
