import { describe, expect, test } from 'vitest';
import type { FileStream } from '../../src/core/memory/backend.ts';
import { encodeText } from '../../src/core/memory/text.ts';
import { FakeKernel, fakeFiles } from '../support/fake-kernel.ts';
import { type FakeSession, fakeSession } from '../support/fake-session.ts';

const BEFORE = '6,3,1000000,-;three\n4,4,2000000,-;four\n';

interface Flow {
  readonly session: FakeSession;
  readonly isClosed: () => boolean;
}

/** A session where /dev/kmsg brings these pieces, and ends. */
function flowing(pieces: readonly string[] | 'denied' | 'none'): Flow {
  let closed = false;
  const left = Array.isArray(pieces) ? [...(pieces as readonly string[])] : [];
  const stream: FileStream = {
    take: () => encodeText(left.shift() ?? ''),
    wait: () => true,
    get ended() {
      return left.length === 0 ? 'the connection was lost' : undefined;
    },
    finish: () => new Uint8Array(),
    close: () => {
      closed = true;
    },
  };
  const denied = { path: '/dev/kmsg', reason: 'denied', detail: 'not permitted' } as const;
  const fake = new FakeKernel();
  const backend = {
    ...fake.backend({ memory: false, liveness: 'live', files: fakeFiles({ '/dev/kmsg': BEFORE }) }),
    ...(pieces === 'none' ? {} : { streams: { open: () => (pieces === 'denied' ? denied : stream) } }),
  };
  return { session: fakeSession(fake, { backend }), isClosed: () => closed };
}

const texts = (rows: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] => rows.map(({ text }) => text);

describe('log -f', () => {
  test('goes on after what was there, wherever the pieces end', () => {
    const all = `${BEFORE}6,5,3000000,-;five\n SUBSYSTEM=x\n3,6,4000000,-;s\\x69x\n`;
    for (let at = 1; at < all.length; at++) {
      const { session, isClosed } = flowing([all.slice(0, at), all.slice(at)]);
      const { rows, error } = session.json('log -f');
      expect(texts(rows), `${at}`).toEqual(['three', 'four', 'five', 'six']);
      expect(error).toBe('/dev/kmsg ended: the connection was lost');
      expect(isClosed()).toBe(true);
    }
  });

  test('takes the same options', () => {
    const { session } = flowing([BEFORE, '6,5,3000000,-;five\n', '2,6,3000000,-;six\n']);
    expect(texts(session.json('log -f -n 0 -l crit').rows)).toEqual(['six']);
  });

  test('shows what is around what comes, and ends at a time', () => {
    const lines = ['six', 'seven', 'eight', 'nine', 'ten'];
    const pieces = lines.map((text, i) => `6,${i + 5},${i + 3}000000,-;${text}\n`);
    expect(texts(flowing(pieces).session.json('log -f -n 0 -g seven -B 5 -A 1').rows)).toEqual([
      ...['three', 'four', 'six', 'seven', 'eight'],
    ]);
    const { rows, error } = flowing(pieces).session.json('log -f --since 2 --until 4');
    expect(texts(rows)).toEqual(['four', 'six', 'seven']);
    expect(error).toBeUndefined();
  });

  test('says what was overwritten before it could be read', () => {
    const { session } = flowing(['6,9,3000000,-;nine\n']);
    expect(session.json('log -f').notices).toContain('4 records are missing here');
  });

  test('where nothing flows', () => {
    expect(flowing('none').session.json('log -f').error).toMatch(/only a live target has/);
    expect(flowing('denied').session.json('log -f').error).toMatch(/\/dev\/kmsg: not permitted/);
  });
});
