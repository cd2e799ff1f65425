/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the decoders of kmod need of the kernel beyond its uapi headers, for user
 * space. Included before everything else.
 */
#ifndef _CLB_FUZZ_SHIM_KERNEL_H
#define _CLB_FUZZ_SHIM_KERNEL_H

#include <arpa/inet.h>
#include <endian.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define __force
#define likely(x) (x)
#define unlikely(x) (x)
#define BITS_PER_BYTE 8
#define cpu_to_be64 htobe64
#define WRITE_ONCE(x, val) ((x) = (val))

#endif /* _CLB_FUZZ_SHIM_KERNEL_H */
