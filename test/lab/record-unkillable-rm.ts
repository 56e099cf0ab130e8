/**
 * The session of recordings/unkillable-rm.kdbg: an rm that no signal ends, as it waits for the lock of the inode that it
 * deletes. Who has that lock waits for a second one, and who has the second waits for the inode.
 */
import type { Guest } from './guest.ts';
import {
  awaitHung,
  bare,
  EVERYDAY,
  evaluate,
  note,
  type Recipe,
  type Stack,
  type Step,
  stacksByComm,
} from './recording.ts';

const SEGMENT = 'segment.7';

/** Where the return address into a function is; `place` is what dis wants to show the code up to there. */
const frameOf = ({ comm, frames }: Stack, symbol: string): { readonly sp: bigint; readonly place: string } => {
  const frame = frames.find((each) => each.symbol === symbol);
  if (frame === undefined) throw new Error(`${comm} is not in ${symbol}`);
  return { sp: BigInt(frame.sp), place: `(${symbol}+0x${frame.offset.toString(16)})` };
};

const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const stackOf = await stacksByComm(guest);
  const [rm, appender, commit, ls] = [stackOf('rm'), stackOf('appender'), stackOf('vault_commit'), stackOf('ls')];
  const inVfs = frameOf(rm, 'vfs_unlink');
  const saved = frameOf(rm, 'down_write').sp + 8n;
  const dentry = bare(await evaluate(guest, `*(unsigned long *)0x${saved.toString(16)}`));
  const name = `((struct dentry *)0x${dentry})->d_name.name`;
  // An array of unsigned char: numbers, as p gives it to a program.
  const letters = await evaluate<readonly number[]>(guest, `((struct dentry *)0x${dentry})->d_iname`);
  const inlineName = String.fromCharCode(...letters.slice(0, letters.indexOf(0)));
  if (inlineName !== SEGMENT) throw new Error(`${dentry} is the dentry of ${inlineName}, not of ${SEGMENT}`);
  const lock = bare(await evaluate(guest, `&((struct dentry *)0x${dentry})->d_inode->i_rwsem`));
  const waitList = bare(await evaluate(guest, `&((struct rw_semaphore *)0x${lock})->wait_list`));

  return [
    note('An rm does not end, and kill -9 did nothing. ls in the same directory hangs too.'),
    'ps rm',
    note('UN is uninterruptible sleep. Has the signal come? Signal 9 is bit 8 of the pending set, 1 << (9 - 1) = 256.'),
    `task -R __state,pending.signal ${rm.pid}`,
    note('It has. But only a task that runs can die, and this one sleeps in a way that signals do not end. In what?'),
    `bt ${rm.pid}`,
    note(
      'vfs_unlink, which deletes a name, waits in down_write for a read-write semaphore, an rwsem. Which one? See how vfs_unlink came to call it.',
    ),
    `dis -r ${inVfs.place}`,
    note(
      'The lock is 0x98 bytes into what %r14 points to, and %r14 was read from the third argument, %rdx, kept in %rbx. The third argument of vfs_unlink is the dentry, the name that is deleted.',
    ),
    'struct inode.i_rwsem -o',
    'struct dentry.d_inode -o',
    note('down_write pushes %rbx first of all, so it is the word below its return address.'),
    'dis down_write 3',
    `bt -f ${rm.pid}`,
    note(`At ${saved.toString(16)}: ${dentry} is the dentry.`),
    `p ${name}`,
    `px &((struct dentry *)0x${dentry})->d_inode->i_rwsem`,
    note('So rm waits for the lock of the inode of the file that it deletes. Who has it?'),
    `struct rw_semaphore.count,owner -x ${lock}`,
    note('Bit 0 of count is a writer: one task has it alone. For a writer, owner is that task, and can be believed.'),
    `ps ${bare(appender.task)}`,
    note('appender. Why does it not give it back?'),
    `bt ${appender.pid}`,
    note(
      'It waits for a mutex in vault_journal_add, called by vault_append. Where did that take the lock of the inode?',
    ),
    'dis vault_append',
    note(
      'It locks 0x98 bytes into what 0x20 of its argument points to, an inode again, and calls vault_journal_add with that lock held. There is a variable of this type.',
    ),
    'sym vault',
    'struct vault -o',
    'struct vault.segment -x vault',
    'struct mutex.owner -x vault',
    note('The mutex is the first member of vault, and the low three bits of its owner are flags.'),
    `ps ${bare(commit.task)}`,
    `bt ${commit.pid}`,
    note(
      'vault_commit has the mutex, and waits in down_write as well. For which lock? Who is on the queue of that inode?',
    ),
    `struct rw_semaphore.wait_list -o ${lock}`,
    `list -o rwsem_waiter.list -s rwsem_waiter.task -H ${waitList} | ps`,
    note(
      `That closes the circle. appender (${appender.pid}) has the inode and waits for the journal, vault_commit (${commit.pid}) has the journal and waits for the inode. rm only stands behind them.`,
    ),
    'dis vault_commit',
    note(
      'The mistake is in the order: vault_append locks inode and then journal, vault_commit journal and then inode.',
    ),
    note('And ls? Whoever deletes a name has its directory locked. rm has, and keeps it for as long as it waits.'),
    `bt ${ls.pid}`,
    `held ${rm.pid}`,
    note('The same in one command each.'),
    'blocked',
    'locks',
    'deadlock',
    note('And step by step: from ls up to rm, to appender, to vault_commit, and to appender again.'),
    `walk ${ls.pid}`,
    'walk up',
    'walk up',
    'walk up',
    'walk up',
    note('The kernel has noticed too.'),
    'log -g "blocked for more"',
    note('No signal helps here. Only a restart does, and then a fix: all who need both locks take them in one order.'),
  ];
};

export const recipe: Recipe = {
  name: 'unkillable-rm',
  kernel: '6.12',
  prepare: (guest) => awaitHung(guest, 'touch', () => guest.must('hang rm')),
  investigate,
  besides: EVERYDAY,
};
