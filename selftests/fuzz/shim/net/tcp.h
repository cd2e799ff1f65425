/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_FUZZ_SHIM_TCP_H
#define _CLB_FUZZ_SHIM_TCP_H

#define TCPOPT_EOL 0
#define TCPOPT_NOP 1

#endif /* _CLB_FUZZ_SHIM_TCP_H */
