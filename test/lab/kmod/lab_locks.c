// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * Locks of every kind with owners and queues that are known: each state below is planted by a word written to
 * /proc/kdbg_lab, and its truth is what was planted, not what the locks say.
 *
 * A planted state is a cast of actors, kernel threads that take what they are to have, and then, one after the other and so
 * in a known order, sleep for what they want.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/percpu-rwsem.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "lab.h"

#define LAB_ACTORS 1100
#define LAB_HAS 2
#define LAB_CHAIN 10
#define LAB_MANY 1000

enum lab_op {
	LAB_NOTHING,
	LAB_MUTEX,
	LAB_READ,
	LAB_WRITE,
	/* Takes it for reading and lets go. */
	LAB_READ_BRIEFLY,
	LAB_PERCPU_READ,
	LAB_PERCPU_WRITE,
	LAB_SEMAPHORE,
	LAB_RT_MUTEX,
	LAB_COMPLETION,
	LAB_AUTOREMOVE,
	LAB_DEFAULT,
	LAB_WOKEN,
	LAB_BIT,
	LAB_VAR,
	LAB_PAGE,
};

static const struct {
	const char *kind;
	const char *mode;
} lab_ops[] = {
	[LAB_MUTEX] = { "mutex", "exclusive" },
	[LAB_READ] = { "rwsem", "read" },
	[LAB_WRITE] = { "rwsem", "write" },
	[LAB_READ_BRIEFLY] = { "rwsem", "read" },
	[LAB_PERCPU_READ] = { "percpu_rwsem", "read" },
	[LAB_PERCPU_WRITE] = { "percpu_rwsem", "write" },
	[LAB_SEMAPHORE] = { "semaphore", "any" },
	[LAB_RT_MUTEX] = { "rt_mutex", "exclusive" },
	[LAB_COMPLETION] = { "completion", "any" },
	[LAB_AUTOREMOVE] = { "wait_queue", "any" },
	[LAB_DEFAULT] = { "wait_queue", "any" },
	[LAB_WOKEN] = { "wait_queue", "any" },
	[LAB_BIT] = { "bit", "any" },
	[LAB_VAR] = { "bit", "any" },
	[LAB_PAGE] = { "folio", "any" },
};

/* All locks of this file. kdbg names them by this structure, as the variable is called like it. */
struct lab_locks {
	struct rw_semaphore abba_rwsem[2];
	struct mutex abba_mutex;
	struct rw_semaphore abba_second;
	struct rt_mutex abba_third;
	struct rw_semaphore reader_rwsem;
	struct mutex reader_mutex;
	struct mutex self;
	struct mutex chain_mutex[LAB_CHAIN / 2];
	struct rw_semaphore chain_rwsem[LAB_CHAIN / 2];
	struct mutex many;
	struct rw_semaphore starved;
	struct rw_semaphore hinted;
	struct percpu_rw_semaphore percpu_read;
	struct percpu_rw_semaphore percpu_write;
	struct semaphore semaphore;
	struct rt_mutex rt_mutex;
	struct completion completion;
	wait_queue_head_t autoremove;
	wait_queue_head_t plain;
	wait_queue_head_t woken;
	unsigned long bits;
	int variable;
	struct page *page;
	struct mutex diamond_root;
	struct mutex diamond_left;
	struct mutex diamond_right;
	struct rw_semaphore diamond_top;
};

struct lab_locks lab_locks;

struct lab_claim {
	enum lab_op op;
	void *lock;
};

struct lab_actor {
	struct task_struct *task;
	struct lab_claim has[LAB_HAS];
	struct lab_claim wants;
	/* The actors that queued for anything before it. */
	int turn;
	struct completion ready;
	struct completion go;
};

static struct lab_actor *lab_actors;
static int lab_actors_count, lab_turns;
static DECLARE_WAIT_QUEUE_HEAD(lab_rest);

static void lab_wait_plain(wait_queue_head_t *head)
{
	DECLARE_WAITQUEUE(entry, current);

	add_wait_queue(head, &entry);
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}

