/**
 * The session of recordings/writer-starves.kdbg: a writer waits for an rwsem that readers keep. Its owner field names the last
 * reader that came, and that one has let go: why a reader as owner is only a hint.
 */
import type { Guest } from './guest.ts';
import { awaitHung, bare, EVERYDAY, evaluate, note, type Recipe, type Step, stacksByComm } from './recording.ts';

const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const stackOf = await stacksByComm(guest, 'kernel');
  const [writer, named, first, second] = ['lab_resize', 'lab_stat', 'lab_scan1', 'lab_scan2'].map(stackOf);
  if (!writer || !named || !first || !second) throw new Error('the actors are not all there');
  const lock = (await guest.truth()).one('wants', { comm: 'lab_resize' })['lock'] as string;
  const waitList = bare(await evaluate(guest, `&((struct rw_semaphore *)0x${lock})->wait_list`));
  const count = `((struct rw_semaphore *)0x${lock})->count.counter`;
  const actor = (task: string): string =>
    `((struct lab_actor *)((struct kthread *)((struct task_struct *)0x${bare(task)})->worker_private)->data)`;
  const owner = `((struct rw_semaphore *)0x${lock})->owner.counter`;

  return [
    note('A resize does not come to its end, and now readers hang too. What is in uninterruptible sleep?'),
    'ps -m UN',
    'stacks UN',
    note('lab_resize waits for an rwsem to write, two others wait for one to read. The same one?'),
    `bt -f ${writer.pid}`,
    note(
      `down_write keeps its argument on the stack, below the address that it returns to: ${lock}. That word is in the frame of the slow path too.`,
    ),
    `sym ${lock}`,
    `struct rw_semaphore.count,owner -x ${lock}`,
    note('Who waits for it, in which order? Each waiter is a struct on the stack of its task.'),
    `struct rw_semaphore.wait_list -o ${lock}`,
    `list -o rwsem_waiter.list -s rwsem_waiter.task,type -H ${waitList}`,
    `list -o rwsem_waiter.list -s rwsem_waiter.task -H ${waitList} | ps`,
    note(
      'The writer is first. The readers came later and are not let in before it: that is how one reader can stop all.',
    ),
    note('Who has it? In count, bit 0 is a writer, bit 1 says that somebody waits, and bits 8 and up count readers.'),
    `px ${count} & 1`,
    `p ${count} / 256`,
    note('No writer, two readers. And the owner? The low bits are flags, bit 0 of them: a reader. The rest is a task.'),
    `px ${owner} & 1`,
    `px ${owner} & ~7`,
    `ps ${bare(named.task)}`,
    `bt ${named.pid}`,
    note(
      'One task, but two readers. A reader that comes writes its name there, one that goes leaves it as it is. So this was the last to come. Whether it still has the lock is not said here.',
    ),
    note('What is sure is the count. The kernel does not keep who the two are. Who else sleeps in this code?'),
    `bt ${first.pid}`,
    `bt ${second.pid}`,
    note(
      'The same stack three times, and none waits for the lock: stacks do not tell the two that have it. What the code keeps about itself does: each of these threads was started with a struct lab_actor.',
    ),
    ...[first, second, named].map(({ task }) => `px ${actor(task)}->has`),
    note(
      'lab_scan1 and lab_scan2 took it to keep. lab_stat took it briefly and went at once: the owner word names a task that has nothing to do with this, and whoever blames or kills it helps nobody.',
    ),
    note('The same in one command each. A reader that is named as owner is marked as a hint.'),
    `locks ${lock}`,
    `locks -e ${lock}`,
    `waiters ${writer.pid}`,
    'blocked',
    note('There is no cycle. What holds them up is named with the same caution.'),
    'deadlock',
    `held ${named.pid}`,
    note('And step by step: from the writer up to the one that is named, and back along the queue.'),
    `walk ${writer.pid}`,
    'walk up',
    'walk back',
    'walk next',
    note('The kernel has noticed too.'),
    'log -g "blocked for more"',
  ];
};

export const recipe: Recipe = {
  name: 'writer-starves',
  kernel: '6.12',
  prepare: (guest) => awaitHung(guest, 'lab_scan4', () => guest.plant('hint')),
  investigate,
  besides: EVERYDAY,
};
