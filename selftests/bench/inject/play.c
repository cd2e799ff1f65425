// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Packets for the benchmarks
 *
 * Puts packets of many flows into the receive path of a device, as a driver
 * does, and counts what leaves. Both directions of a TCP connection can be
 * played through whatever translates addresses in between: what a server gets
 * is learnt from the packet that leaves for it, and its answers go back from
 * there.
 *
 *	ip link add in0 type inject	a device that frees what it sends
 *	ip link add out0 type inject
 *	echo flows tcp in0 out0 198.19.0.1 203.0.113.1 80 9 \
 *		>/proc/inject
 *	echo learn 1 >/proc/inject
 *	echo run 9 0 1 in:S out:SA in:A >/proc/inject
 *	cat /proc/inject
 *	packets 27 ns 90000 in 9 out 18 gone 0 slices 0 of 0 near 0 0 far 0 0
 *	away 0
 *
 * flows PROTOCOL IN OUT CLIENT VIP PORT N: N flows, from CLIENT and the
 *	addresses behind it, 32768 ports each. Clients are at IN, servers at
 *	OUT. The devices are those of the writer's network namespace.
 * learn 0|1: note where packets to servers go, for answers
 * backlog N: packets take the queue of the processor, netif_rx(), N at a time,
 *	as those do that another processor or a virtual device gives; 0: each
 *	is received before the next is made. Rounds are then of one step
 * profile 0|1: execute the marks that profile-plugin.c waits for
 * slices ROUNDS: take the time in slices of so many rounds and leave out those
 *	in which the processor was slow (slices.c); 0: all in one
 * run ROUNDS FIRST STRIDE STEP...: plays the steps with one flow, then with
 *	the one STRIDE further, modulo N, and so on. A step is a direction, in
 *	(from the client) or out (from the server), and TCP flags, S A P F R;
 *	P carries data. For UDP it is "in:" or "out:" alone.
 *
 * Reading gives the packets of the last run, its time, what left by IN and by
 * OUT, how many network namespaces have gone since the module was loaded, or
 * are about to, and how many slices counted, of how many: if none did, the time
 * is 0, else that of all packets by the median of these slices. Then of slices
 * at any speed how many came after other threads had run, and their time, how
 * many did not, and theirs, and how long the others ran. Frames are of 60
 * bytes, of IPv6 80. UDP over IPv4 has no checksum, everything else has.
 *
 * Parameter pulse: that of a processor at full speed, ns; 0, the default: the
 * shortest of ten seconds, when slices are asked for. It can be read for the
 * next time.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/inet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/vmalloc.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include <net/ip.h>
#include <net/rtnetlink.h>

#include "slices.h"

#define PORTS		32768	/* of one client address */
#define FIRST_PORT	1024
#define DATA		6	/* bytes in a TCP segment that has some */
#define UDP_DATA	18
#define FLOW_SHIFT	8	/* a TCP sequence number tells its flow */
#define BUDGET		64	/* packets between two looks at softirqs */
#define STEPS		16
#define SEARCH_NS	(10 * NSEC_PER_SEC)	/* for the shortest pulse */
#define ADDR(a)		((struct in6_addr) { .s6_addr32 = { a } })

/* IPv4 addresses are in the first word. */
struct tuple {
	struct in6_addr	src;
	struct in6_addr	dst;
	__be16		sport;
	__be16		dport;
};

struct step {
	bool	out;
	u8	flags;		/* as in byte 13 of the TCP header */
	u8	data;
	u8	seq;		/* above the start of the flow's numbers */
	u8	ack_seq;
};