static void lab_wait_woken(wait_queue_head_t *head)
{
	DEFINE_WAIT_FUNC(entry, woken_wake_function);

	add_wait_queue(head, &entry);
	for (;;)
		wait_woken(&entry, TASK_UNINTERRUPTIBLE, MAX_SCHEDULE_TIMEOUT);
}

static lab_frame void lab_take(const struct lab_claim *claim)
{
	void *lock = claim->lock;

	switch (claim->op) {
	case LAB_NOTHING:
		break;
	case LAB_MUTEX:
		mutex_lock(lock);
		break;
	case LAB_READ:
		down_read(lock);
		break;
	case LAB_WRITE:
		down_write(lock);
		break;
	case LAB_READ_BRIEFLY:
		down_read(lock);
		up_read(lock);
		break;
	case LAB_PERCPU_READ:
		percpu_down_read(lock);
		break;
	case LAB_PERCPU_WRITE:
		percpu_down_write(lock);
		break;
	case LAB_SEMAPHORE:
		down(lock);
		break;
	case LAB_RT_MUTEX:
		rt_mutex_lock(lock);
		break;
	case LAB_COMPLETION:
		wait_for_completion(lock);
		break;
	case LAB_AUTOREMOVE:
		wait_event(*(wait_queue_head_t *)lock, false);
		break;
	case LAB_DEFAULT:
		lab_wait_plain(lock);
		break;
	case LAB_WOKEN:
		lab_wait_woken(lock);
		break;
	case LAB_BIT:
		wait_on_bit(lock, 3, TASK_UNINTERRUPTIBLE);
		break;
	case LAB_VAR:
		wait_var_event(lock, *(int *)lock != 0);
		break;
	case LAB_PAGE:
		lock_page(lock);
		break;
	}
	barrier();
}

static int lab_actor_thread(void *data)
{
	struct lab_actor *actor = data;
	int i;

	for (i = 0; i < LAB_HAS; i++)
		lab_take(&actor->has[i]);
	complete(&actor->ready);
	wait_for_completion_interruptible(&actor->go);
	lab_take(&actor->wants);
	if (actor->wants.op)
		pr_err("kdbg_lab: %s got what it was to wait for\n", current->comm);
	wait_event_interruptible(lab_rest, kthread_should_stop());
	return 0;
}

/* Tasks on the queue of a percpu_rwsem: its writer sleeps for RCU first, so that its state alone says nothing. */
static int lab_percpu_waiters(struct percpu_rw_semaphore *sem)
{
	struct wait_queue_entry *entry;
	unsigned long flags;
	int count = rcuwait_active(&sem->writer) ? 1 : 0;

	spin_lock_irqsave(&sem->waiters.lock, flags);
	list_for_each_entry(entry, &sem->waiters.head, entry)
		count++;
	spin_unlock_irqrestore(&sem->waiters.lock, flags);
	return count;
}

/* Waits until the task sleeps uninterruptibly, off its CPU, three times in a row. */
static int lab_await_asleep(struct task_struct *task)
{
	int seen = 0, tries;

	for (tries = 0; tries < 50000 && seen < 3; tries++) {
		seen = task_state_to_char(task) == 'D' && !READ_ONCE(task->on_cpu) ? seen + 1 : 0;
		usleep_range(50, 100);
	}
	return seen < 3 ? -ETIMEDOUT : 0;
}

/* Starts an actor; it has both locks when this returns. */
static struct lab_actor *lab_cast(const char *comm, struct lab_claim first, struct lab_claim second)
{
	struct lab_actor *actor;
	struct task_struct *task;

