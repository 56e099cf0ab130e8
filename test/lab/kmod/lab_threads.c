// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Kernel threads in known places: asleep at the end of known call chains, deadlocked, parked, idle, spinning.
 *
 * A function of a planted chain must leave a frame under its own name: it is lab_frame, and it works after its call so that
 * the call is not turned into a jump.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>

#include "lab.h"

static DECLARE_COMPLETION(lab_ab_has_a);
static DECLARE_COMPLETION(lab_ba_has_b);
static bool lab_deadlocked, lab_rwsem_planted;

static lab_frame int lab_sleep_inner(long *depth)
{
	*depth += 1;
	wait_event_interruptible(lab_root.wait, kthread_should_stop());
	return *depth;
}

/* A frame of more than a kilobyte, and an indirect call. */
static lab_frame int lab_sleep_middle(int (*next)(long *depth), long *depth)
{
	volatile char padding[1024];
	int result;

	padding[0] = 1;
	result = next(depth);
	return result + padding[0];
}

static lab_frame int lab_sleep_outer(long *depth)
{
	int result = lab_sleep_middle(lab_sleep_inner, depth);

	barrier();
	return result + 1;
}

static int lab_sleep_thread(void *unused)
{
	long depth = 0;

	return lab_sleep_outer(&depth);
}

/* Each level is one more frame of the same function. */
static lab_frame int lab_recurse(int levels)
{
	int result;

	if (!levels) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
		return 0;
	}
	result = lab_recurse(levels - 1);
	barrier();
	return result + 1;
}

static int lab_recurse_thread(void *unused)
{
	return lab_recurse(20);
}

static int lab_idle_thread(void *unused)
{
	while (!kthread_should_stop())
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
	return 0;
}

static int lab_killable_thread(void *unused)
{
	set_current_state(TASK_KILLABLE);
	schedule();
	return 0;
}

static int lab_park_thread(void *unused)
{
	while (!kthread_should_stop()) {
		if (kthread_should_park())
			kthread_parkme();
		schedule_timeout_interruptible(HZ);
	}
	return 0;
}

static int lab_spin_thread(void *unused)
{
	while (!kthread_should_stop())
		cond_resched();
	return 0;
}

static lab_frame int lab_take_second(struct mutex *second)
{
	mutex_lock(second);
	pr_err("kdbg_lab: took a lock that was to be deadlocked\n");
	mutex_unlock(second);
	return 1;
}

static int lab_ab_thread(void *unused)
{
	int result;

	mutex_lock(&lab_root.mutex_a);
	complete(&lab_ab_has_a);
	wait_for_completion(&lab_ba_has_b);
	result = lab_take_second(&lab_root.mutex_b);
	mutex_unlock(&lab_root.mutex_a);
	return result;
}

static int lab_ba_thread(void *unused)
{
	int result;

	mutex_lock(&lab_root.mutex_b);
	complete(&lab_ba_has_b);
	wait_for_completion(&lab_ab_has_a);
	result = lab_take_second(&lab_root.mutex_a);
	mutex_unlock(&lab_root.mutex_b);
	return result;
}

static lab_frame int lab_queue_behind(struct mutex *mutex)
{
	mutex_lock(mutex);
	mutex_unlock(mutex);
	return 1;
}

static int lab_wait_thread(void *mutex)
{
	int result = lab_queue_behind(mutex);

	barrier();
	return result + 1;
}

static int lab_rw_owner_thread(void *unused)
{
	int result;
	long depth = 0;

	down_write(&lab_root.rwsem);
	result = lab_sleep_outer(&depth);
	up_write(&lab_root.rwsem);
	return result;
}

static int lab_rw_writer_thread(void *unused)
{
	down_write(&lab_root.rwsem);
	up_write(&lab_root.rwsem);
	return 0;
}

static int lab_rw_reader_thread(void *unused)
{
	down_read(&lab_root.rwsem);
	up_read(&lab_root.rwsem);
	return 0;
}

/* Starts a thread and waits until it is in the wanted state, so that queues have a known order. */
static int lab_start(const char *role, int (*function)(void *), void *argument, char state, const void *holds,
		     const void *wants)
{
	struct lab_thread *thread = &lab_root.threads[lab_root.threads_count];
	struct task_struct *task;
	int tries;

	if (lab_root.threads_count >= LAB_THREADS)
		return -ENOSPC;
	task = kthread_create(function, argument, "%s", role);
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	thread->role = role;
	thread->task = task;
	thread->holds = holds;
	thread->wants = wants;
	lab_root.threads_count++;
	wake_up_process(task);
	if (state == 'P')
		return kthread_park(task);
	for (tries = 0; state && tries < 5000; tries++) {
		if (task_state_to_char(task) == state)
			return 0;
		msleep(2);
	}
	return state ? -ETIMEDOUT : 0;
}

