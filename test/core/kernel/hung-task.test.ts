/** Which tasks khungtaskd would report, by states, flags and times. */
import { expect, test } from 'vitest';
import { hungTaskRule } from '../../../src/core/kernel/hung-task.ts';
import { U64 } from '../../support/fake-kernel.ts';
import { FakeTasks } from '../../support/fake-tasks.ts';

const PF_FROZEN = 0x10000;
const PF_FREEZER_SKIP = 0x40000000;
const LONG_AGO = 121_000;

interface Candidate {
  readonly state?: number;
  readonly flags?: number;
  readonly switches?: number;
  readonly waitedMs?: number | undefined;
  readonly timeout?: bigint;
  /** Whether freezing is a state, as since 6.1. */
  readonly freezerState?: boolean;
}

function isHung({ state = 2, flags = 0, switches = 3, freezerState = true, ...of }: Candidate): boolean {
  const { fake, ...tasks } = planted(state, flags, switches);
  if (of.timeout !== undefined) fake.globalInteger('sysctl_hung_task_timeout_secs', U64, of.timeout);
  if (freezerState) fake.globalInteger('freezer_active', U64, 0n);
  const waitedMs = 'waitedMs' in of ? of.waitedMs : LONG_AGO;
  return hungTaskRule(fake.kernel()).isHung(tasks.address, waitedMs);
}

function planted(state: number, flags: number, switches: number) {
  const tasks = new FakeTasks([{ pid: 7, state, flags }]);
  const address = tasks.address(7);
  tasks.fake.set(tasks.fake.type('task_struct'), address, 'nvcsw', BigInt(switches));
  return { fake: tasks.fake, address };
}

test.each<[string, Candidate, boolean]>([
  ['uninterruptible', {}, true],
  ['interruptible', { state: 1 }, false],
  ['killable', { state: 0x102 }, false],
  ['idle', { state: 0x402 }, false],
  ['freezable, and not frozen', { state: 0x2002 }, true],
  ['frozen', { state: 0x8002 }, false],
  ['frozen, until 6.0', { flags: PF_FROZEN, freezerState: false }, false],
  ['in vfork, until 6.0', { flags: PF_FREEZER_SKIP, freezerState: false }, false],
  ['with flags that mean something else by now', { flags: PF_FROZEN | PF_FREEZER_SKIP }, true],
  ['never switched out', { switches: 0 }, false],
  ['not for long enough', { waitedMs: 119_000 }, false],
  ['by a shorter timeout', { waitedMs: 11_000, timeout: 10n }, true],
  ['by a longer timeout', { timeout: 600n }, false],
  ['with the check switched off', { timeout: 0n }, false],
  ['by a timeout that is none', { timeout: 0xffff_ffff_ffffn }, true],
  ['for a time that is not kept', { waitedMs: undefined }, false],
])('%s', (_name, candidate, expected) => {
  expect(isHung(candidate)).toBe(expected);
});

test('the timeout is the default where the kernel has no rule, or it cannot be read', () => {
  const { fake } = new FakeTasks([{ pid: 7 }]);
  expect(hungTaskRule(fake.kernel())).toMatchObject({ timeout: 120, isKernels: false });
  fake.symbols.add('sysctl_hung_task_timeout_secs', 0xffff_ffff_8fff_0000n);
  expect(hungTaskRule(fake.kernel())).toMatchObject({ timeout: 120, isKernels: false });
  expect(hungTaskRule(fake.kernel()).isHung(0xffff_8880_dead_0000n, LONG_AGO)).toBe(false);
});
