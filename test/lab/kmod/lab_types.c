// SPDX-License-Identifier: MIT OR GPL-2.0
/* One object of every C type that BTF can describe, with values that tell a wrong offset, width or sign. */
#include <linux/kernel.h>
#include <linux/slab.h>

#include "lab.h"

/* lab_main.c has another one. */
static lab_frame int lab_twice(int value)
{
	return value * 2;
}

int lab_operation(struct lab_node *node, int delta);
void lab_callback(struct lab_node *node);
lab_op_t lab_find_operation(const char *name);

lab_frame int lab_operation(struct lab_node *node, int delta)
{
	return lab_twice(node->id + delta);
}

lab_frame void lab_callback(struct lab_node *node)
{
	node->value++;
}

lab_frame lab_op_t lab_find_operation(const char *name)
{
	return *name ? lab_operation : NULL;
}

static const struct lab_kinds lab_kinds_template = {
	.c = 'k',
	.sc = -3,
	.uc = 253,
	.s = -30000,
	.us = 60000,
	.i = -2000000000,
	.ui = 4000000000U,
	.l = -9000000000000000000L,
	.ul = 18000000000000000000UL,
	.ll = -1,
	.ull = 0x0123456789abcdefULL,
	.huge = ((__int128)0x0123456789abcdefLL << 64) | 0xfedcba9876543210ULL,
	.yes = true,
	.no = false,
	.single_precision = 1.5f,
	.double_precision = -0.3333333333333333,
	.colour = LAB_GREEN,
	.colour_negative = LAB_BLUE,
	.colour_unnamed = (enum lab_colour)77,
	.wide = LAB_WIDE_HUGE,
	.deep = LAB_DEEP_LOW,
	.matrix = { { 1, 2, 3 }, { -4, -5, -6 } },
	.point = { .x = 11, .y = -12 },
	.low = 0x1111,
	.high = 0x2222,
	.deepest = 0x33,
	.deeper = 0x44,
	.beside = 0x5566,
	.op = lab_operation,
	.callbacks = { lab_callback, NULL },
	.finder = lab_find_operation,
	.opaque = (struct lab_opaque *)&lab_root,
	.label = "a label",
	.fixed = NULL,
	.changing = 7,
	.ticket = 0xdeadbeef,
	.packed = { 0x12, 0x3456789a, 0xbcde },
	.aligned = { 64 },
	.worker = { 5, "lab worker" },
	.unended = { 'n', 'o', ' ', 'e', 'n', 'd', '!', '!' },
	.control = "a\tb\n\x01\xff\"\\",
	.raw = { 0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff },
	.null = NULL,
	.wild = (const void *)0xdead000000000123UL,
};

int lab_types_plant(void)
{
	lab_root.kinds = kmemdup(&lab_kinds_template, sizeof(lab_kinds_template), GFP_KERNEL);
	if (!lab_root.kinds)
		return -ENOMEM;
	lab_root.bitfields.one = 1;
	lab_root.bitfields.three = 5;
	lab_root.bitfields.minus = -7;
	lab_root.bitfields.wide = 0xa987654321ULL;
	lab_root.bitfields.rest = 0xabcdef;
	lab_root.bitfields.flag = true;
	lab_root.bitfields.colour = LAB_GREEN;
	lab_root.bitfields.last = 0x7abcdef0;
	return 0;
}

