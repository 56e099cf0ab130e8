/** Commands of the user's on this machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runLocally } from '../../../src/backends/local/command.ts';
import type { FileStream } from '../../../src/core/memory/backend.ts';

function run(...words: readonly string[]): FileStream {
  const stream = runLocally({ words, pidFiles: [] }, () => undefined);
  if ('reason' in stream) throw new Error(stream.detail);
  return stream;
}

function outcome(stream: FileStream): readonly [string, string | undefined] {
  const got: Uint8Array[] = [];
  while (stream.ended === undefined) if (stream.wait(1000)) got.push(stream.take());
  stream.close();
  return [Buffer.concat(got).toString(), stream.ended];
}

test('its words are its arguments, and what it prints comes with how it ended', () => {
  expect(outcome(run('printf', '%s|', 'a b', '$(id)', "';x", '', 'ä\n'))).toEqual(["a b|$(id)|';x||ä\n|", 'exit 0']);
  expect(outcome(run('sh', '-c', 'echo out; echo err >&2; exit 3'))).toEqual(['out\nerr\n', 'exit 3']);
  expect(outcome(run('no-such-program-here'))[1]).toBe('exit 127');
  expect(outcome(run('sh', '-c', 'cat; sleep 20 & echo done'))).toEqual(['done\n', 'exit 0']);
});

test('what it prints waits until it is taken', () => {
  const [text, how] = outcome(run('sh', '-c', 'i=0; while [ $i -lt 100000 ]; do echo 0123456789; i=$((i+1)); done'));
  expect([text.length, how]).toEqual([1_100_000, 'exit 0']);
});

test.each([
  ['it ends', 'echo ready; sleep 60; :'],
  ['it ends even if it ignores being told to', "trap '' TERM; echo ready; while :; do sleep 1; done"],
  ['what it has in the background ends', '(echo ready; sleep 60; :) & wait'],
])('%s when nobody wants it any more', async (_, script) => {
  const words = ['sh', '-c', script, `kdbg-test-local-${process.pid}`];
  const stream = run(...words);
  while (stream.take().length === 0) stream.wait(1000);
  // Not the shells around it, which have more words.
  const isRunning = (): boolean => hasProcess((said) => said === words.join('\0'));
  expect(isRunning()).toBe(true);
  stream.close();
  await expect.poll(isRunning, { timeout: 20_000 }).toBe(false);
});

test('nothing stays beside a command that has ended', async () => {
  const mark = `kdbg-test-local-${process.pid}-ended`;
  const stream = run('true', mark);
  while (stream.ended === undefined) stream.wait(1000);
  await expect.poll(() => hasProcess((said) => said.endsWith(mark)), { timeout: 20_000 }).toBe(false);
  stream.close();
});

test('its PID goes to files of tracefs alone', () => {
  expect(runLocally({ words: ['true'], pidFiles: ['/proc/sys/kernel/panic'] }, () => undefined)).toMatchObject({
    reason: 'denied',
  });
});

/** Whether a process has a command line, its words separated by NUL, like this. */
function hasProcess(like: (said: string) => boolean): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && like(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, ''));
    } catch {
      return false;
    }
  });
}
