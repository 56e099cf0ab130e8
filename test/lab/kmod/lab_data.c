// SPDX-License-Identifier: MIT OR GPL-2.0
/* Lists, hash lists, lock-less lists, red-black trees, a bitmap, per-CPU data and strings. */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/poison.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "lab.h"

DEFINE_PER_CPU(u64, lab_counter);
DEFINE_PER_CPU(struct lab_pcpu, lab_pcpu);

static const unsigned int lab_set_bits[] = { 0, 1, 2, 5, 63, 64, 65, 66, 128, LAB_BITS - 1 };
static struct lab_node *lab_looped[LAB_LOOPED];

static struct lab_node *lab_new_node(const char *prefix, int id)
{
	struct lab_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return NULL;
	node->id = id;
	snprintf(node->name, sizeof(node->name), "%s-%d", prefix, id);
	INIT_LIST_HEAD(&node->link);
	RB_CLEAR_NODE(&node->tree);
	/* Coprime to the count, so that the tree's order is not the list's. */
	node->value = (u64)id * 7 % LAB_NODES;
	return node;
}

static bool lab_node_before(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct lab_node, tree)->value < rb_entry(b, struct lab_node, tree)->value;
}

static int lab_plant_lists(void)
{
	int i;

	INIT_LIST_HEAD(&lab_root.list);
	INIT_LIST_HEAD(&lab_root.list_empty);
	INIT_LIST_HEAD(&lab_root.list_looped);
	INIT_LIST_HEAD(&lab_root.list_poisoned);
	INIT_LIST_HEAD(&lab_root.list_long);
	lab_root.rbtree_cached = RB_ROOT_CACHED;

	for (i = 0; i < LAB_NODES; i++) {
		struct lab_node *node = lab_new_node("node", i);

		if (!node)
			return -ENOMEM;
		lab_root.nodes[i] = node;
		list_add_tail(&node->link, &lab_root.list);
		hlist_add_head(&node->hash, &lab_root.buckets[i % LAB_HASH_BUCKETS]);
		llist_add(&node->lockless, &lab_root.llist);
		rb_add(&node->tree, &lab_root.rbtree, lab_node_before);
	}
	for (i = 0; i < 5; i++) {
		struct lab_node *node = lab_new_node("other", i);

		if (!node)
			return -ENOMEM;
		hlist_add_head(&node->hash, &lab_root.hlist);
		rb_add_cached(&node->tree, &lab_root.rbtree_cached, lab_node_before);
	}
	for (i = 0; i < LAB_LONG; i++) {
		struct lab_node *node = lab_new_node("long", i);

		if (!node)
			return -ENOMEM;
		list_add_tail(&node->link, &lab_root.list_long);
	}
	return 0;
}

/* Two corrupted lists: the last entry points back at the second one; an entry's next is the poison of list_del(). */
static int lab_plant_corruption(void)
{
	int i;

	for (i = 0; i < LAB_LOOPED; i++) {
		lab_looped[i] = lab_new_node("loop", i);
		if (!lab_looped[i])
			return -ENOMEM;
		list_add_tail(&lab_looped[i]->link, &lab_root.list_looped);
	}
	lab_looped[LAB_LOOPED - 1]->link.next = &lab_looped[1]->link;

	for (i = 0; i < 3; i++) {
		struct lab_node *node = lab_new_node("poison", i);

		if (!node)
			return -ENOMEM;
		list_add_tail(&node->link, &lab_root.list_poisoned);
		if (i == 2)
			node->link.next = LIST_POISON1;
	}
	return 0;
}

static int lab_plant_percpu(void)
{
	int cpu;

	lab_root.pcpu = alloc_percpu(struct lab_pcpu);
	if (!lab_root.pcpu)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct lab_pcpu *fixed = per_cpu_ptr(&lab_pcpu, cpu);
		struct lab_pcpu *dynamic = per_cpu_ptr(lab_root.pcpu, cpu);

		per_cpu(lab_counter, cpu) = 1000 + cpu;
		fixed->cpu = cpu;
		snprintf(fixed->name, sizeof(fixed->name), "static-%d", cpu);
		fixed->value = 100 * cpu + 1;
		dynamic->cpu = cpu;
		snprintf(dynamic->name, sizeof(dynamic->name), "dynamic-%d", cpu);
		dynamic->value = 100 * cpu + 2;
	}
	return 0;
}

int lab_data_plant(void)
{
	int i, error;

	error = lab_plant_lists();
	if (!error)
		error = lab_plant_corruption();
	if (!error)
		error = lab_plant_percpu();
	if (error)
		return error;

	for (i = 0; i < ARRAY_SIZE(lab_set_bits); i++)
		set_bit(lab_set_bits[i], lab_root.bits);

	/* The page after a vmalloc area is a guard: a reader that looks for the end of this string faults there. */
	lab_root.unended = vmalloc(PAGE_SIZE);
	lab_root.flex = kzalloc(struct_size(lab_root.flex, items, 3), GFP_KERNEL);
	if (!lab_root.unended || !lab_root.flex)
		return -ENOMEM;
	memset(lab_root.unended, 'A', PAGE_SIZE);
	lab_root.flex->count = 3;
	for (i = 0; i < 3; i++) {
		lab_root.flex->items[i].number = 10 * i + 1;
		lab_root.flex->items[i].letter = 'x' + i;
	}
	return 0;
}