	if (!lab_actors)
		lab_actors = kvcalloc(LAB_ACTORS, sizeof(*lab_actors), GFP_KERNEL);
	if (!lab_actors)
		return ERR_PTR(-ENOMEM);
	if (lab_actors_count >= LAB_ACTORS)
		return ERR_PTR(-ENOSPC);
	actor = &lab_actors[lab_actors_count];
	actor->has[0] = first;
	actor->has[1] = second;
	init_completion(&actor->ready);
	init_completion(&actor->go);
	task = kthread_create(lab_actor_thread, actor, "%s", comm);
	if (IS_ERR(task))
		return ERR_CAST(task);
	get_task_struct(task);
	actor->task = task;
	lab_actors_count++;
	wake_up_process(task);
	return wait_for_completion_timeout(&actor->ready, 10 * HZ) ? actor : ERR_PTR(-ETIMEDOUT);
}

/* Lets an actor go for what it wants, and waits until it sleeps for that. */
static int lab_want(struct lab_actor *actor, enum lab_op op, void *lock)
{
	bool percpu = op == LAB_PERCPU_READ || op == LAB_PERCPU_WRITE;
	int before = percpu ? lab_percpu_waiters(lock) : 0, tries;

	if (IS_ERR(actor))
		return PTR_ERR(actor);
	actor->wants = (struct lab_claim){ op, lock };
	actor->turn = lab_turns++;
	complete(&actor->go);
	for (tries = 0; percpu && tries < 5000 && lab_percpu_waiters(lock) <= before; tries++)
		msleep(2);
	return lab_await_asleep(actor->task);
}

/* An actor that has what it should have and rests with it. */
static int lab_hold(struct lab_actor *actor)
{
	if (IS_ERR(actor))
		return PTR_ERR(actor);
	complete(&actor->go);
	return 0;
}

#define NOTHING ((struct lab_claim){ LAB_NOTHING, NULL })
#define HAS(op, lock) ((struct lab_claim){ op, lock })

/* One who has a lock and rests. */
static int lab_holder(const char *comm, enum lab_op op, void *lock)
{
	return lab_hold(lab_cast(comm, HAS(op, lock), NOTHING));
}

/* One who waits for a lock and has nothing. */
static int lab_waiter(const char *comm, enum lab_op op, void *lock)
{
	return lab_want(lab_cast(comm, NOTHING, NOTHING), op, lock);
}

static int lab_plant_abba_rwsem(void)
{
	struct rw_semaphore *a = &lab_locks.abba_rwsem[0], *b = &lab_locks.abba_rwsem[1];
	struct lab_actor *first, *second;

	init_rwsem(a);
	init_rwsem(b);
	first = lab_cast("lab_rwab", HAS(LAB_WRITE, a), NOTHING);
	second = lab_cast("lab_rwba", HAS(LAB_WRITE, b), NOTHING);
	return lab_want(first, LAB_WRITE, b) ?: lab_want(second, LAB_READ, a) ?: lab_waiter("lab_rwbehind", LAB_READ, b);
}

/* A cycle of three over a mutex, an rwsem and an rt_mutex. */
static int lab_plant_abba_mixed(void)
{
	struct lab_actor *first, *second, *third;

	mutex_init(&lab_locks.abba_mutex);
	init_rwsem(&lab_locks.abba_second);
	rt_mutex_init(&lab_locks.abba_third);
	first = lab_cast("lab_mix1", HAS(LAB_MUTEX, &lab_locks.abba_mutex), NOTHING);
	second = lab_cast("lab_mix2", HAS(LAB_WRITE, &lab_locks.abba_second), NOTHING);
	third = lab_cast("lab_mix3", HAS(LAB_RT_MUTEX, &lab_locks.abba_third), NOTHING);
	return lab_want(first, LAB_READ, &lab_locks.abba_second) ?:
	       lab_want(second, LAB_RT_MUTEX, &lab_locks.abba_third) ?:
	       lab_want(third, LAB_MUTEX, &lab_locks.abba_mutex);
}