/* Bit 0 of a mutex's owner says that somebody queues on it (MUTEX_FLAG_WAITERS, kernel/locking/mutex.h). */
static int lab_await_waiter(const struct mutex *mutex)
{
	int tries;

	for (tries = 0; tries < 5000; tries++) {
		if (atomic_long_read(&mutex->owner) & 1)
			return 0;
		msleep(2);
	}
	return -ETIMEDOUT;
}

int lab_threads_plant(void)
{
	int error;

	mutex_init(&lab_root.mutex_a);
	mutex_init(&lab_root.mutex_b);
	init_rwsem(&lab_root.rwsem);
	init_waitqueue_head(&lab_root.wait);
	error = lab_start("lab_sleep", lab_sleep_thread, NULL, 'S', NULL, &lab_root.wait);
	if (!error)
		error = lab_start("lab_recurse", lab_recurse_thread, NULL, 'D', NULL, NULL);
	if (!error)
		error = lab_start("lab_killable", lab_killable_thread, NULL, 'D', NULL, NULL);
	if (!error)
		error = lab_start("lab_idle", lab_idle_thread, NULL, 'I', NULL, NULL);
	if (!error)
		error = lab_start("lab_park", lab_park_thread, NULL, 'P', NULL, NULL);
	return error;
}

int lab_threads_deadlock(void)
{
	struct mutex *a = &lab_root.mutex_a, *b = &lab_root.mutex_b;
	int error;

	if (lab_deadlocked)
		return -EBUSY;
	lab_deadlocked = true;
	error = lab_start("lab_ab", lab_ab_thread, NULL, 0, a, b);
	if (!error)
		error = lab_start("lab_ba", lab_ba_thread, NULL, 0, b, a);
	if (!error)
		error = lab_await_waiter(a);
	if (!error)
		error = lab_await_waiter(b);
	if (!error)
		error = lab_start("lab_wait1", lab_wait_thread, a, 'D', NULL, a);
	if (!error)
		error = lab_start("lab_wait2", lab_wait_thread, a, 'D', NULL, a);
	if (!error)
		error = lab_start("lab_wait3", lab_wait_thread, b, 'D', NULL, b);
	return error;
}

int lab_threads_rwsem(void)
{
	struct rw_semaphore *sem = &lab_root.rwsem;
	int error;

	if (lab_rwsem_planted)
		return -EBUSY;
	lab_rwsem_planted = true;
	error = lab_start("lab_rw_owner", lab_rw_owner_thread, NULL, 'S', sem, &lab_root.wait);
	if (!error)
		error = lab_start("lab_rw_write1", lab_rw_writer_thread, NULL, 'D', NULL, sem);
	if (!error)
		error = lab_start("lab_rw_read1", lab_rw_reader_thread, NULL, 'D', NULL, sem);
	if (!error)
		error = lab_start("lab_rw_read2", lab_rw_reader_thread, NULL, 'D', NULL, sem);
	return error;
}

/* Two spinners on one CPU: one of them is always runnable and not running. */
int lab_threads_spin(int cpu)
{
	struct task_struct *task;
	int i;

	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	for (i = 0; i < 2; i++) {
		if (lab_root.threads_count >= LAB_THREADS)
			return -ENOSPC;
		task = kthread_create(lab_spin_thread, NULL, "lab_spin%d", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		get_task_struct(task);
		kthread_bind(task, cpu);
		lab_root.threads[lab_root.threads_count++] = (struct lab_thread){ .role = "lab_spin", .task = task };
		wake_up_process(task);
	}
	return 0;
}

void lab_threads_report(struct seq_file *m)
{
	int i;

	seq_printf(m, "lock name=mutex_a kind=mutex address=%px owner=%lx\n", &lab_root.mutex_a,
		   (unsigned long)atomic_long_read(&lab_root.mutex_a.owner) & ~7UL);
	seq_printf(m, "lock name=mutex_b kind=mutex address=%px owner=%lx\n", &lab_root.mutex_b,
		   (unsigned long)atomic_long_read(&lab_root.mutex_b.owner) & ~7UL);
	seq_printf(m, "lock name=rwsem kind=rwsem address=%px owner=%lx\n", &lab_root.rwsem,
		   (unsigned long)atomic_long_read(&lab_root.rwsem.owner) & ~7UL);
	for (i = 0; i < lab_root.threads_count; i++) {
		struct lab_thread *thread = &lab_root.threads[i];

		seq_printf(m, "thread role=%s pid=%d comm=%s task=%px stack=%px state=%c holds=%px wants=%px\n",
			   thread->role, task_pid_nr(thread->task), thread->task->comm, thread->task,
			   task_stack_page(thread->task), task_state_to_char(thread->task), thread->holds, thread->wants);
	}
	seq_printf(m, "chain role=lab_sleep functions=%s\n",
		   "lab_sleep_inner,lab_sleep_middle,lab_sleep_outer,lab_sleep_thread,kthread");
	seq_printf(m, "chain role=lab_ab functions=%s\n", "lab_take_second,lab_ab_thread,kthread");
	seq_printf(m, "chain role=lab_wait1 functions=%s\n", "lab_queue_behind,lab_wait_thread,kthread");
}
