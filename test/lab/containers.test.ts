/**
 * kdbg inside the guest reads back, from its own kernel's memory, everything that the module planted there: each list, tree,
 * per-CPU variable and value of every C type, as the module itself reports it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planted } from './container-checks.ts';
import { bootGuest, type Guest } from './guest.ts';
import { answersIn } from './local-proc.ts';

describe.each([
  { kernel: '6.1', paging: 4 },
  { kernel: '6.12', paging: 5 },
] as const)('what is planted in $kernel, $paging levels of page tables', ({ kernel, paging }) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel, paging });
  });
  afterAll(() => guest?.close());

  test('every object reads back as the module reports it', async () => {
    const checks = planted(await guest.truth());
    const output = await guest.must('kdbg --json; true', {
      stdin: Buffer.from(checks.map(({ command }) => command).join('\n')),
      timeoutMs: 120_000,
    });
    const answers = answersIn(output);
    expect(answers).toHaveLength(checks.length);
    let entries = 0;
    for (const [i, { name, command, expected, actual }] of checks.entries()) {
      const answer = answers[i];
      expect(answer?.command).toBe(command);
      expect(answer && actual(answer), `${name}: ${command}`).toEqual(expected);
      entries += Array.isArray(expected) ? expected.length : 1;
    }
    process.stdout.write(`lab ${kernel}: ${checks.length} objects, ${entries} entries read back\n`);
    expect(checks.length).toBeGreaterThan(120);
    expect(entries).toBeGreaterThan(3500);
  });
});
