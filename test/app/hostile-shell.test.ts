/**
 * `kdbg shell` on far sides that are broken or mean no good. Each run must end by itself, in bounded time and memory,
 * with status 3 (no target) or 1 (a command failed) or 0 (the target is fine all the same), say why in words, and give the
 * terminal nothing to obey.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Ended, type Program } from '../support/program.ts';

const HOSTILE = join(import.meta.dirname, '../support/hostile-shell.mjs');
/** What a run may take: opening waits some time for a far side that is silent. */
const PATIENCE_MS = 90_000;
const MEMORY_MB = 400;

let program: Program;
beforeAll(() => {
  program = buildProgram();
}, PATIENCE_MS);
afterAll(() => program.remove());

/** Runs commands on such a far side. */
async function run(mode: string, number = 0, commands: readonly string[] = ['status']): Promise<Ended> {
  const target = ['shell', '--no-rc', '--no-cache', ...commands.flatMap((each) => ['-c', each])];
  const far = ['--', process.execPath, HOSTILE, mode, String(number)];
  return program.run([...target, ...far], { timeoutMs: PATIENCE_MS });
}

/** What holds for every run. */
function expectTame(ended: Ended, statuses: readonly number[]): void {
  const { status, signal, stdout, stderr, memoryMb } = ended;
  const told = `${signal} ${status}\n${stdout.slice(0, 2000)}\n--\n${stderr.slice(0, 2000)}`;
  expect(signal, told).toBe(null);
  expect(statuses, told).toContain(status);
  for (const text of [stdout, stderr]) {
    expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e\u2066]/.exec(text), told).toBe(null);
    expect(text.length, told).toBeLessThan(100_000);
  }
  expect(stderr, told).not.toMatch(/internal error|undefined|\[object|at .*\.js:/);
  if (status !== 0) expect(stderr, told).toMatch(/^kdbg: /m);
  expect(memoryMb, told).toBeLessThan(MEMORY_MB);
}

describe('a far side that is no shell', () => {
  const cases: readonly { mode: string; number?: number; says: RegExp }[] = [
    { mode: 'silent', says: /answer|silent/ },
    { mode: 'exit', number: 0, says: /not today/ },
    { mode: 'exit', number: 127, says: /127/ },
    { mode: 'random', says: /./ },
    { mode: 'endless', says: /./ },
    { mode: 'one-line', says: /./ },
    { mode: 'errors', says: /./ },
    { mode: 'echo', says: /./ },
    { mode: 'login', says: /Login incorrect|login:/ },
  ];
  it.concurrent.each(cases)('$mode $number ends with why', { timeout: PATIENCE_MS + 5000 }, async (each) => {
    const ended = await run(each.mode, each.number);
    expectTame(ended, [3]);
    expect(ended.stderr).toMatch(each.says);
  });

  it('may be a program that is not there', async () => {
    const ended = await program.run(['shell', '--no-rc', '-c', 'status', '--', '/nonexistent/shell']);
    expectTame(ended, [3]);
    expect(ended.stderr).toMatch(/nonexistent/);
  });
});

describe('a shell that says something first', () => {
  it.each(['banner', 'motd'])('%s is passed over', { timeout: PATIENCE_MS }, async (mode) => {
    const ended = await run(mode, 0, ['status', 'sys']);
    expectTame(ended, [0]);
    expect(ended.stdout).toContain('shell:');
  });
});

describe('a shell whose words are changed on the way', () => {
  const changes = ['flip', 'drop', 'repeat', 'insert', 'cut', 'giant', 'freeze'];
  const places = [0, 700, 200_000];
  it.concurrent.each(changes.flatMap((change) => places.map((place) => ({ change, place }))))(
    '$change after $place bytes',
    { timeout: 2 * PATIENCE_MS },
    async ({ change, place }) => {
      expectTame(await run(change, place, ['status', 'mod', 'ps', 'sym schedule']), [0, 1, 3]);
    },
  );
});

describe('a reader whose frames are changed on the way', () => {
  const changes = ['longer', 'shorter', 'raw', 'sum', 'stranger', 'twice', 'deflated'];
  it.each(changes.flatMap((change) => [0, 2, 9].map((place) => ({ change, place }))))(
    '$change, frame $place',
    { timeout: PATIENCE_MS },
    async ({ change, place }) => {
      expectTame(await run(change, place, ['status', 'mod', 'ps', 'sym schedule']), [0, 1, 3]);
    },
  );
});
