// SPDX-License-Identifier: GPL-2.0
/*
 * Makes super-packets that come by a device what one that merges packets (LRO)
 * makes: segments with a size, of a kind that no device can cut up again. For
 * the tests: virtual devices do not merge.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter_netdev.h>
#include <linux/nsproxy.h>
#include <net/net_namespace.h>

static char *device = "";
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "its name in the network namespace of who loads this");

static unsigned int merge(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	if (skb_is_gso(skb)) {
		skb_shinfo(skb)->gso_type = 0;
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
	return NF_ACCEPT;
}

static struct nf_hook_ops ops = {
	.hook = merge,
	.pf = NFPROTO_NETDEV,
	.hooknum = NF_NETDEV_INGRESS,
	.priority = 0,
};

static struct net *net;

static int __init lro_init(void)
{
	int err;

	net = get_net(current->nsproxy->net_ns);
	ops.dev = dev_get_by_name(net, device);
	err = ops.dev ? nf_register_net_hook(net, &ops) : -ENODEV;
	/* it is taken out before the device goes */
	dev_put(ops.dev);
	if (err)
		put_net(net);
	return err;
}

static void __exit lro_exit(void)
{
	nf_unregister_net_hook(net, &ops);
	put_net(net);
}

module_init(lro_init);
module_exit(lro_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("packets as from a device that merges them, for tests");
