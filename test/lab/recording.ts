/**
 * What the scripts that make recordings have in common: boot a guest, plant a state in it, look at it without recording to
 * learn the addresses of this boot, then type an investigation of it into a recorded session.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from './cache.ts';
import { bootGuest, type Guest, type GuestOptions } from './guest.ts';
import type { KernelLine } from './kernel.ts';
import { type Answer, answersIn } from './local-proc.ts';

/** How a recording is made. */
export interface Recipe {
  /** `recordings/NAME.kdbg`, `test/transcripts/NAME`. */
  readonly name: string;
  readonly kernel: KernelLine;
  /** How CPUs are emulated: `single` where functions are traced. */
  readonly threads?: GuestOptions['threads'];
  /** Brings the guest into the state that is investigated. */
  prepare(guest: Guest): Promise<void>;
  /** What is typed, with the addresses of this guest. */
  investigate(guest: Guest): Promise<readonly Step[]>;
  /**
   * Commands whose reads a replay can answer besides. They run as the rc file, which is no part of the session that a
   * replay shows.
   */
  readonly besides: readonly string[] | ((guest: Guest) => Promise<readonly string[]>);
}

/** What whoever replays a hang may want to look at, wherever the session went. */
export const EVERYDAY: readonly string[] = [
  'set scroll off',
  ...['sys', 'mod', 'ps', 'foreach bt', 'foreach UN task', 'log'],
  ...['locks -e', 'blocked', 'deadlock', 'stacks', 'foreach UN held', 'foreach UN bt -f'],
];

export interface Frame {
  /** Where the return address into the function is. */
  readonly sp: string;
  readonly symbol: string;
  readonly offset: number;
}
/** A row of bt. */
export interface Stack {
  readonly pid: number;
  readonly task: string;
  readonly comm: string;
  readonly frames: readonly Frame[];
}

/** A line that is typed, or a remark about what was seen and what comes next. */
export type Step = string | { readonly note: string };

/** A remark; a semicolon would end the command that makes it. */
export const note = (text: string): Step => ({ note: text.replaceAll(';', ',') });

/** The answers to commands that are not recorded; all must succeed. */
export const look = async (guest: Guest, ...commands: readonly string[]): Promise<readonly Answer[]> => {
  const words = commands.map((command) => `-c '${command}'`).join(' ');
  const answers = answersIn(await guest.must(`kdbg --no-rc --json ${words}`, { timeoutMs: 120_000 }));
  const failed = answers.find(({ status }) => status !== 0);
  if (failed !== undefined || answers.length !== commands.length) {
    throw new Error(`the first look failed: ${failed?.command}: ${failed?.error}`);
  }
  return answers;
};

/** The stacks of tasks by comm, which must be there. */
export const stacksByComm = async (
  guest: Guest,
  state: 'UN' | 'IN' | 'kernel' = 'UN',
): Promise<(comm: string) => Stack> => {
  const [answer] = await look(guest, `foreach ${state} bt`);
  const stacks = (answer?.rows ?? []) as readonly Stack[];
  return (comm) => {
    const found = stacks.find((stack) => stack.comm === comm);
    if (found === undefined) throw new Error(`no ${comm} in state ${state}`);
    return found;
  };
};

/** The value of an expression, as p gives it to a program. */
export const evaluate = async <T = string>(guest: Guest, expression: string): Promise<T> => {
  const [answer] = await look(guest, `p ${expression}`);
  return (answer as { rows: readonly { value: T }[] }).rows[0]!.value;
};

/** An address as it is typed: hex digits without 0x. */
export const bare = (address: string): string => BigInt(address).toString(16);

/** Makes the kernel report tasks that hang for 10 s, and waits until it has reported this one. */
export const awaitHung = async (guest: Guest, comm: string, plant: () => Promise<unknown>): Promise<void> => {
  await guest.must('echo 10 > /proc/sys/kernel/hung_task_timeout_secs');
  await plant();
  await guest.must(`until dmesg | grep -q "task ${comm}:.* blocked for more"; do sleep 1; done`, { timeoutMs: 60_000 });
};

/** The typed lines of the session as a transcript; UPDATE=1 writes what they print. */
const writeTranscript = (name: string, steps: readonly Step[]): void => {
  const folder = join(projectRoot, 'test/transcripts', name);
  const lines = steps.map((step) => (typeof step === 'string' ? `kdbg> ${step}` : `## ${step.note}`));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'investigation.txt'), `${lines.join('\n')}\n`);
};

/** Boots, plants, types the session, and writes the recording and its transcript. */
export const makeRecording = async (recipe: Recipe): Promise<void> => {
  const guest = await bootGuest({ kernel: recipe.kernel, ...(recipe.threads && { threads: recipe.threads }) });
  try {
    const config = `config-${guest.kernel.release}`;
    await guest.must('mkdir -p /boot');
    await guest.put(`/boot/${config}`, readFileSync(join(dirname(guest.kernel.vmlinuz), config)));
    await recipe.prepare(guest);
    const steps = await recipe.investigate(guest);
    const lines = steps.map((step) => (typeof step === 'string' ? step : `record note ${step.note}`));
    const besides = typeof recipe.besides === 'function' ? await recipe.besides(guest) : recipe.besides;
    await guest.must('mkdir -p /root/.config/kdbg');
    await guest.put('/root/.config/kdbg/rc', `${besides.join('\n')}\n`);
    const { stdout, stderr, status } = await guest.run('kdbg --record /run/session.kdbg', {
      stdin: Buffer.from(`${lines.join('\n')}\n`),
      timeoutMs: 300_000,
    });
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    if (status !== 0) throw new Error(`the session ended with status ${status}`);
    writeFileSync(join(projectRoot, 'recordings', `${recipe.name}.kdbg`), await guest.get('/run/session.kdbg'));
    writeTranscript(recipe.name, steps);
  } finally {
    await guest.close();
  }
};
