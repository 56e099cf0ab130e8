/** A session that traces, recorded and replayed: what it did and read is there again, and nothing is done anew. */
import { afterAll, describe, expect, test } from 'vitest';
import { encodeText } from '../../src/core/memory/text.ts';
import { EngineRecorder } from '../../src/engine/recorder.ts';
import { dump, Folder } from '../backends/recording/fake-backend.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { type Answer, fakeSession } from '../support/fake-session.ts';
import { FakeTracefs, ROOT } from '../support/fake-tracefs.ts';
import { openReplay } from '../support/replay-session.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const TRACE = `# tracer: function
             cat-77      [001] .....   100.000001: vfs_read <-ksys_read
             cat-77      [001] .....   100.000002: <stack trace>
 => vfs_read
 => ksys_read
             cat-77      [000] d..2.   100.000004: vfs_read <-kernel_read
`;

/** Runs lines on a machine that is recorded; `start` is when the recording begins. */
function recorded(
  fake: FakeTracefs,
  lines: readonly string[],
  start = 0,
): { readonly path: string; readonly answers: readonly Answer[] } {
  const path = folder.file();
  const recorder = new EngineRecorder(fake.backend(), { tool: 'kdbg test', pid: 500, compression: 'none' });
  const session = fakeSession(new FakeKernel(), { backend: recorder.backend, recorder, pid: 500 });
  recorder.onStart = () => session.kernel.forgetAll();
  const answers = lines.map((line, i) => {
    if (i === start) recorder.start(path);
    return session.json(line);
  });
  recorder.close();
  return { path, answers };
}

const machine = (): FakeTracefs => {
  const fake = new FakeTracefs();
  fake.trace = TRACE;
  fake.files.set('/proc/uptime', '100.00 1.00\n');
  return fake;
};

describe('a session that traced', () => {
  const fake = machine();
  fake.flow = [TRACE.slice(0, 200), TRACE.slice(200)];
  const lines = [
    'trace start function -f vfs_read -s',
    'trace',
    'trace show',
    'trace stat',
    'trace follow',
    'trace stop',
    'trace show -n 1',
    'trace callers vfs_read --for 60',
    'trace start function -f nosuch',
    'trace start events -e sched:sched_switch',
    'trace stop',
  ];
  const { path, answers } = recorded(fake, lines);

  test('answers as it did, line by line', () => {
    const replay = openReplay(path);
    for (const [i, line] of lines.entries()) {
      const { command: _, ...answer } = replay.json(line);
      const { command: __, ...before } = answers[i] as Answer & { readonly command: string };
      expect(answer, line).toEqual(before);
    }
    replay.close();
  });

  test('answers each line by itself', () => {
    for (const i of [2, 5, 6, 4, 7, 9]) {
      const replay = openReplay(path);
      expect(replay.json(lines[i] as string), lines[i]).toEqual(answers[i]);
      replay.close();
    }
  });

  test('does nothing anew, and says so', () => {
    const replay = openReplay(path);
    const refused = /this is a recording, and its session did nothing like this/;
    expect(replay.json('trace start function -f vfs_write')['error']).toMatch(refused);
    expect(replay.json('trace callers vfs_write --for 1')['error']).toMatch(refused);
    replay.json(lines[0] as string);
    expect(replay.json('trace clear')['error']).toMatch(/no trace is on/);
    // A line that it never ran sees what there is at the end.
    expect(replay.json('trace show -n 2')).toMatchObject({ status: 0 });
    expect(replay.json('repeat -n 1 trace follow')['rows']).toEqual(answers[4]?.rows);
    replay.close();
  });

  test('was written with everything that was changed', () => {
    const { journal } = dump(path);
    const kinds = journal.map((line) => (JSON.parse(line) as { k: string }).k);
    expect(kinds.filter((kind) => kind === 'restore').length).toBeGreaterThan(5);
    expect(journal.find((line) => line.startsWith('{"k":"control"'))).toMatch(
      /^\{"k":"control","steps":\[\{"kind":"mkdir","path":"\/sys\/kernel\/tracing\/instances\/kdbg-[0-9a-f]{8}"\}/,
    );
  });
});

test('a recording that starts while a trace is on knows it', () => {
  const { path, answers } = recorded(machine(), ['trace start function -f vfs_read', 'trace show', 'trace stop'], 1);
  const replay = openReplay(path);
  expect(replay.json('trace show')).toEqual(answers[1]);
  expect(replay.json('trace stop')).toEqual(answers[2]);
  expect(replay.json('trace start function -f vfs_read')['error']).toMatch(/this is a recording/);
  replay.close();
});

test('a pause within a stream is one in the replay: what waits for its stack is shown as it was', () => {
  const fake = machine();
  const path = folder.file();
  const backend = fake.backend();
  const cut = TRACE.indexOf('ksys_read') + 'ksys_read\n'.length;
  const pieces: readonly (string | undefined)[] = [TRACE.slice(0, cut), undefined, undefined, TRACE.slice(cut)];
  let at = 0;
  const recorder = new EngineRecorder(
    {
      ...backend,
      streams: {
        open: () => ({
          take: () => encodeText(pieces[at - 1] ?? ''),
          wait: () => pieces[at++] !== undefined,
          get ended() {
            return at >= pieces.length ? 'no more' : undefined;
          },
          finish: () => new Uint8Array(),
          close: () => undefined,
        }),
      },
    },
    { tool: 'kdbg test', pid: 500 },
  );
  const session = fakeSession(new FakeKernel(), { backend: recorder.backend, recorder, pid: 500 });
  recorder.start(path);
  session.json('trace start function -f vfs_read');
  const followed = session.json('trace follow');
  recorder.close();
  expect(followed.rows.map(({ kind }) => kind)).toEqual(['function', 'stack', 'function']);
  const replay = openReplay(path);
  expect(replay.json('trace follow')).toEqual(followed);
  replay.close();
});

test('a recording of a session that changed nothing is as those of older versions', () => {
  const { path } = recorded(machine(), ['trace', 'trace show --shared']);
  expect(dump(path).journal.join('\n')).not.toMatch(/"k":"(control|restore|stream)"/);
  const replay = openReplay(path);
  expect(replay.json('trace start function -f vfs_read')['error']).toMatch(/only a live target/);
  expect(replay.json(`trace show -i ${ROOT}`)['error']).toMatch(/no instance/);
  replay.close();
});