/* A cycle that goes through a reader: only its being the last one makes it known. */
static int lab_plant_abba_reader(void)
{
	struct lab_actor *reader, *writer;

	init_rwsem(&lab_locks.reader_rwsem);
	mutex_init(&lab_locks.reader_mutex);
	reader = lab_cast("lab_rdab", HAS(LAB_READ, &lab_locks.reader_rwsem), NOTHING);
	writer = lab_cast("lab_rdba", HAS(LAB_MUTEX, &lab_locks.reader_mutex), NOTHING);
	return lab_want(reader, LAB_MUTEX, &lab_locks.reader_mutex) ?:
	       lab_want(writer, LAB_WRITE, &lab_locks.reader_rwsem);
}

static int lab_plant_self(void)
{
	mutex_init(&lab_locks.self);
	return lab_want(lab_cast("lab_self", HAS(LAB_MUTEX, &lab_locks.self), NOTHING), LAB_MUTEX, &lab_locks.self);
}

/* lab_chain0 waits for lab_chain1, it for lab_chain2, ... lab_chain10 has the last lock and rests. */
static int lab_plant_chain(void)
{
	struct lab_actor *actor[LAB_CHAIN + 1];
	struct lab_claim lock[LAB_CHAIN];
	char comm[16];
	int i, error;

	for (i = 0; i < LAB_CHAIN; i++) {
		void *mutex = &lab_locks.chain_mutex[i / 2], *rwsem = &lab_locks.chain_rwsem[i / 2];

		lock[i] = i % 2 ? HAS(LAB_WRITE, rwsem) : HAS(LAB_MUTEX, mutex);
		if (i % 2)
			init_rwsem(&lab_locks.chain_rwsem[i / 2]);
		else
			mutex_init(&lab_locks.chain_mutex[i / 2]);
	}
	for (i = 0; i <= LAB_CHAIN; i++) {
		snprintf(comm, sizeof(comm), "lab_chain%d", i);
		actor[i] = lab_cast(comm, i ? lock[i - 1] : NOTHING, NOTHING);
	}
	for (i = LAB_CHAIN - 1; i >= 0; i--) {
		error = lab_want(actor[i], lock[i].op, lock[i].lock);
		if (error)
			return error;
	}
	return lab_hold(actor[LAB_CHAIN]);
}

static int lab_plant_many(void)
{
	char comm[16];
	int i, error;

	mutex_init(&lab_locks.many);
	error = lab_holder("lab_many_owner", LAB_MUTEX, &lab_locks.many);
	for (i = 0; i < LAB_MANY && !error; i++) {
		snprintf(comm, sizeof(comm), "lab_many%d", i);
		error = lab_waiter(comm, LAB_MUTEX, &lab_locks.many);
	}
	return error;
}

/* Readers that do not let go, a writer behind them, readers behind the writer. */
static int lab_plant_starve(void)
{
	struct rw_semaphore *sem = &lab_locks.starved;

	init_rwsem(sem);
	return lab_holder("lab_reader1", LAB_READ, sem) ?: lab_holder("lab_reader2", LAB_READ, sem) ?:
	       lab_holder("lab_reader3", LAB_READ, sem) ?: lab_waiter("lab_writer", LAB_WRITE, sem) ?:
	       lab_waiter("lab_reader4", LAB_READ, sem) ?: lab_waiter("lab_reader5", LAB_READ, sem);
}

/* Two readers stay, and the one that the rwsem names as its owner, the last to come, has let go. */
static int lab_plant_hint(void)
{
	struct rw_semaphore *sem = &lab_locks.hinted;

	init_rwsem(sem);
	return lab_holder("lab_scan1", LAB_READ, sem) ?: lab_holder("lab_scan2", LAB_READ, sem) ?:
	       lab_holder("lab_stat", LAB_READ_BRIEFLY, sem) ?: lab_waiter("lab_resize", LAB_WRITE, sem) ?:
	       lab_waiter("lab_scan3", LAB_READ, sem) ?: lab_waiter("lab_scan4", LAB_READ, sem);
}

