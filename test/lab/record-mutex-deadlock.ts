/**
 * The session of recordings/mutex-deadlock.kdbg: how a person finds an AB-BA deadlock by hand. Addresses and offsets
 * differ from boot to boot and from kernel to kernel, so a first look, which is not recorded, asks for them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commands } from '../../commands/index.ts';
import { projectRoot } from './cache.ts';
import { bootGuest, type Guest } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';

interface Frame {
  /** Where the return address into the function is. */
  readonly sp: string;
  readonly symbol: string;
  readonly offset: number;
}
interface Stack {
  readonly pid: number;
  readonly task: string;
  readonly comm: string;
  readonly frames: readonly Frame[];
}

/** A line that is typed, or a remark about what was seen and what comes next. */
type Step = string | { readonly note: string };

/** A semicolon would end the command that makes the note. */
const note = (text: string): Step => ({ note: text.replaceAll(';', ',') });

const look = async (guest: Guest, ...commands: readonly string[]): Promise<readonly Answer[]> => {
  const words = commands.map((command) => `-c '${command}'`).join(' ');
  const answers = answersIn(await guest.must(`kdbg --no-rc --json ${words}`, { timeoutMs: 120_000 }));
  const failed = answers.find(({ status }) => status !== 0);
  if (failed !== undefined || answers.length !== commands.length) {
    throw new Error(`the first look failed: ${failed?.command}: ${failed?.error}`);
  }
  return answers;
};

/** The investigation, with the addresses of this guest. */
export const investigate = async (guest: Guest): Promise<readonly Step[]> => {
  const [stacked] = await look(guest, 'foreach UN bt');
  const stacks = (stacked?.rows ?? []) as readonly Stack[];
  const stackOf = (comm: string): Stack => {
    const found = stacks.find((stack) => stack.comm === comm);
    if (found === undefined) throw new Error(`${comm} is not in D state`);
    return found;
  };
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
  const bare = (address: string): string => BigInt(address).toString(16);

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

const TRANSCRIPT = join(projectRoot, 'test/transcripts/mutex-deadlock/investigation.txt');

/** The typed lines of the session as a transcript; UPDATE=1 writes what they print. */
const writeTranscript = (steps: readonly Step[]): void => {
  const lines = steps.map((step) => (typeof step === 'string' ? `kdbg> ${step}` : `## ${step.note}`));
  writeFileSync(TRANSCRIPT, `${lines.join('\n')}\n`);
};

/** Boots, plants, waits until the kernel itself has noticed, records, and checks the recording. */
export const makeRecording = async (path: string): Promise<void> => {
  const guest = await bootGuest({ kernel: '6.1' });
  try {
    const config = `config-${guest.kernel.release}`;
    await guest.must('mkdir -p /boot');
    await guest.put(`/boot/${config}`, readFileSync(join(dirname(guest.kernel.vmlinuz), config)));
    await guest.must('echo 10 > /proc/sys/kernel/hung_task_timeout_secs');
    await guest.plant('deadlock');
    await guest.must('until dmesg | grep -q "task lab_wait3:.* blocked for more"; do sleep 1; done', {
      timeoutMs: 60_000,
    });
    const steps = await investigate(guest);
    const lines = steps.map((step) => (typeof step === 'string' ? step : `record note ${step.note}`));
    await guest.must('mkdir -p /root/.config/kdbg');
    await guest.put('/root/.config/kdbg/rc', `${PREPARED.join('\n')}\n`);
    const { stdout, stderr, status } = await guest.run('kdbg --record /run/session.kdbg', {
      stdin: Buffer.from(`${lines.join('\n')}\n`),
      timeoutMs: 300_000,
    });
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    if (status !== 0) throw new Error(`the session ended with status ${status}`);
    writeFileSync(path, await guest.get('/run/session.kdbg'));
    writeTranscript(steps);
  } finally {
    await guest.close();
  }
};