/* The one benchmark that runs, under the mutex. */
static DEFINE_MUTEX(lock);
static struct {
	struct net_device	*dev[2];	/* in, out */
	struct tuple		*answers;	/* of each flow's server */
	struct tuple		first;		/* of flow 0 */
	u32			flows;
	u8			protocol;
	bool			ipv6;
	bool			learn;
	bool			profile;
	u32			backlog;	/* packets; 0: no queue */
	u32			slice;		/* rounds; 0: no slices */
	struct step		steps[STEPS];
	int			nr_steps;
	/* result */
	u64			packets;
	u64			ns;
	u64			sent[2];
	u32			slices;
	u32			slices_counted;
	struct slices_sums	near;
	struct slices_sums	far;
	u64			away;
} bench;

static ulong pulse;
module_param(pulse, ulong, 0400);
MODULE_PARM_DESC(pulse, "Pulse of a processor at full speed, ns");

static atomic_t namespaces_gone;

/* --- devices ------------------------------------------------------------- */

struct inject_dev {
	u64	sent;
};

static bool flow_of(const struct sk_buff *skb, unsigned int thoff, u32 *flow)
{
	const void *data = skb_network_header(skb) + thoff;
	const struct tcphdr *th = data;

	if (bench.protocol == IPPROTO_TCP)
		*flow = ntohl(th->seq) >> FLOW_SHIFT;
	else
		*flow = get_unaligned((u32 *)((const u8 *)data +
				       sizeof(struct udphdr)));
	return *flow < bench.flows;
}

/* The answer to this packet: addresses and ports the other way round. */
static void learn(const struct sk_buff *skb)
{
	unsigned int thoff = bench.ipv6 ? sizeof(struct ipv6hdr) :
					  sizeof(struct iphdr);
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);
	const struct udphdr *ports;
	struct tuple *answer;
	u32 flow;

	if (!flow_of(skb, thoff, &flow))
		return;
	answer = &bench.answers[flow];
	ports = (const void *)(skb_network_header(skb) + thoff);
	answer->src = bench.ipv6 ? ip6h->daddr : ADDR(iph->daddr);
	answer->dst = bench.ipv6 ? ip6h->saddr : ADDR(iph->saddr);
	answer->sport = ports->dest;
	answer->dport = ports->source;
}

/* What the kernel says of its own accord: MLD, neighbour discovery, ARP. */
static bool is_chatter(const struct sk_buff *skb)
{
	u8 protocol;

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		protocol = ip_hdr(skb)->protocol;
		return protocol == IPPROTO_ICMP || protocol == IPPROTO_IGMP;
	case htons(ETH_P_IPV6):
		protocol = ipv6_hdr(skb)->nexthdr;
		return protocol == IPPROTO_ICMPV6 ||
		       protocol == IPPROTO_HOPOPTS;
	}
	return true;
}

static netdev_tx_t inject_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct inject_dev *priv = netdev_priv(dev);

	if (likely(!is_chatter(skb))) {
		priv->sent++;
		if (bench.learn && dev == bench.dev[1])
			learn(skb);
	}
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops inject_ops = {
	.ndo_start_xmit		= inject_xmit,
	.ndo_set_mac_address	= eth_mac_addr,
};

static void inject_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &inject_ops;
	dev->needs_free_netdev = true;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE;
	dev->features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
			 NETIF_F_LLTX;
	eth_hw_addr_random(dev);
}

static struct rtnl_link_ops inject_link_ops = {
	.kind		= "inject",
	.priv_size	= sizeof(struct inject_dev),
	.setup		= inject_setup,
};

static u64 sent(int i)
{
	const struct inject_dev *priv = netdev_priv(bench.dev[i]);

	return priv->sent;
}

/* --- packets ------------------------------------------------------------- */

static void tuple_of(const struct step *step, u32 flow, struct tuple *tuple)
{
	if (step->out) {
		*tuple = bench.answers[flow];
		return;
	}
	*tuple = bench.first;
	be32_add_cpu(&tuple->src.s6_addr32[bench.ipv6 ? 3 : 0], flow / PORTS);
	tuple->sport = htons(FIRST_PORT + flow % PORTS);
}