static int lab_plant_percpu(void)
{
	struct percpu_rw_semaphore *read = &lab_locks.percpu_read, *write = &lab_locks.percpu_write;
	int error = percpu_init_rwsem(read) ?: percpu_init_rwsem(write);

	return error ?: lab_holder("lab_pc_read1", LAB_PERCPU_READ, read) ?:
	       lab_holder("lab_pc_read2", LAB_PERCPU_READ, read) ?: lab_waiter("lab_pc_write1", LAB_PERCPU_WRITE, read) ?:
	       lab_waiter("lab_pc_read3", LAB_PERCPU_READ, read) ?: lab_waiter("lab_pc_write2", LAB_PERCPU_WRITE, read) ?:
	       lab_holder("lab_pc_owner", LAB_PERCPU_WRITE, write) ?:
	       lab_waiter("lab_pc_read4", LAB_PERCPU_READ, write) ?:
	       lab_waiter("lab_pc_write3", LAB_PERCPU_WRITE, write) ?: lab_waiter("lab_pc_read5", LAB_PERCPU_READ, write);
}

static int lab_plant_semaphore(void)
{
	struct semaphore *sem = &lab_locks.semaphore;

	sema_init(sem, 1);
	return lab_holder("lab_sem_owner", LAB_SEMAPHORE, sem) ?: lab_waiter("lab_sem1", LAB_SEMAPHORE, sem) ?:
	       lab_waiter("lab_sem2", LAB_SEMAPHORE, sem);
}

/* The last to come is a real-time task, and so the first in the queue. */
static int lab_plant_rt_mutex(void)
{
	struct rt_mutex *lock = &lab_locks.rt_mutex;
	struct lab_actor *urgent;
	int error;

	rt_mutex_init(lock);
	error = lab_holder("lab_rt_owner", LAB_RT_MUTEX, lock) ?: lab_waiter("lab_rt1", LAB_RT_MUTEX, lock) ?:
		lab_waiter("lab_rt2", LAB_RT_MUTEX, lock);
	if (error)
		return error;
	urgent = lab_cast("lab_rt_fifo", NOTHING, NOTHING);
	if (IS_ERR(urgent))
		return PTR_ERR(urgent);
	sched_set_fifo(urgent->task);
	error = lab_want(urgent, LAB_RT_MUTEX, lock);
	/* The truth lists a queue by turns. */
	urgent->turn = -1;
	return error;
}

static int lab_plant_completion(void)
{
	init_completion(&lab_locks.completion);
	return lab_waiter("lab_done1", LAB_COMPLETION, &lab_locks.completion) ?:
	       lab_waiter("lab_done2", LAB_COMPLETION, &lab_locks.completion);
}

/* Wait queues by every function that wakes a task. An entry is put at the head of its queue unless it is exclusive. */
static int lab_plant_queues(void)
{
	init_waitqueue_head(&lab_locks.autoremove);
	init_waitqueue_head(&lab_locks.plain);
	init_waitqueue_head(&lab_locks.woken);
	__set_bit(3, &lab_locks.bits);
	lab_locks.page = alloc_page(GFP_KERNEL);
	if (!lab_locks.page)
		return -ENOMEM;
	return lab_waiter("lab_autoremove", LAB_AUTOREMOVE, &lab_locks.autoremove) ?:
	       lab_waiter("lab_default", LAB_DEFAULT, &lab_locks.plain) ?:
	       lab_waiter("lab_woken", LAB_WOKEN, &lab_locks.woken) ?: lab_waiter("lab_bit", LAB_BIT, &lab_locks.bits) ?:
	       lab_waiter("lab_var", LAB_VAR, &lab_locks.variable) ?:
	       lab_holder("lab_page_owner", LAB_PAGE, lab_locks.page) ?:
	       lab_waiter("lab_page", LAB_PAGE, lab_locks.page);
}

