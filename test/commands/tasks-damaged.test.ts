/** The task commands on a kernel whose memory was damaged: an answer or an error of ours, in bounded time. */
import { expect, it } from 'vitest';
import { parseProcStack } from '../../src/core/kernel/stack-procfs.ts';
import { fakeSession } from '../support/fake-session.ts';
import { FakeSleepers, type Sleeper } from '../support/fake-sleepers.ts';
import { seededRandom } from '../support/mutations.ts';

const SOME: readonly Sleeper[] = [
  { pid: 1, comm: 'init', totalVm: 100, rss: [50], stack: ['__schedule', 'schedule', 'do_wait'] },
  { pid: 2, comm: 'kthreadd', flags: 0x20_0000, stack: ['__schedule', 'schedule', 'kthreadd'] },
  { pid: 70, comm: 'web', parent: 1, state: 2, stack: ['__schedule', 'schedule', 'vfs_write'] },
  { pid: 71, tgid: 70, comm: 'web', parent: 1, state: 2, stack: ['__schedule', 'schedule', 'vfs_write'] },
  { pid: 90, comm: 'spin', state: 0 },
];
const LINES = [
  'ps',
  'ps -p',
  'ps -g',
  'ps -t',
  'ps -r',
  'ps -m',
  'foreach bt -f',
  'bt -v',
  'bt -e UN',
  'stacks',
  'task 1',
  'set',
];
/** Addresses that lead somewhere, nowhere, and back; and small and huge numbers. */
const VALUES = [0n, 1n, 0x1000n, 0xffff_ffff_ffff_ffffn, 0x7fff_ffffn, 0xdead_beef_dead_beefn, 0xffff_8880_0000_0000n];

it('never fails but with an error of ours', () => {
  const random = seededRandom(5);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  for (let round = 0; round < 80; round++) {
    const { fake, tasks, stacks } = new FakeSleepers(SOME);
    const places = [...tasks.addresses.values(), ...tasks.pids.values(), ...tasks.nodes, ...tasks.idle];
    const targets = [...places, ...stacks.values()];
    for (let i = 0; i < 4; i++) {
      const base = pick(targets);
      const isStack = [...stacks.values()].includes(base);
      const offset = isStack ? 0x4000 - 8 * (1 + Math.floor(random() * 60)) : 8 * Math.floor(random() * 80);
      fake.memory.u64((base & ~7n) + BigInt(offset), random() < 0.5 ? pick(VALUES) : pick(places) + 8n);
    }
    const session = fakeSession(fake, { liveness: random() < 0.5 ? 'live' : 'frozen' });
    for (const line of LINES) {
      const { status, error } = session.json(line);
      expect([0, 1], `round ${round}: ${line}: ${error}`).toContain(status);
      session.lines(line);
    }
  }
});

it('reads any /proc/PID/stack', () => {
  const random = seededRandom(6);
  const text = '[<0>] do_wait+0x53/0x1a0\n[<0>] nfs_wait.isra.0+0x10/0x20 [nfs]\n[<0>] entry_SYSCALL_64+0x76/0x7e\n';
  expect(parseProcStack(text)).toEqual([
    { symbol: 'do_wait', offset: 0x53, module: undefined },
    { symbol: 'nfs_wait.isra.0', offset: 0x10, module: 'nfs' },
    { symbol: 'entry_SYSCALL_64', offset: 0x76, module: undefined },
  ]);
  // Older kernels print addresses, and an end mark.
  expect(
    parseProcStack('[<ffffffff81000000>] schedule+0x1/0x2\n[<ffffffffffffffff>] 0xffffffffffffffff\n'),
  ).toHaveLength(1);
  for (let round = 0; round < 10_000; round++) {
    const at = Math.floor(random() * text.length);
    const damaged =
      text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + Math.floor(random() * 9));
    const frames = parseProcStack(damaged);
    expect(typeof frames === 'string' || frames.length <= 4).toBe(true);
  }
  expect(parseProcStack('[<0>] a+0x1/0x2\n'.repeat(100_000))).toHaveLength(256);
});
