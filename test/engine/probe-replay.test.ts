/** A session that probed, recorded and replayed. */
import { afterAll, expect, test } from 'vitest';
import { EngineRecorder } from '../../src/engine/recorder.ts';
import { Folder } from '../backends/recording/fake-backend.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { type Answer, fakeSession } from '../support/fake-session.ts';
import { FakeTracefs } from '../support/fake-tracefs.ts';
import { openReplay } from '../support/replay-session.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const HITS = [
  '              sh-77      [001] .....   100.000010: sh_1000: (0x401000) arg1=0x5e51a0',
  '              sh-78      [001] .....   100.000020: sh_1000: (0x401000) arg1=0x5e51b0',
  '',
].join('\n');

test('a probe and its hits are there again', () => {
  const fake = new FakeTracefs();
  fake.trace = HITS;
  fake.flow = [HITS.slice(0, 100), HITS.slice(100)];
  fake.files.set('/proc/uptime', '100.00 1.00\n');
  const path = folder.file();
  const recorder = new EngineRecorder(fake.backend(), { tool: 'kdbg test', pid: 500, compression: 'none' });
  const session = fakeSession(new FakeKernel(), { backend: recorder.backend, recorder, pid: 500 });
  recorder.onStart = () => session.kernel.forgetAll();
  recorder.start(path);
  const lines = [
    "trace probe /bin/sh:0x1000 '$arg1'",
    'trace probe',
    'trace show',
    'trace probe -d all',
    'trace show -n 1',
    "trace probe /bin/sh:0x1000 '$arg1' -n 2",
  ];
  const before = lines.map((line): Answer => session.json(line));
  recorder.close();
  expect(before[2]?.rows).toMatchObject([
    { kind: 'probe', pid: 77 },
    { kind: 'probe', values: { arg1: '0x5e51b0' } },
  ]);
  expect(before[5]?.rows).toHaveLength(3);
  const replay = openReplay(path);
  const changes = fake.changes.length;
  for (const [i, line] of lines.entries()) expect(replay.json(line), line).toEqual(before[i]);
  expect(fake.changes).toHaveLength(changes);
  replay.close();
});