/* lab_d_top waits for the readers lab_d_left and lab_d_right, and both of them for lab_d_root: two ways to the same end. */
static int lab_plant_diamond(void)
{
	struct lab_actor *left, *right;
	int error;

	mutex_init(&lab_locks.diamond_root);
	mutex_init(&lab_locks.diamond_left);
	mutex_init(&lab_locks.diamond_right);
	init_rwsem(&lab_locks.diamond_top);
	error = lab_holder("lab_d_root", LAB_MUTEX, &lab_locks.diamond_root);
	if (error)
		return error;
	left = lab_cast("lab_d_left", HAS(LAB_MUTEX, &lab_locks.diamond_left), HAS(LAB_READ, &lab_locks.diamond_top));
	right = lab_cast("lab_d_right", HAS(LAB_MUTEX, &lab_locks.diamond_right), HAS(LAB_READ, &lab_locks.diamond_top));
	return lab_want(left, LAB_MUTEX, &lab_locks.diamond_root) ?:
	       lab_want(right, LAB_MUTEX, &lab_locks.diamond_root) ?:
	       lab_waiter("lab_d_top", LAB_WRITE, &lab_locks.diamond_top) ?:
	       lab_waiter("lab_d_one", LAB_MUTEX, &lab_locks.diamond_left) ?:
	       lab_waiter("lab_d_two", LAB_MUTEX, &lab_locks.diamond_right);
}

static struct {
	const char *word;
	int (*plant)(void);
	/* Comms of a cycle in the order of its waits; NULL where there is none. */
	const char *cycle;
	bool planted;
} lab_lock_states[] = {
	{ "abba_rwsem", lab_plant_abba_rwsem, "lab_rwab,lab_rwba" },
	{ "abba_mixed", lab_plant_abba_mixed, "lab_mix1,lab_mix2,lab_mix3" },
	{ "abba_reader", lab_plant_abba_reader, "lab_rdab,lab_rdba" },
	{ "self", lab_plant_self, "lab_self" },
	{ "chain", lab_plant_chain },
	{ "starve", lab_plant_starve },
	{ "hint", lab_plant_hint },
	{ "percpu", lab_plant_percpu },
	{ "semaphore", lab_plant_semaphore },
	{ "rt_mutex", lab_plant_rt_mutex },
	{ "completion", lab_plant_completion },
	{ "queues", lab_plant_queues },
	{ "diamond", lab_plant_diamond },
	{ "many", lab_plant_many },
};

/* Plants the state of this word, or with "locks" all but the thousand waiters. -EINVAL for an unknown one. */
int lab_locks_plant(const char *word)
{
	bool all = !strcmp(word, "locks");
	int i, error = -EINVAL;

	for (i = 0; i < ARRAY_SIZE(lab_lock_states); i++) {
		if (all ? !strcmp(lab_lock_states[i].word, "many") : strcmp(word, lab_lock_states[i].word))
			continue;
		if (lab_lock_states[i].planted)
			return -EBUSY;
		lab_lock_states[i].planted = true;
		error = lab_lock_states[i].plant();
		if (error)
			return error;
	}
	return error;
}

static void lab_report_claim(struct seq_file *m, const char *record, const struct lab_actor *actor,
			     const struct lab_claim *claim)
{
	if (!claim->op)
		return;
	if (claim->op == LAB_READ_BRIEFLY)
		record = "had";
	seq_printf(m, "%s kind=%s lock=%px mode=%s turn=%d task=%px pid=%d comm=%s\n", record, lab_ops[claim->op].kind,
		   claim->lock, lab_ops[claim->op].mode, actor->turn, actor->task, task_pid_nr(actor->task),
		   actor->task->comm);
}

void lab_locks_report(struct seq_file *m)
{
	int i, j;

	for (i = 0; i < lab_actors_count; i++) {
		for (j = 0; j < LAB_HAS; j++)
			lab_report_claim(m, "has", &lab_actors[i], &lab_actors[i].has[j]);
		lab_report_claim(m, "wants", &lab_actors[i], &lab_actors[i].wants);
	}
	for (i = 0; i < ARRAY_SIZE(lab_lock_states); i++)
		if (lab_lock_states[i].planted && lab_lock_states[i].cycle)
			seq_printf(m, "cycle name=%s tasks=%s\n", lab_lock_states[i].word, lab_lock_states[i].cycle);
}
