// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A busy, healthy machine: threads that hammer locks of every kind. Each takes two locks or more, always upwards in the
 * order of `struct lab_torture`, so that there are owners, waiters and chains all the time and never a deadlock.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/percpu-rwsem.h>
#include <linux/random.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/semaphore.h>
#include <linux/slab.h>

#include "lab.h"

#define LAB_TORTURERS 12

struct lab_torture {
	struct mutex first;
	struct rw_semaphore second;
	struct semaphore third;
	struct rt_mutex fourth;
	struct mutex fifth;
	struct rw_semaphore sixth;
	struct percpu_rw_semaphore seventh;
};

struct lab_torture lab_torture;

static struct task_struct *lab_torturers[LAB_TORTURERS];
static unsigned long lab_rounds[LAB_TORTURERS];

static void lab_linger(void)
{
	unsigned int micros = get_random_u32() % 400;

	if (micros < 100)
		cond_resched();
	else
		usleep_range(micros, micros + 50);
}

/* A mutex and a rwsem, both of which optimistic spinners fight for, nested. */
static void lab_round_sleeping(u32 dice)
{
	mutex_lock(&lab_torture.first);
	lab_linger();
	if (dice & 1) {
		down_write(&lab_torture.second);
		lab_linger();
		up_write(&lab_torture.second);
	} else {
		down_read(&lab_torture.second);
		lab_linger();
		up_read(&lab_torture.second);
	}
	mutex_unlock(&lab_torture.first);
}

static void lab_round_counting(u32 dice)
{
	down(&lab_torture.third);
	rt_mutex_lock(&lab_torture.fourth);
	lab_linger();
	if (dice & 1) {
		mutex_lock(&lab_torture.fifth);
		lab_linger();
		mutex_unlock(&lab_torture.fifth);
	}
	rt_mutex_unlock(&lab_torture.fourth);
	up(&lab_torture.third);
}

static void lab_round_reading(u32 dice)
{
	down_read(&lab_torture.second);
	mutex_lock(&lab_torture.fifth);
	lab_linger();
	mutex_unlock(&lab_torture.fifth);
	down_read(&lab_torture.sixth);
	lab_linger();
	up_read(&lab_torture.sixth);
	up_read(&lab_torture.second);
}

static void lab_round_writing(u32 dice)
{
	down_write(&lab_torture.sixth);
	if (dice % 16 == 0) {
		percpu_down_write(&lab_torture.seventh);
		lab_linger();
		percpu_up_write(&lab_torture.seventh);
	} else {
		percpu_down_read(&lab_torture.seventh);
		lab_linger();
		percpu_up_read(&lab_torture.seventh);
	}
	up_write(&lab_torture.sixth);
}

static void (*const lab_round[])(u32 dice) = {
	lab_round_sleeping,
	lab_round_counting,
	lab_round_reading,
	lab_round_writing,
};

static int lab_torture_thread(void *number)
{
	unsigned long i = (unsigned long)number;

	while (!kthread_should_stop()) {
		lab_round[i % ARRAY_SIZE(lab_round)](get_random_u32());
		WRITE_ONCE(lab_rounds[i], lab_rounds[i] + 1);
		lab_linger();
	}
	return 0;
}

int lab_torture_start(void)
{
	int i, error;

	if (lab_torturers[0])
		return -EBUSY;
	mutex_init(&lab_torture.first);
	init_rwsem(&lab_torture.second);
	sema_init(&lab_torture.third, 2);
	rt_mutex_init(&lab_torture.fourth);
	mutex_init(&lab_torture.fifth);
	init_rwsem(&lab_torture.sixth);
	error = percpu_init_rwsem(&lab_torture.seventh);
	for (i = 0; i < LAB_TORTURERS && !error; i++) {
		struct task_struct *task = kthread_run(lab_torture_thread, (void *)(unsigned long)i, "lab_torture%d", i);

		if (IS_ERR(task))
			return PTR_ERR(task);
		lab_torturers[i] = task;
	}
	return error;
}

void lab_torture_stop(void)
{
	int i;

	for (i = 0; i < LAB_TORTURERS; i++)
		if (lab_torturers[i])
			kthread_stop(lab_torturers[i]);
	memset(lab_torturers, 0, sizeof(lab_torturers));
}

/* The order of the locks is the rank in which threads take them: who has one waits for none of a lower rank. */
void lab_torture_report(struct seq_file *m)
{
	int i;

	if (!lab_torturers[0])
		return;
#define LAB_RANK(rank, kind, member) \
	seq_printf(m, "torture_lock rank=%d kind=%s name=%s address=%px\n", rank, kind, #member, &lab_torture.member)
	LAB_RANK(1, "mutex", first);
	LAB_RANK(2, "rwsem", second);
	LAB_RANK(3, "semaphore", third);
	LAB_RANK(4, "rt_mutex", fourth);
	LAB_RANK(5, "mutex", fifth);
	LAB_RANK(6, "rwsem", sixth);
	LAB_RANK(7, "percpu_rwsem", seventh);
#undef LAB_RANK
	for (i = 0; i < LAB_TORTURERS; i++)
		seq_printf(m, "torturer pid=%d role=%d rounds=%lu\n", task_pid_nr(lab_torturers[i]),
			   i % (int)ARRAY_SIZE(lab_round), READ_ONCE(lab_rounds[i]));
}