static void put_ip(struct sk_buff *skb, const struct tuple *tuple, int len)
{
	struct iphdr *iph = skb_put(skb, sizeof(*iph));

	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.tot_len = htons(sizeof(*iph) + len),
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = bench.protocol,
		.saddr = tuple->src.s6_addr32[0],
		.daddr = tuple->dst.s6_addr32[0],
	};
	iph->check = ip_fast_csum(iph, iph->ihl);
}

static void put_ipv6(struct sk_buff *skb, const struct tuple *tuple, int len)
{
	struct ipv6hdr *ip6h = skb_put(skb, sizeof(*ip6h));

	*ip6h = (struct ipv6hdr) {
		.version = 6,
		.payload_len = htons(len),
		.nexthdr = bench.protocol,
		.hop_limit = 64,
		.saddr = tuple->src,
		.daddr = tuple->dst,
	};
}

static __sum16 checksum(const void *header, const struct tuple *tuple, int len)
{
	__wsum sum = csum_partial(header, len, 0);

	if (bench.ipv6)
		return csum_ipv6_magic(&tuple->src, &tuple->dst, len,
				       bench.protocol, sum);
	return csum_tcpudp_magic(tuple->src.s6_addr32[0],
				 tuple->dst.s6_addr32[0], len, bench.protocol,
				 sum);
}

static void put_udp(struct sk_buff *skb, const struct tuple *tuple, u32 flow)
{
	const int len = sizeof(struct udphdr) + UDP_DATA;
	struct udphdr *uh = skb_put_zero(skb, len);

	uh->source = tuple->sport;
	uh->dest = tuple->dport;
	uh->len = htons(len);
	put_unaligned(flow, (u32 *)(uh + 1));
	if (bench.ipv6)
		uh->check = checksum(uh, tuple, len) ?: CSUM_MANGLED_0;
}

static void put_tcp(struct sk_buff *skb, const struct tuple *tuple, u32 flow,
		    const struct step *step)
{
	const int len = sizeof(struct tcphdr) + step->data;
	struct tcphdr *th = skb_put_zero(skb, len);

	th->source = tuple->sport;
	th->dest = tuple->dport;
	th->seq = htonl((flow << FLOW_SHIFT) + step->seq);
	if (step->flags & 0x10)
		th->ack_seq = htonl((flow << FLOW_SHIFT) + step->ack_seq);
	th->doff = sizeof(*th) / 4;
	((u8 *)th)[13] = step->flags;
	th->window = htons(0x7fff);
	th->check = checksum(th, tuple, len);
}

static struct sk_buff *packet(const struct step *step, u32 flow)
{
	struct net_device *dev = bench.dev[step->out];
	int len = bench.protocol == IPPROTO_TCP ?
		  sizeof(struct tcphdr) + step->data :
		  sizeof(struct udphdr) + UDP_DATA;
	struct sk_buff *skb;
	struct ethhdr *eth;
	struct tuple tuple;

