/**
 * The session of recordings/mutex-deadlock.kdbg: how a person finds an AB-BA deadlock by hand. Addresses and offsets
 * differ from boot to boot and from kernel to kernel, so a first look, which is not recorded, asks for them.
 */
import { commands } from '../../commands/index.ts';
import type { Guest } from './guest.ts';
import { awaitHung, bare, look, note, type Recipe, type Stack, type Step, stacksByComm } from './recording.ts';

/** The investigation, with the addresses of this guest. */
const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const stackOf = await stacksByComm(guest);
  const [ab, ba, waiter] = [stackOf('lab_ab'), stackOf('lab_ba'), stackOf('lab_wait1')];
  const slowPath = waiter.frames.find(({ symbol }) => symbol.startsWith('__mutex_lock'))?.symbol;
  const place = (stack: Stack, symbol: string): string => {
    const frame = stack.frames.find((each) => each.symbol === symbol);
    if (frame === undefined) throw new Error(`${stack.comm} is not in ${symbol}`);
    return `(${symbol}+0x${frame.offset.toString(16)})`;
  };
  const truth = await guest.truth();
  const [a, b] = ['mutex_a', 'mutex_b'].map((name) => truth.one('lock', { name })['address'] as string);

  const returnSlot = BigInt(waiter.frames.find(({ symbol }) => symbol === 'lab_queue_behind')?.sp ?? 0);
  const saved = (returnSlot - 48n).toString(16);
  const waitList = (
    await look(guest, `p &((struct mutex *)0x${a})->wait_list`, `p &((struct mutex *)0x${b})->wait_list`)
  ).map((answer) => BigInt((answer.rows[0] as { value: string }).value).toString(16));
  const owner = (mutex: string): string => `px ((struct mutex *)0x${mutex})->owner.counter & ~7`;

  return [
    note('Jobs on this machine stand still and cannot be killed. What is in uninterruptible sleep, and for how long?'),
    'sys',
    'ps -m UN',
    note('Seven tasks. What do they wait in?'),
    'stacks UN',
    note(`Five of them are in ${slowPath}: they wait for a mutex. Three of those came through lab_queue_behind.`),
    `bt ${waiter.pid}`,
    note('Which mutex? Look at how lab_queue_behind called mutex_lock: its argument, in %rdi, is kept in %rbx.'),
    `dis -r ${place(waiter, 'lab_queue_behind')}`,
    note('mutex_lock gives %rbx back before it jumps to its slow path,'),
    'dis mutex_lock',
    note('which saves it on the stack: %rbx is the sixth word that it pushes, below its return address.'),
    `dis ${slowPath} 10`,
    `bt -f ${waiter.pid}`,
    note(
      `The return address into lab_queue_behind is at ${returnSlot.toString(16)}, so %rbx is at ${saved}: ${a}. What is that, and who owns it?`,
    ),
    `sym ${a}`,
    `struct mutex -x ${a}`,
    note('The low three bits of owner are flags (1: somebody waits). The rest is a task.'),
    owner(a as string),
    `ps ${bare(ab.task)}`,
    note(`lab_ab owns it. Who waits for it? Each waiter is linked from the stack of its task into wait_list.`),
    `struct mutex.wait_list -o ${a}`,
    `list -H ${waitList[0]} -s mutex_waiter.task`,
    `list -H ${waitList[0]} -s mutex_waiter.task | ps`,
    note('lab_ba, lab_wait1 and lab_wait2. lab_ab could let them go on, but it sleeps itself. In what?'),
    `bt ${ab.pid}`,
    `dis -r ${place(ab, 'lab_ab_thread')}`,
    note(`lab_ab_thread locked ${a} by its first call, and then called lab_take_second with ${b}: a second mutex.`),
    `struct mutex -x ${b}`,
    owner(b as string),
    `ps ${bare(ba.task)}`,
    `list -H ${waitList[1]} -s mutex_waiter.task | ps`,
    note(
      `That closes the circle. lab_ab (${ab.pid}) holds ${a} and waits for ${b}. lab_ba (${ba.pid}) holds ${b} and waits for ${a}. Neither will ever run again, nor will the three that queue behind them.`,
    ),
    `bt ${ba.pid}`,
    note('The kernel has noticed too.'),
    'log -g "blocked for more"',
  ];
};

/**
 * What others may want to look at besides: all that the documented examples read, the stacks of all tasks, the log. It is
 * run as the rc file, which is no part of the session that a replay shows.
 */
const PREPARED = [
  'set scroll off',
  'ps',
  'foreach bt',
  // What the examples of p read: p itself would count its values up, and a replay of the session alone begins at $1.
  'struct rq runqueues:a',
  'rd jiffies_64',
  ...commands
    .filter(({ group }) => group !== 'shell')
    .flatMap(({ examples }) => examples.map(({ line }) => line))
    // A walk would leave another context, and reads nothing that deadlock, locks and bt do not.
    .filter((line) => !/^(set|p|search -V|walk)\b/.test(line)),
];

export const recipe: Recipe = {
  name: 'mutex-deadlock',
  kernel: '6.1',
  prepare: (guest) => awaitHung(guest, 'lab_wait3', () => guest.plant('deadlock')),
  investigate,
  besides: PREPARED,
};
