/* SPDX-License-Identifier: MIT */
/*
 * For cppcheck, which does not see the kernel's headers: what looks like no C
 * without them, and what changes the meaning of an argument.
 */
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < 8; (cpu)++)
#define for_each_netdev(net, d) \
	for ((d) = first_netdev(net); (d); (d) = next_netdev(d))
#define for_each_set_bit(bit, addr, size) \
	for ((bit) = 0; (bit) < (size); (bit)++)
#define list_for_each_entry(pos, head, member) \
	for ((pos) = first(head); (pos); (pos) = next(pos))
#define list_for_each_entry_safe(pos, n, head, member) \
	for ((pos) = first(head); (pos) && ((n) = next(pos)); (pos) = (n))
#define hlist_for_each_entry_rcu(pos, head, member) \
	for ((pos) = first(head); (pos); (pos) = next(pos))
#define hlist_for_each_entry_safe(pos, n, head, member) \
	for ((pos) = first(head); (pos) && ((n) = next(pos)); (pos) = cast(n))
#define hlist_for_each_entry(pos, head, member) \
	for ((pos) = first(head); (pos); (pos) = next(pos))
#define nla_for_each_attr(pos, head, len, rem) \
	for ((pos) = (head), (rem) = (len); (rem) > 0; (pos) = next(pos))
#define DEFINE_PER_CPU(type, name) type name
#define __percpu
#define __rcu
#define __force
#define __init
#define __exit
#define __net_init
#define __net_exit
#define __read_mostly
#define __ro_after_init
#define ____cacheline_aligned_in_smp