	skb = netdev_alloc_skb_ip_align(dev, 128);
	if (unlikely(!skb))
		return NULL;
	tuple_of(step, flow, &tuple);
	eth = skb_put(skb, sizeof(*eth));
	ether_addr_copy(eth->h_dest, dev->dev_addr);
	eth_zero_addr(eth->h_source);
	eth->h_proto = bench.ipv6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP);
	if (bench.ipv6)
		put_ipv6(skb, &tuple, len);
	else
		put_ip(skb, &tuple, len);
	if (bench.protocol == IPPROTO_TCP)
		put_tcp(skb, &tuple, flow, step);
	else
		put_udp(skb, &tuple, flow);
	skb->protocol = eth_type_trans(skb, dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

/* --- a run --------------------------------------------------------------- */

/* Long no-operations that nothing else has: see profile-plugin.c. */
static noinline void mark(void)
{
#ifdef __x86_64__
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long 0x0b371001" ::: "memory");
#endif
}

static int play_round(u32 flow)
{
	int i;

	for (i = 0; i < bench.nr_steps; i++) {
		struct sk_buff *skb = packet(&bench.steps[i], flow);

		if (!skb)
			return -ENOMEM;
		if (bench.backlog)
			netif_rx(skb);
		else
			netif_receive_skb(skb);
	}
	return 0;
}

/* As a driver's poll function: nobody else runs meanwhile. */
static int play_on(u32 rounds, u32 flow, u32 stride)
{
	int err = 0;
	u32 i;

	local_bh_disable();
	for (i = 0; i < rounds && !err; i++) {
		err = play_round(flow);
		flow += stride;
		if (flow >= bench.flows)
			flow -= bench.flows;
	}
	local_bh_enable();
	return err;
}

static bool backlog_is_empty(void)
{
	struct softnet_data *sd;
	bool empty;

	local_bh_disable();
	sd = this_cpu_ptr(&softnet_data);
	empty = skb_queue_empty_lockless(&sd->input_pkt_queue) &&
		skb_queue_empty(&sd->process_queue);
	local_bh_enable();
	return empty;
}

/* The softirq runs when softirqs are on again, or in its thread. */
static int play_queued(u32 rounds, u32 flow, u32 stride)
{
	u32 left, part;
	int err = 0;

	for (left = rounds; left && !err; left -= part) {
		part = min(left, bench.backlog);
		err = play_on(part, flow, stride);
		flow = (flow + (u64)part * stride) % bench.flows;
		while (!backlog_is_empty())
			cond_resched();
	}
	return err;
}

static int play(u32 rounds, u32 flow, u32 stride)
{
	return bench.backlog ? play_queued(rounds, flow, stride) :
			       play_on(rounds, flow, stride);
}

/* The time of all, had all slices taken what the median of them does. */
static void slices_result(struct slices *slices, u32 rounds)
{
	u32 median = 0;

	bench.slices = slices->nr;
	bench.slices_counted = slices_median(slices, &median);
	bench.ns = div_u64((u64)median * rounds, bench.slice);
	slices_sum(slices, &bench.near, &bench.far);
	bench.away = slices->away;
}

static int play_slices(u32 rounds, u32 flow, u32 stride)
{
	u32 nr = max(rounds / bench.slice, 1U), i;
	struct slices slices;
	int err = slices_init(&slices, nr);

	for (i = 0; i < nr && !err && !signal_pending(current); i++) {
		u32 part = i + 1 < nr ? bench.slice : rounds - i * bench.slice;

		slices_begin(&slices);
		err = play(part, flow, stride);
		slices_end(&slices, pulse);
		if (part != bench.slice)
			slices.nr--;	/* unlike the others */
		flow = (flow + (u64)part * stride) % bench.flows;
	}
	slices_result(&slices, rounds);
	slices_free(&slices);
	return err ?: i < nr ? -EINTR : 0;
}

static int play_batches(u32 rounds, u32 flow, u32 stride)
{
	u32 left, part;
	int err = 0;

	for (left = rounds; left && !err; left -= part) {
		part = min_t(u32, left, BUDGET);
		err = play(part, flow, stride);
		flow = (flow + (u64)part * stride) % bench.flows;
		cond_resched();
		if (signal_pending(current))
			err = -EINTR;
	}
	return err;
}

static int play_at_once(u32 rounds, u32 first, u32 stride)
{
	ktime_t start;
	int err;

	if (bench.profile)
		mark();
	start = ktime_get();
	err = play_batches(rounds, first, stride);
	bench.ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	if (bench.profile)
		mark();
	bench.slices = 0;
	bench.slices_counted = 0;
	bench.near = (struct slices_sums) {};
	bench.far = (struct slices_sums) {};
	bench.away = 0;
	return err;
}

static int run(u32 rounds, u32 first, u32 stride)
{
	u64 before[2];
	int err, i;

	for (i = 0; i < 2; i++) {
		if (!bench.dev[i] || !(bench.dev[i]->flags & IFF_UP))
			return -ENETDOWN;
		before[i] = sent(i);
	}
	if (first >= bench.flows || stride >= bench.flows + !stride)
		return -ERANGE;
	if (bench.slice)
		err = play_slices(rounds, first, stride);
	else
		err = play_at_once(rounds, first, stride);
	bench.packets = (u64)rounds * bench.nr_steps;
	for (i = 0; i < 2; i++)
		bench.sent[i] = sent(i) - before[i];
	return err;
}

/* --- what is written ----------------------------------------------------- */

static u8 tcp_flags(const char *letters)
{
	static const char known[] = "FSRPA";
	const char *at;
	u8 flags = 0;

	for (; *letters; letters++) {
		at = strchr(known, *letters);
		if (at)
			flags |= 1 << (at - known);
	}
	return flags;
}

/* Sequence numbers: 0 is that of a SYN. */
static int parse_steps(char *words)
{
	u8 next[2] = { 1, 1 };
	char *word;

	bench.nr_steps = 0;
	while ((word = strsep(&words, "\n "))) {
		struct step *step = &bench.steps[bench.nr_steps];
		char *flags = strchr(word, ':');

		if (!*word)
			continue;
		if (!flags || bench.nr_steps == STEPS)
			return -EINVAL;
		step->out = *word == 'o';
		step->flags = tcp_flags(flags + 1);
		step->data = step->flags & 0x08 ? DATA : 0;
		if (step->flags & 0x02)
			next[step->out] = 0;
		step->seq = next[step->out];
		step->ack_seq = next[!step->out];
		next[step->out] += step->data + !!(step->flags & 0x03);
		bench.nr_steps++;
	}
	return bench.nr_steps ? 0 : -EINVAL;
}

static int write_run(char *words)
{
	u32 rounds, first, stride;
	int end = 0, err;

	if (sscanf(words, "%u %u %u %n", &rounds, &first, &stride, &end) != 3 ||
	    !end)
		return -EINVAL;
	err = parse_steps(words + end);
	if (!err && bench.backlog && bench.nr_steps > 1)
		err = -EINVAL;	/* an answer is to what has left */
	return err ?: run(rounds, first, stride);
}

static bool parse_address(const char *text, struct in6_addr *addr)
{
	*addr = in6addr_any;
	return bench.ipv6 ? in6_pton(text, -1, (u8 *)addr, -1, NULL) :
			    in4_pton(text, -1, (u8 *)addr, -1, NULL);
}

static void forget(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		dev_put(bench.dev[i]);
		bench.dev[i] = NULL;
	}
	vfree(bench.answers);
	bench.answers = NULL;
	bench.flows = 0;
}

