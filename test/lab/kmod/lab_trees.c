// SPDX-License-Identifier: MIT OR GPL-2.0
/* XArrays, a radix tree, IDRs, an IDA and maple trees, each from empty and single-entry to several levels. */
#include <linux/kernel.h>
#include <linux/slab.h>

#include "lab.h"

static const unsigned long lab_sparse[] = {
	0, 1, 63, 64, 4095, 4096, 262144, 1UL << 24, 1UL << 40, (1UL << 62) + 5, ULONG_MAX,
};
static const int lab_ida_ids[] = { 0, 1, 2, 3, 61, 62, 63, 64, 100, 1023, 1024, 1500, 5000 };

#define LAB_MT_RANGES 300

static void *lab_node_at(int i)
{
	return lab_root.nodes[i % LAB_NODES];
}

static int lab_plant_xarrays(void)
{
	int i;

	xa_init(&lab_root.xa_empty);
	xa_init(&lab_root.xa_single);
	xa_init(&lab_root.xa_small);
	xa_init(&lab_root.xa_sparse);
	xa_init(&lab_root.xa_multi);
	if (xa_is_err(xa_store(&lab_root.xa_single, 0, lab_node_at(0), GFP_KERNEL)))
		return -ENOMEM;
	for (i = 0; i < 10; i++)
		if (xa_is_err(xa_store(&lab_root.xa_small, i, lab_node_at(i), GFP_KERNEL)))
			return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(lab_sparse); i++) {
		/* Every third entry is a value, not a pointer. */
		void *entry = i % 3 == 2 ? xa_mk_value(1000 + i) : lab_node_at(i);

		if (xa_is_err(xa_store(&lab_root.xa_sparse, lab_sparse[i], entry, GFP_KERNEL)))
			return -ENOMEM;
	}
	xa_set_mark(&lab_root.xa_sparse, 63, XA_MARK_1);
#ifdef CONFIG_XARRAY_MULTI
	if (xa_is_err(xa_store_range(&lab_root.xa_multi, 512, 1023, lab_node_at(3), GFP_KERNEL)))
		return -ENOMEM;
	if (xa_is_err(xa_store_range(&lab_root.xa_multi, 8, 15, lab_node_at(4), GFP_KERNEL)))
		return -ENOMEM;
#endif
	if (xa_is_err(xa_store(&lab_root.xa_multi, 2, lab_node_at(5), GFP_KERNEL)))
		return -ENOMEM;
	return 0;
}

static int lab_plant_ids(void)
{
	static const int wanted[] = { 0, 1, 7, 64, 300, 70000 };
	int i, id;

	INIT_RADIX_TREE(&lab_root.radix, GFP_KERNEL);
	if (radix_tree_insert(&lab_root.radix, 3, lab_node_at(3)) ||
	    radix_tree_insert(&lab_root.radix, 70, lab_node_at(4)) ||
	    radix_tree_insert(&lab_root.radix, 5000, lab_node_at(5)))
		return -ENOMEM;

	idr_init(&lab_root.idr);
	idr_init_base(&lab_root.idr_based, 1);
	ida_init(&lab_root.ida);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		id = idr_alloc(&lab_root.idr, lab_node_at(i), wanted[i], wanted[i] + 1, GFP_KERNEL);
		if (id < 0)
			return id;
		id = idr_alloc(&lab_root.idr_based, lab_node_at(i), wanted[i] + 1, wanted[i] + 2, GFP_KERNEL);
		if (id < 0)
			return id;
	}
	for (i = 0; i < ARRAY_SIZE(lab_ida_ids); i++) {
		id = ida_alloc_range(&lab_root.ida, lab_ida_ids[i], lab_ida_ids[i], GFP_KERNEL);
		if (id < 0)
			return id;
	}
	return 0;
}

