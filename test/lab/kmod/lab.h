/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the lab module plants in a running kernel, for kdbg to find and read back.
 *
 * Everything hangs off one global, `lab_root`. The module tells the truth about it in /proc/kdbg_lab: one record a line,
 * `kind key=value key=value ...`, with addresses as bare hex and no spaces inside a value.
 */
#ifndef KDBG_LAB_H
#define KDBG_LAB_H

#include <linux/bitmap.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/radix-tree.h>
#include <linux/rbtree.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#define LAB_MAGIC 0x6b6462676c616231ULL /* "kdbglab1" */
#define LAB_NODES 12
#define LAB_HASH_BUCKETS 4
#define LAB_LOOPED 4
#define LAB_LONG 1000
#define LAB_BITS 200
#define LAB_THREADS 24

/* One node sits in every container at once, so that container_of is needed with different offsets. */
struct lab_node {
	int id;
	char name[16];
	struct list_head link;
	struct hlist_node hash;
	struct llist_node lockless;
	struct rb_node tree;
	u64 value;
};

enum lab_colour { LAB_RED, LAB_GREEN = 5, LAB_BLUE = -2 };
enum lab_wide { LAB_WIDE_ONE = 1, LAB_WIDE_HUGE = 0x8000000000000001ULL };
enum lab_deep { LAB_DEEP_LOW = -0x7fffffffffffffffLL, LAB_DEEP_ZERO = 0 };

typedef unsigned int lab_handle_t;
typedef lab_handle_t lab_ticket_t;
typedef int (*lab_op_t)(struct lab_node *node, int delta);

struct lab_opaque; /* declared here, defined nowhere */

struct lab_bits {
	unsigned int one : 1;
	unsigned int three : 3;
	int minus : 5;
	u64 wide : 40;
	u64 rest : 24;
	bool flag : 1;
	enum lab_colour colour : 4;
	unsigned int : 0;
	unsigned int last : 31;
};

struct lab_packed {
	u8 first;
	u32 second;
	u16 third;
} __packed;

struct lab_aligned {
	int value;
} __aligned(64);

struct lab_item {
	int number;
	char letter;
};

struct lab_flex {
	int count;
	struct lab_item items[];
};

/* The workqueue code has a `struct worker` of its own: one name, two types, told apart by module. */
struct worker {
	int lab_number;
	char lab_name[12];
};

struct lab_kinds {
	char c;
	signed char sc;
	unsigned char uc;
	short s;
	unsigned short us;
	int i;
	unsigned int ui;
	long l;
	unsigned long ul;
	long long ll;
	unsigned long long ull;
	__int128 huge;
	bool yes;
	bool no;
	float single_precision;
	double double_precision;
	enum lab_colour colour;
	enum lab_colour colour_negative;
	enum lab_colour colour_unnamed;
	enum lab_wide wide;
	enum lab_deep deep;
	int matrix[2][3];
	struct {
		int x;
		int y;
	} point;
	union {
		struct {
			u16 low;
			u16 high;
		};
		u32 word;
	};
	struct {
		union {
			struct {
				u8 deepest;
				u8 deeper;
			};
			u16 both;
		};
		u16 beside;
	};
	lab_op_t op;
	void (*callbacks[2])(struct lab_node *node);
	int (*(*finder)(const char *name))(struct lab_node *node, int delta);
	struct lab_opaque *opaque;
	const char *label;
	char *const fixed;
	volatile int changing;
	lab_ticket_t ticket;
	struct lab_packed packed;
	struct lab_aligned aligned;
	struct worker worker;
	char unended[8];
	char control[12];
	u8 raw[16];
	const void *null;
	const void *wild;
	int empty[0];
};

struct lab_pcpu {
	int cpu;
	char name[16];
	u64 value;
};

/* A planted kthread: what it was made to do, and the locks that it has and wants (NULL where it has or wants none). */
struct lab_thread {
	const char *role;
	struct task_struct *task;
	const void *holds;
	const void *wants;
};

struct lab_root {
	u64 magic;
	char name[16];

	/* lab_data.c */
	struct lab_node *nodes[LAB_NODES];
	struct list_head list;
	struct list_head list_empty;
	struct list_head list_looped;
	struct list_head list_poisoned;
	struct list_head list_long;
	struct hlist_head hlist;
	struct hlist_head buckets[LAB_HASH_BUCKETS];
	struct llist_head llist;
	struct rb_root rbtree;
	struct rb_root_cached rbtree_cached;
	struct rb_root rbtree_empty;
	DECLARE_BITMAP(bits, LAB_BITS);
	struct lab_pcpu __percpu *pcpu;
	char *unended;
	struct lab_flex *flex;

	/* lab_trees.c */
	struct xarray xa_empty;
	struct xarray xa_single;
	struct xarray xa_small;
	struct xarray xa_sparse;
	struct xarray xa_multi;
	struct radix_tree_root radix;
	struct idr idr;
	struct idr idr_based;
	struct ida ida;
	struct maple_tree mt_empty;
	struct maple_tree mt_single;
	struct maple_tree mt_small;
	struct maple_tree mt_range;
	struct maple_tree mt_alloc;

	/* lab_types.c */
	struct lab_bits bitfields;
	struct lab_kinds *kinds;

	/* lab_threads.c */
	struct mutex mutex_a;
	struct mutex mutex_b;
	struct rw_semaphore rwsem;
	wait_queue_head_t wait;
	int threads_count;
	struct lab_thread threads[LAB_THREADS];
};

extern struct lab_root lab_root;

int lab_data_plant(void);
void lab_data_report(struct seq_file *m);
int lab_trees_plant(void);
void lab_trees_report(struct seq_file *m);
int lab_types_plant(void);
void lab_types_report(struct seq_file *m);
int lab_threads_plant(void);
int lab_threads_deadlock(void);
int lab_threads_rwsem(void);
int lab_threads_spin(int cpu);
void lab_threads_report(struct seq_file *m);
int lab_locks_plant(const char *word);
void lab_locks_report(struct seq_file *m);
int lab_torture_start(void);
void lab_torture_stop(void);
void lab_torture_report(struct seq_file *m);
int lab_vault_append(void);

/* Neither inlined nor cloned under another name. */
#define lab_frame noinline __noclone

#define LAB_SYMBOL(m, kind, symbol) \
	seq_printf(m, "symbol name=%s kind=%s address=%lx\n", #symbol, kind, (unsigned long)&symbol)
#define LAB_TYPE(m, type) seq_printf(m, "type name=%s size=%zu\n", #type, sizeof(type))
#define LAB_MEMBER(m, type, member)                                                                              \
	seq_printf(m, "member type=%s name=%s offset=%zu size=%zu\n", #type, #member, offsetof(type, member),    \
		   sizeof(((type *)0)->member))

#endif