static struct net_device *find_device(const char *name)
{
	struct net_device *dev = dev_get_by_name(current->nsproxy->net_ns,
						 name);

	if (dev && dev->rtnl_link_ops == &inject_link_ops)
		return dev;
	dev_put(dev);
	return NULL;
}

static int write_flows(char *words)
{
	char protocol[4], in[IFNAMSIZ], out[IFNAMSIZ], client[48], vip[48];
	u32 flows;
	u16 port;
	int err;

	if (sscanf(words, "%3s %15s %15s %47s %47s %hu %u", protocol, in, out,
		   client, vip, &port, &flows) != 7)
		return -EINVAL;
	forget();
	bench.protocol = *protocol == 't' ? IPPROTO_TCP : IPPROTO_UDP;
	bench.ipv6 = strchr(vip, ':');
	bench.first.dport = htons(port);
	if (!parse_address(client, &bench.first.src) ||
	    !parse_address(vip, &bench.first.dst))
		return -EINVAL;
	bench.dev[0] = find_device(in);
	bench.dev[1] = find_device(out);
	bench.answers = vzalloc(array_size(flows, sizeof(struct tuple)));
	bench.flows = flows;
	if (bench.dev[0] && bench.dev[1] && bench.answers)
		return 0;
	err = bench.answers ? -ENODEV : -ENOMEM;
	forget();
	return err;
}

