// SPDX-License-Identifier: MIT OR GPL-2.0
/* Loading plants the data and the quiet threads; writing a word to /proc/kdbg_lab plants the harmful states. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "lab.h"

static bool deadlock;
module_param(deadlock, bool, 0444);
MODULE_PARM_DESC(deadlock, "deadlock two kthreads on two mutexes at load");

struct lab_root lab_root = {
	.magic = LAB_MAGIC,
	.name = "kdbg lab",
};

/* Two files of the module have a function of this name: a duplicate symbol on purpose. */
static lab_frame int lab_twice(int value)
{
	return value + 1;
}

static int lab_show(struct seq_file *m, void *unused)
{
	LAB_SYMBOL(m, "data", lab_root);
	seq_printf(m, "root magic=%llx name=%s\n", lab_root.magic, "kdbg_lab");
	seq_printf(m, "symbol name=lab_twice kind=text address=%lx\n", (unsigned long)lab_twice);
	LAB_TYPE(m, struct lab_root);
	LAB_MEMBER(m, struct lab_root, list);
	LAB_MEMBER(m, struct lab_root, bits);
	LAB_MEMBER(m, struct lab_root, kinds);
	LAB_MEMBER(m, struct lab_root, threads);
	lab_data_report(m);
	lab_trees_report(m);
	lab_types_report(m);
	lab_threads_report(m);
	lab_locks_report(m);
	lab_torture_report(m);
	return 0;
}

static int lab_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, lab_show, NULL, 1024 * 1024);
}

static ssize_t lab_write(struct file *file, const char __user *from, size_t length, loff_t *offset)
{
	char word[32];
	int error, cpu;

	if (length >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, from, length))
		return -EFAULT;
	word[length] = '\0';
	strim(word);

	if (!strcmp(word, "deadlock"))
		error = lab_threads_deadlock();
	else if (!strcmp(word, "rwsem"))
		error = lab_threads_rwsem();
	else if (sscanf(word, "spin %d", &cpu) == 1)
		error = lab_threads_spin(cpu);
	else if (!strcmp(word, "torture"))
		error = lab_torture_start();
	else if (!strcmp(word, "calm")) {
		lab_torture_stop();
		error = 0;
	} else if (!strcmp(word, "vault"))
		error = lab_vault_append();
	else
		error = lab_locks_plant(word);
	return error ? error : length;
}

static const struct proc_ops lab_proc_ops = {
	.proc_open = lab_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_write = lab_write,
	.proc_release = single_release,
};

static int __init lab_init(void)
{
	int error;

	error = lab_data_plant();
	if (!error)
		error = lab_trees_plant();
	if (!error)
		error = lab_types_plant();
	if (!error)
		error = lab_threads_plant();
	if (!error && !proc_create("kdbg_lab", 0644, NULL, &lab_proc_ops))
		error = -ENOMEM;
	if (error)
		return error;
	/* Nothing is ever taken down: threads sleep in this code for good. */
	__module_get(THIS_MODULE);
	pr_info("kdbg_lab: planted, lab_root is at %px, %d\n", &lab_root, lab_twice(1));
	return deadlock ? lab_threads_deadlock() : 0;
}

module_init(lab_init);
MODULE_DESCRIPTION("Known states for kdbg's tests");
MODULE_LICENSE("Dual MIT/GPL");
