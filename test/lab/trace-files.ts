/**
 * Traces that are kept: saved as files that trace-cmd reads, opened again, recorded with their session and replayed; and
 * what a killed session has left, told on connecting.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Client, sshPortOf } from './client.ts';
import type { Guest } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

export interface TraceFilesOptions {
  readonly guest: () => Guest;
  readonly client: () => Client;
  readonly rows: (answer: Answer | undefined) => Rows;
}

const START = 'trace start function -f version_proc_show -s';
const EVENTS = 'trace start events -e sched:sched_process_fork -e sched:sched_process_exec -e sched:sched_process_exit';

/** Reads /proc/version again and again, and leaves the emulated processor to others most of the time. */
const READING = '(while :; do cat /proc/version > /dev/null; usleep 100000; done)';
/** Reads it until it is killed; prints who does. */
export const READ_ON = `${READING} < /dev/null > /dev/null 2>&1 & echo $!`;

/** A shell command, and reads of it for as long as that takes. */
export const whileRead = (command: string): string => `${READING} & reader=$!; ${command}; kill $reader`;

/** A program's name as a tracer knows it: one that still runs may have that of the shell that started it, or none yet. */
export const nameOf = (program: string): unknown => expect.stringMatching(`^(?:${program}|sh|<\\.\\.\\.>)$`);

/** What the kernel's text and the raw record both tell. */
const told = (all: Rows): Rows => all.map(({ cpu, pid, event, text, flags }) => ({ cpu, pid, event, text, flags }));

export function traceFiles({ guest, client, rows }: TraceFilesOptions): void {
  test.each([
    ['while it is on', 'save'],
    ['after it was stopped', 'stop'],
  ])('a trace that is saved over ssh %s says what the kernel says of it, and trace-cmd as well', async (_, first) => {
    const folder = mkdtempSync(join(tmpdir(), 'kdbg-lab-'));
    try {
      const path = join(folder, 'trace.dat');
      const [save, stop] = [`trace save ${path}`, 'trace stop'];
      const ends = first === 'save' ? [save, stop] : [stop, save];
      const lines = [EVENTS, 'repeat -n 2 -s 2 trace stat', 'trace show', ...ends];
      const input = [...lines, `trace open ${path}`, 'trace show'].join('\n');
      const reader = (await guest().must(READ_ON)).trim();
      const recording = join(folder, 'saved.kdbg');
      const run = await client().run([...client().ssh(sshPortOf(guest())), '--json', '--record', recording], { input });
      await guest().must(`kill ${reader}`);
      const [, , shown, one, other, , again] = answersIn(run.stdout);
      const [{ entries } = {}] = rows(first === 'save' ? one : other);
      const before = told(rows(shown));
      expect(before.length).toBeGreaterThan(3);
      expect(rows(again)).toHaveLength(Number(entries));
      expect(told(rows(again)).slice(0, before.length)).toEqual(before);
      expect(rows(again)[0]?.['fields']).toBeTypeOf('object');
      const report = spawnSync('trace-cmd', ['report', '-i', path], { encoding: 'utf8' });
      const reported = report.stdout.split('\n').flatMap((line) => {
        const match = /-(\d+) +\[(\d+)\].*: (sched_process_\w+): +(.*)$/.exec(line);
        return match === null ? [] : [match.slice(1)];
      });
      expect(reported).toEqual(
        rows(again).map(({ pid, cpu, event, text }) => [String(pid), String(cpu).padStart(3, '0'), event, text]),
      );
      const saved = readFileSync(path);
      rmSync(path);
      const replayed = await client().run(['replay', recording, '--json'], { input });
      expect(answersIn(replayed.stdout)).toEqual(answersIn(run.stdout));
      expect(saved.equals(readFileSync(path))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a session that traced is replayed as it was', async () => {
    const lines = [START, 'trace', 'trace stat', 'trace show', 'trace stop', 'trace show -n 1'];
    const words = [...lines, 'trace callers version_proc_show --for 1'].map((line) => `-c '${line}'`).join(' ');
    await guest().must('rm -f /tmp/traced.kdbg');
    const recorded = answersIn(
      await guest().must(whileRead(`kdbg --record /tmp/traced.kdbg --json ${words}`), { timeoutMs: 120_000 }),
    );
    expect(rows(recorded[3]).length).toBeGreaterThan(0);
    const replayed = answersIn(await guest().must(`kdbg replay /tmp/traced.kdbg --json ${words}`));
    expect(replayed).toEqual(recorded);
    const [anew] = answersIn(
      await guest()
        .run(`kdbg replay /tmp/traced.kdbg --json -c '${EVENTS}'`)
        .then((ran) => ran.stdout),
    );
    expect(anew?.error).toMatch(/this is a recording/);
  });

  test('what a killed session has left is told on connecting', async () => {
    const left = '/sys/kernel/tracing/instances/kdbg-0badc0de';
    const output = await guest().must(`mkdir ${left} && echo 0 > ${left}/tracing_on && kdbg -c 'trace clean' 2>&1`);
    expect(output).toMatch(/"trace clean" removes what earlier sessions of kdbg have left: kdbg-0badc0de\n/);
    expect(output).toMatch(/^removed kdbg-0badc0de$/m);
  });
}