static void lab_report_node(struct seq_file *m, const char *container, int index, const struct lab_node *node)
{
	seq_printf(m, "entry container=%s index=%d address=%px id=%d name=%s value=%llu\n", container, index, node,
		   node->id, node->name, node->value);
}

static void lab_report_list(struct seq_file *m, const char *container, struct list_head *head)
{
	struct lab_node *node;
	int index = 0;

	list_for_each_entry(node, head, link)
		lab_report_node(m, container, index++, node);
	seq_printf(m, "container name=%s kind=list address=%px count=%d\n", container, head, index);
}

static void lab_report_hlist(struct seq_file *m, const char *container, struct hlist_head *head)
{
	struct lab_node *node;
	int index = 0;

	hlist_for_each_entry(node, head, hash)
		lab_report_node(m, container, index++, node);
	seq_printf(m, "container name=%s kind=hlist address=%px count=%d\n", container, head, index);
}

static void lab_report_rbtree(struct seq_file *m, const char *container, struct rb_root *root)
{
	struct rb_node *at;
	int index = 0;

	for (at = rb_first(root); at; at = rb_next(at))
		lab_report_node(m, container, index++, rb_entry(at, struct lab_node, tree));
	seq_printf(m, "container name=%s kind=rbtree address=%px count=%d\n", container, root, index);
}

static void lab_report_pcpu(struct seq_file *m, const char *name, struct lab_pcpu *at)
{
	seq_printf(m, "percpu name=%s cpu=%d address=%px label=%s value=%llu\n", name, at->cpu, at, at->name, at->value);
}

void lab_data_report(struct seq_file *m)
{
	struct lab_node *node;
	int i, cpu, bit;
	char name[16];

	LAB_TYPE(m, struct lab_node);
	LAB_MEMBER(m, struct lab_node, id);
	LAB_MEMBER(m, struct lab_node, name);
	LAB_MEMBER(m, struct lab_node, link);
	LAB_MEMBER(m, struct lab_node, hash);
	LAB_MEMBER(m, struct lab_node, lockless);
	LAB_MEMBER(m, struct lab_node, tree);
	LAB_MEMBER(m, struct lab_node, value);

	lab_report_list(m, "list", &lab_root.list);
	lab_report_list(m, "list_empty", &lab_root.list_empty);
	lab_report_list(m, "list_long", &lab_root.list_long);
	lab_report_hlist(m, "hlist", &lab_root.hlist);
	for (i = 0; i < LAB_HASH_BUCKETS; i++) {
		snprintf(name, sizeof(name), "buckets[%d]", i);
		lab_report_hlist(m, name, &lab_root.buckets[i]);
	}
	i = 0;
	llist_for_each_entry(node, lab_root.llist.first, lockless)
		lab_report_node(m, "llist", i++, node);
	seq_printf(m, "container name=llist kind=llist address=%px count=%d\n", &lab_root.llist, i);
	lab_report_rbtree(m, "rbtree", &lab_root.rbtree);
	lab_report_rbtree(m, "rbtree_cached", &lab_root.rbtree_cached.rb_root);
	lab_report_rbtree(m, "rbtree_empty", &lab_root.rbtree_empty);

	for (i = 0; i < LAB_LOOPED; i++)
		lab_report_node(m, "list_looped", i, lab_looped[i]);
	seq_printf(m, "container name=list_looped kind=list address=%px count=%d loops_to=1\n", &lab_root.list_looped,
		   LAB_LOOPED);
	seq_printf(m, "container name=list_poisoned kind=list address=%px count=3 next=%lx\n", &lab_root.list_poisoned,
		   (unsigned long)LIST_POISON1);

	seq_printf(m, "bitmap name=bits address=%px length=%d set=%*pbl\n", lab_root.bits, LAB_BITS, LAB_BITS,
		   lab_root.bits);
	for_each_set_bit(bit, lab_root.bits, LAB_BITS)
		seq_printf(m, "bit bitmap=bits number=%d\n", bit);
	seq_printf(m, "symbol name=lab_counter kind=percpu address=%lx\n", (unsigned long)&lab_counter);
	seq_printf(m, "symbol name=lab_pcpu kind=percpu address=%lx\n", (unsigned long)&lab_pcpu);
	for_each_possible_cpu(cpu) {
		seq_printf(m, "percpu name=lab_counter cpu=%d address=%px value=%llu\n", cpu,
			   per_cpu_ptr(&lab_counter, cpu), per_cpu(lab_counter, cpu));
		lab_report_pcpu(m, "lab_pcpu", per_cpu_ptr(&lab_pcpu, cpu));
		lab_report_pcpu(m, "lab_root.pcpu", per_cpu_ptr(lab_root.pcpu, cpu));
	}
	seq_printf(m, "string name=unended address=%px length=%lu byte=A\n", lab_root.unended, PAGE_SIZE);
	seq_printf(m, "flex address=%px count=%d\n", lab_root.flex, lab_root.flex->count);
	for (i = 0; i < lab_root.flex->count; i++)
		seq_printf(m, "flex_item index=%d number=%d letter=%c\n", i, lab_root.flex->items[i].number,
			   lab_root.flex->items[i].letter);
}
