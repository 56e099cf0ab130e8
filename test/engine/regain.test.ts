/** A session whose target is lost and met again: what a user keeps, and what is said. */
import { describe, expect, it } from 'vitest';
import { OpenError } from '../../src/core/errors.ts';
import { textOf } from '../../src/core/output/line.ts';
import type { Output } from '../../src/engine/protocol.ts';
import { Session } from '../../src/engine/session.ts';
import type { FakeKernel } from '../support/fake-kernel.ts';
import { FakeLink, fakeRemote } from '../support/fake-link.ts';
import { NOT_RECORDING } from '../support/fake-session.ts';
import { FakeSleepers } from '../support/fake-sleepers.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

/** A session on tasks behind a link. */
function open(fake: FakeKernel = new FakeTasks([1, 3, 7].map((pid) => ({ pid }))).fake) {
  const link = new FakeLink(fake.memory);
  const { backend } = fakeRemote(link);
  const notices: string[] = [];
  const kernel = fake.kernel({ backend, notice: (text) => notices.push(text) });
  const recording = { path: undefined as string | undefined, stopped: 0 };
  const session = new Session({
    kernel,
    recorder: {
      ...NOT_RECORDING,
      get path() {
        return recording.path;
      },
      stop: () => void recording.stopped++,
    },
    pid: 1,
    cancelled: () => false,
    notices,
    failures: [],
    replay: undefined,
  });
  const outputs = (line: string, pane = false): readonly Output[] => [
    ...session.execute(line, { json: false, rc: false, pane }),
  ];
  const lines = (line: string, pane?: boolean): readonly string[] =>
    outputs(line, pane).flatMap((output) => {
      if (output.kind === 'lines') return output.lines.map(textOf);
      return output.kind === 'error' ? output.lines : [];
    });
  return { link, session, lines, outputs, recording, kernel };
}

describe('a session whose connection is lost', () => {
  it('ends the command with what is known so far, and says so', () => {
    const sleepers = Array.from({ length: 200 }, (_, i) => ({ pid: i + 1, stack: ['schedule', 'vfs_read'] }));
    const { link, lines, outputs } = open(new FakeSleepers(sleepers).fake);
    const whole = lines('foreach bt').length;
    link.requests.length = 0;
    lines('foreach bt');
    let left = link.requests.length;
    link.onRequest = () => {
      if (--left === 0) link.lost = 'the connection was reset';
    };
    const got = outputs('foreach bt');
    const rows = got.flatMap((output) => (output.kind === 'lines' ? output.lines : []));
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.length).toBeLessThan(whole);
    expect(got.filter(({ kind }) => kind === 'error')).toMatchObject([
      { status: 1, lines: [expect.stringContaining('the connection to web7 was lost: the connection was reset')] },
    ]);
    // Not a word about each of the tasks that could not be read.
    expect(rows.map(textOf).join('\n')).not.toContain('left out');
  });

  it('connects again with the next command, and goes on where it was', () => {
    const { link, lines, session } = open();
    lines('set 7');
    link.lost = 'gone';
    const after = lines('ps 3');
    expect(after.join('\n')).toContain('connected to ssh:web7 again: it was not rebooted');
    expect(after.join('\n')).toContain('task3');
    expect(session.scope().context.pid).toBe(7);
    expect(session.shell.history()).toEqual(['set 7', 'ps 3']);
    expect(lines('ps 3').join('\n')).not.toContain('again');
  });

  it('runs what needs no target while the host is gone, and says why the rest fails', () => {
    const { link, lines } = open();
    link.lost = 'gone';
    link.refusals.push(...Array.from({ length: 6 }, () => new OpenError('no route to host')));
    expect(lines('help ps').join('\n')).toMatch(/web7 cannot be reached: no route to host.*list tasks/s);
    const failed = lines('ps');
    expect(failed.join('\n')).toContain('no route to host');
    expect(failed.join('\n')).toContain('the connection to web7 was lost');
    expect(lines('ps 3').join('\n')).toContain('task3');
  });

  it('connects again on an empty line, and not for a pane', () => {
    const { link, lines } = open();
    expect(lines('')).toEqual([]);
    link.lost = 'gone';
    expect(lines('ps 3', true).join('\n')).toContain('was lost');
    expect(link.lost).toBe('gone');
    expect(lines('  ').join('\n')).toContain('connected to ssh:web7 again');
    expect(link.lost).toBeUndefined();
  });

  it('forgets the kernel of before a reboot, and ends the recording of it', () => {
    const { link, lines, session, recording, kernel } = open();
    lines('set 7');
    recording.path = 'a.kdbg';
    kernel.memo('something', 'session', () => 1);
    link.lost = 'gone';
    link.facts = { ...link.facts, bootId: 'boot-2' };
    const said = lines('help ps').join('\n');
    expect(said).toContain('it was rebooted');
    expect(said).toContain('the recording ends here');
    expect(recording.stopped).toBe(1);
    expect(session.scope().context).toEqual({ task: undefined, pid: 1, cpu: 0 });
    expect(kernel.memo('something', 'session', () => 2)).toBe(2);
  });
});