static void find_pulse(void)
{
	u64 end = ktime_get_ns() + SEARCH_NS, shortest = U64_MAX;

	while (ktime_get_ns() < end) {
		shortest = min(shortest, slices_pulse());
		cond_resched();
	}
	pulse = shortest;
}

static int write_slices(const char *words)
{
	if (!pulse)
		find_pulse();
	return kstrtou32(words, 10, &bench.slice);
}

static int write_backlog(const char *words)
{
	u32 backlog;
	int err = kstrtou32(words, 10, &backlog);

	if (!err && backlog > BUDGET)
		err = -ERANGE;
	if (!err)
		bench.backlog = backlog;
	return err;
}

static int write_command(char *words)
{
	char *command = strsep(&words, "\n ");

	if (!words)
		return -EINVAL;
	if (!strcmp(command, "flows"))
		return write_flows(words);
	if (!strcmp(command, "run"))
		return write_run(words);
	if (!strcmp(command, "learn"))
		return kstrtobool(words, &bench.learn);
	if (!strcmp(command, "backlog"))
		return write_backlog(words);
	if (!strcmp(command, "profile"))
		return kstrtobool(words, &bench.profile);
	if (!strcmp(command, "slices"))
		return write_slices(words);
	return -EINVAL;
}

static ssize_t inject_write(struct file *file, const char __user *buffer,
			    size_t len, loff_t *pos)
{
	char *words = memdup_user_nul(buffer, min_t(size_t, len, 1024));
	int err;

	if (IS_ERR(words))
		return PTR_ERR(words);
	mutex_lock(&lock);
	err = write_command(words);
	mutex_unlock(&lock);
	kfree(words);
	return err ?: len;
}

static int inject_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&lock);
	seq_printf(seq, "packets %llu ns %llu in %llu out %llu gone %d",
		   bench.packets, bench.ns, bench.sent[0], bench.sent[1],
		   atomic_read(&namespaces_gone));
	seq_printf(seq, " slices %u of %u near %u %llu far %u %llu away %llu\n",
		   bench.slices_counted, bench.slices, bench.near.nr,
		   bench.near.took, bench.far.nr, bench.far.took, bench.away);
	mutex_unlock(&lock);
	return 0;
}

static int inject_open(struct inode *inode, struct file *file)
{
	return single_open(file, inject_show, NULL);
}

static const struct proc_ops inject_proc_ops = {
	.proc_open	= inject_open,
	.proc_read	= seq_read,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
	.proc_write	= inject_write,
};

/* A device that goes is let go. */
static int device_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	mutex_lock(&lock);
	if (dev == bench.dev[0] || dev == bench.dev[1])
		forget();
	mutex_unlock(&lock);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

static void __net_exit inject_net_exit(struct net *net)
{
	atomic_inc(&namespaces_gone);
}

static struct pernet_operations inject_net_ops = {
	.exit = inject_net_exit,
};

static int __init inject_init(void)
{
	int err = rtnl_link_register(&inject_link_ops);

	if (err)
		return err;
	err = register_netdevice_notifier(&device_notifier);
	if (err)
		goto err_link;
	err = register_pernet_subsys(&inject_net_ops);
	if (err)
		goto err_notifier;
	if (proc_create("inject", 0600, NULL, &inject_proc_ops))
		return 0;
	err = -ENOMEM;
	unregister_pernet_subsys(&inject_net_ops);
err_notifier:
	unregister_netdevice_notifier(&device_notifier);
err_link:
	rtnl_link_unregister(&inject_link_ops);
	return err;
}

static void __exit inject_exit(void)
{
	remove_proc_entry("inject", NULL);
	unregister_pernet_subsys(&inject_net_ops);
	rtnl_link_unregister(&inject_link_ops);
	unregister_netdevice_notifier(&device_notifier);
	forget();
}

module_init(inject_init);
module_exit(inject_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Packets for the benchmarks of clb");