#define LAB_BIT_VALUE(member, format) \
	seq_printf(m, "bitfield name=%s value=" format "\n", #member, lab_root.bitfields.member)
#define LAB_VALUE(member, format) seq_printf(m, "value name=%s value=" format "\n", #member, kinds->member)

void lab_types_report(struct seq_file *m)
{
	const struct lab_kinds *kinds = lab_root.kinds;

	seq_printf(m, "object name=bitfields type=lab_bits address=%px\n", &lab_root.bitfields);
	seq_printf(m, "object name=kinds type=lab_kinds address=%px\n", kinds);
	LAB_TYPE(m, struct lab_bits);
	LAB_TYPE(m, struct lab_packed);
	LAB_TYPE(m, struct lab_aligned);
	LAB_TYPE(m, struct lab_item);
	LAB_TYPE(m, struct lab_flex);
	LAB_TYPE(m, struct worker);
	LAB_TYPE(m, struct lab_kinds);
	LAB_MEMBER(m, struct lab_kinds, huge);
	LAB_MEMBER(m, struct lab_kinds, double_precision);
	LAB_MEMBER(m, struct lab_kinds, wide);
	LAB_MEMBER(m, struct lab_kinds, matrix);
	LAB_MEMBER(m, struct lab_kinds, point);
	LAB_MEMBER(m, struct lab_kinds, high);
	LAB_MEMBER(m, struct lab_kinds, word);
	LAB_MEMBER(m, struct lab_kinds, deeper);
	LAB_MEMBER(m, struct lab_kinds, beside);
	LAB_MEMBER(m, struct lab_kinds, op);
	LAB_MEMBER(m, struct lab_kinds, callbacks);
	LAB_MEMBER(m, struct lab_kinds, packed);
	LAB_MEMBER(m, struct lab_kinds, packed.third);
	LAB_MEMBER(m, struct lab_kinds, aligned);
	LAB_MEMBER(m, struct lab_kinds, worker);
	LAB_MEMBER(m, struct lab_kinds, raw);
	LAB_MEMBER(m, struct lab_kinds, wild);

	LAB_BIT_VALUE(one, "%u");
	LAB_BIT_VALUE(three, "%u");
	LAB_BIT_VALUE(minus, "%d");
	seq_printf(m, "bitfield name=wide value=%llu\n", (u64)lab_root.bitfields.wide);
	seq_printf(m, "bitfield name=rest value=%llu\n", (u64)lab_root.bitfields.rest);
	LAB_BIT_VALUE(flag, "%d");
	LAB_BIT_VALUE(colour, "%d");
	LAB_BIT_VALUE(last, "%u");

	LAB_VALUE(c, "%d");
	LAB_VALUE(sc, "%d");
	LAB_VALUE(uc, "%u");
	LAB_VALUE(s, "%d");
	LAB_VALUE(us, "%u");
	LAB_VALUE(i, "%d");
	LAB_VALUE(ui, "%u");
	LAB_VALUE(l, "%ld");
	LAB_VALUE(ul, "%lu");
	LAB_VALUE(ll, "%lld");
	LAB_VALUE(ull, "%llu");
	LAB_VALUE(yes, "%d");
	LAB_VALUE(no, "%d");
	LAB_VALUE(colour, "%d");
	LAB_VALUE(colour_negative, "%d");
	LAB_VALUE(colour_unnamed, "%d");
	seq_printf(m, "value name=wide value=%llu\n", (unsigned long long)kinds->wide);
	seq_printf(m, "value name=deep value=%lld\n", (long long)kinds->deep);
	LAB_VALUE(matrix[1][2], "%d");
	LAB_VALUE(point.y, "%d");
	LAB_VALUE(word, "%u");
	LAB_VALUE(both, "%u");
	LAB_VALUE(beside, "%u");
	LAB_VALUE(changing, "%d");
	LAB_VALUE(ticket, "%u");
	LAB_VALUE(packed.second, "%u");
	LAB_VALUE(packed.third, "%u");
	LAB_VALUE(aligned.value, "%d");
	LAB_VALUE(worker.lab_number, "%d");
	seq_printf(m, "pointer name=op address=%px\n", kinds->op);
	seq_printf(m, "pointer name=opaque address=%px\n", kinds->opaque);
	seq_printf(m, "pointer name=wild address=%px\n", kinds->wild);
	seq_printf(m, "symbol name=lab_operation kind=text address=%lx\n", (unsigned long)lab_operation);
	seq_printf(m, "symbol name=lab_callback kind=text address=%lx\n", (unsigned long)lab_callback);
	seq_printf(m, "symbol name=lab_twice kind=text address=%lx\n", (unsigned long)lab_twice);
}