static int lab_plant_maples(void)
{
	int i, error;

	mt_init(&lab_root.mt_empty);
	mt_init(&lab_root.mt_single);
	mt_init(&lab_root.mt_small);
	mt_init(&lab_root.mt_range);
	/* The allocation form has other nodes (maple_arange_64): mm_struct.mm_mt is of this form. */
	mt_init_flags(&lab_root.mt_alloc, MT_FLAGS_ALLOC_RANGE);

	error = mtree_store(&lab_root.mt_single, 0, lab_node_at(0), GFP_KERNEL);
	for (i = 0; !error && i < 5; i++)
		error = mtree_store_range(&lab_root.mt_small, 10 * i, 10 * i + 4,
					  i == 2 ? xa_mk_value(42) : lab_node_at(i), GFP_KERNEL);
	for (i = 0; !error && i < LAB_MT_RANGES; i++) {
		unsigned long first = 0x1000UL * i + 0x100;

		error = mtree_store_range(&lab_root.mt_range, first, first + 0x5ff, lab_node_at(i), GFP_KERNEL);
		if (!error)
			error = mtree_store_range(&lab_root.mt_alloc, first, first + 0x5ff, lab_node_at(i), GFP_KERNEL);
	}
	/* The end of the index space is a boundary that walkers get wrong. */
	if (!error)
		error = mtree_store_range(&lab_root.mt_range, ULONG_MAX - 9, ULONG_MAX, lab_node_at(1), GFP_KERNEL);
	return error;
}

int lab_trees_plant(void)
{
	int error = lab_plant_xarrays();

	if (!error)
		error = lab_plant_ids();
	if (!error)
		error = lab_plant_maples();
	return error;
}

static void lab_report_entry(struct seq_file *m, const char *container, unsigned long first, unsigned long last,
			     void *entry)
{
	if (xa_is_value(entry))
		seq_printf(m, "slot container=%s first=%lx last=%lx kind=value value=%lu\n", container, first, last,
			   xa_to_value(entry));
	else
		seq_printf(m, "slot container=%s first=%lx last=%lx kind=pointer address=%px\n", container, first, last,
			   entry);
}

static void lab_report_xarray(struct seq_file *m, const char *container, const char *kind, struct xarray *xa)
{
	unsigned long index;
	void *entry;
	int count = 0;

	xa_for_each(xa, index, entry) {
		lab_report_entry(m, container, index, index, entry);
		count++;
	}
	seq_printf(m, "container name=%s kind=%s address=%px count=%d\n", container, kind, xa, count);
}

static void lab_report_idr(struct seq_file *m, const char *container, struct idr *idr)
{
	void *entry;
	int id, count = 0;

	idr_for_each_entry(idr, entry, id) {
		lab_report_entry(m, container, id, id, entry);
		count++;
	}
	seq_printf(m, "container name=%s kind=idr address=%px count=%d\n", container, idr, count);
}

static void lab_report_maple(struct seq_file *m, const char *container, struct maple_tree *mt)
{
	MA_STATE(mas, mt, 0, 0);
	void *entry;
	int count = 0;

	rcu_read_lock();
	mas_for_each(&mas, entry, ULONG_MAX) {
		lab_report_entry(m, container, mas.index, mas.last, entry);
		count++;
	}
	rcu_read_unlock();
	seq_printf(m, "container name=%s kind=maple address=%px count=%d\n", container, mt, count);
}

void lab_trees_report(struct seq_file *m)
{
	int i;

	lab_report_xarray(m, "xa_empty", "xarray", &lab_root.xa_empty);
	lab_report_xarray(m, "xa_single", "xarray", &lab_root.xa_single);
	lab_report_xarray(m, "xa_small", "xarray", &lab_root.xa_small);
	lab_report_xarray(m, "xa_sparse", "xarray", &lab_root.xa_sparse);
	lab_report_xarray(m, "xa_multi", "xarray", &lab_root.xa_multi);
	lab_report_xarray(m, "radix", "radix", &lab_root.radix);
	lab_report_idr(m, "idr", &lab_root.idr);
	lab_report_idr(m, "idr_based", &lab_root.idr_based);
	for (i = 0; i < ARRAY_SIZE(lab_ida_ids); i++)
		seq_printf(m, "id container=ida number=%d\n", lab_ida_ids[i]);
	seq_printf(m, "container name=ida kind=ida address=%px count=%zu\n", &lab_root.ida, ARRAY_SIZE(lab_ida_ids));
	lab_report_maple(m, "mt_empty", &lab_root.mt_empty);
	lab_report_maple(m, "mt_single", &lab_root.mt_single);
	lab_report_maple(m, "mt_small", &lab_root.mt_small);
	lab_report_maple(m, "mt_range", &lab_root.mt_range);
	lab_report_maple(m, "mt_alloc", &lab_root.mt_alloc);
}
