/**
 * A far side that means no good, or a stream that is damaged: the answer is the bytes or a BackendError, in bounded
 * time and memory.
 */
import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ByteChannel, ChannelListener } from '../../../../src/backends/remote/channel.ts';
import { Connection } from '../../../../src/backends/remote/reader/connection.ts';
import { filesExchange, listExchange, readExchange } from '../../../../src/backends/remote/reader/exchange.ts';
import { KcoreMap } from '../../../../src/backends/remote/reader/kcore-map.ts';
import { Noise } from '../../../../src/backends/remote/reader/noise.ts';
import { startReader } from '../../../../src/backends/remote/reader/start.ts';
import { followExchange } from '../../../../src/backends/remote/reader/walk-exchange.ts';
import { BackendError, KdbgError } from '../../../../src/core/errors.ts';
import { mutate, seededRandom } from '../../../support/mutations.ts';
import { kcoreBytes, RAM } from './far-side.ts';

const MAGIC = 'k0123456789abcd';

/** A channel whose far side is the test. */
class FakeChannel implements ByteChannel {
  readonly name = 'far';
  written = '';
  listener: ChannelListener | undefined;
  isClosed = false;
  onWrite: (text: string) => void = () => undefined;

  write(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes).toString('latin1');
    this.written += text;
    this.onWrite(text);
    return true;
  }
  listen(listener: ChannelListener): void {
    this.listener = listener;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.isClosed = true;
  }
}

function frame(
  id: number,
  kind: string,
  body: string | Uint8Array,
  header: Partial<{ raw: number; wire: number }> = {},
) {
  const bytes = Buffer.from(body as string, 'latin1');
  return Buffer.concat([
    Buffer.from(`${MAGIC} ${id} ${kind} ${header.wire ?? bytes.length} ${header.raw ?? bytes.length} -\n`),
    bytes,
    Buffer.from('\n'),
  ]);
}

const item = (text: string, kind = '+'): string => `${kind}${text.length}\n${text}`;

async function loadedMap(): Promise<KcoreMap> {
  const bytes = kcoreBytes().subarray(0, 4096);
  const map = new KcoreMap(async () => ({ ok: true, bytes, truncated: true }));
  await map.load();
  return map;
}

/** A connection with a request for one file, whose id is 1. */
function asked(): {
  readonly connection: Connection;
  readonly channel: FakeChannel;
  readonly answer: Promise<unknown>;
} {
  const channel = new FakeChannel();
  const connection = new Connection(channel, MAGIC);
  const answer = connection.exchange(filesExchange(['/proc/version'], 100, undefined));
  answer.catch(() => undefined);
  return { connection, channel, answer };
}

/** A stream of gzip in an item: more than was asked for. */
const squeezed = item(gzipSync(Buffer.alloc(20_000)).toString('latin1'), 'z');

describe('what is no answer ends the connection', () => {
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['a login banner', Buffer.from('Welcome to web7\n'), /no frame: "Welcome to web7/],
    ['terminal escapes', Buffer.from(`\x1b]0;evil\x07${'\x1b[31m'.repeat(50)}`), /no frame/],
    ['random bytes without a line', Buffer.alloc(5000, 0xff), /no frame/],
    ['another magic', Buffer.from('k0000000000000 1 e 0 0 -\n\n'), /no frame/],
    ['a frame that is too long', frame(1, 'e', '', { wire: 99_999_999 }), /too long/],
    [
      'a frame shorter than it says',
      frame(1, 'e', `${item('x'.repeat(50))}`, { wire: 10, raw: 10 }),
      /longer than it says/,
    ],
    ['raw bytes of another length', frame(1, 'e', item('x'), { raw: 10 }), /another length/],
    ['an answer nobody asked for', frame(7, 'e', item('x')), /nobody asked for/],
    ['a stream nobody opened', frame(1, 's', 'x'), /nobody opened/],
    ['more than the limit', frame(1, 'e', item('x'.repeat(102))), /longer than was asked for/],
    ['two items for one', frame(1, 'e', item('x') + item('y')), /more than was asked for/],
    ['no item', frame(1, 'e', ''), /less than was asked for/],
    ['no list of items', frame(1, 'e', 'hello'), /no list of items/],
    ['an item longer than its frame', frame(1, 'e', '+50\nxx'), /no list of items/],
    ['an item without its end', frame(1, 'e', item('x', '>')), /ends within an item/],
    ['what is not compressed', frame(1, 'ez', 'hello', { raw: 20 }), /cannot be decompressed/],
    [
      'a small frame of much',
      frame(1, 'ez', deflateSync(Buffer.alloc(50 << 20)), { raw: 20 }),
      /cannot be decompressed/,
    ],
    ['an item of gzip that is none', frame(1, 'e', `${item('hello', 'z')}+0\n`), /cannot be decompressed/],
    ['a small item of much', frame(1, 'e', `${squeezed}+0\n`), /cannot be decompressed/],
  ];

  test.each(cases)('%s', async (_name, bytes, message) => {
    const { connection, channel, answer } = asked();
    let why = '';
    connection.onGone = (said) => {
      why = said;
    };
    for (let at = 0; at < bytes.length; at += 7) connection.take(bytes.subarray(at, at + 7));
    await expect(answer).rejects.toThrow(BackendError);
    await expect(answer).rejects.toThrow(message);
    expect(why).toMatch(message);
    expect(why).not.toMatch(/[\x00-\x1f\x7f]/);
    expect(channel.isClosed).toBe(true);
    await expect(connection.exchange(listExchange('/proc'))).rejects.toThrow(/has gone/);
  });

  test('a check sum that is wrong', async () => {
    const { connection, answer } = asked();
    connection.take(Buffer.from(`${MAGIC} 1 e 4 4 00000000\n+1\nx\n`));
    await expect(answer).rejects.toThrow(/check sum/);
  });

  test('an answer without end is cut off at what was asked for', async () => {
    const { connection, answer } = asked();
    const more = frame(1, 'm', item('x'.repeat(90), '>'));
    for (let i = 0; i < 100; i++) connection.take(more);
    await expect(answer).rejects.toThrow(/more than was asked for/);
  });

  test('a stream without end is cut off at its credit', async () => {
    const channel = new FakeChannel();
    const connection = new Connection(channel, MAGIC);
    const stream = connection.open('/sys/kernel/tracing/trace_pipe');
    let received = 0;
    stream.onData = (bytes) => {
      received += bytes.length;
    };
    const ended = new Promise<string>((resolve) => {
      stream.onEnd = resolve;
    });
    for (let i = 0; i < 100; i++) connection.take(frame(1, 's', 'x'.repeat(10_000)));
    expect(await ended).toMatch(/more of a stream than was taken/);
    expect(received).toBeLessThan(400_000);
    // One that was closed has no more credit than it had.
    const again = new Connection(channel, MAGIC);
    again.open('/sys/kernel/tracing/trace_pipe').close();
    let why = '';
    again.onGone = (said) => {
      why = said;
    };
    for (let i = 0; i < 100; i++) again.take(frame(1, 's', 'x'.repeat(10_000)));
    expect(why).toMatch(/more of a stream/);
  });
});

test('10,000 damaged answers are answers or errors', async () => {
  const random = seededRandom(7);
  const map = await loadedMap();
  const range = (address: bigint, length: number) => ({ space: 'virtual', address, length, what: 'test' }) as const;
  const walk = {
    start: RAM,
    nextOffset: 0,
    end: undefined,
    limit: 4,
    ranges: [{ offset: 0, length: 4 }],
    what: 'test',
  };
  const node = item('ffff888000000000') + item('abcd');
  const whole = new Uint8Array(
    Buffer.concat([
      frame(1, 'm', item('x'.repeat(30), '>')),
      frame(1, 'e', item('hello') + item('2 No such file or directory', '-')),
      frame(2, 'e', item('A'.repeat(64)) + item('14 Bad address', '-')),
      frame(3, 'ez', deflateSync(Buffer.from(item('one/two/three', '+')))),
      frame(4, 'e', node + node + item('fault ffff888000000100 14 Bad address', '.')),
    ]),
  );
  let good = 0;
  for (let round = 0; round < 10_000; round++) {
    const connection = new Connection(new FakeChannel(), MAGIC);
    const answers = [
      connection.exchange(filesExchange(['/proc/version', '/proc/none'], 100, undefined)),
      connection.exchange(readExchange([range(RAM, 64), range(RAM + 0x100n, 8)], map)),
      connection.exchange(listExchange('/proc')),
      connection.exchange(followExchange(walk)),
    ].map((promise) =>
      promise.then(
        () => {
          good++;
        },
        (error: unknown) => {
          if (!(error instanceof BackendError)) throw error;
        },
      ),
    );
    const bytes = mutate(whole, random);
    const cut = Math.floor(random() * bytes.length);
    connection.take(bytes.subarray(0, cut));
    connection.take(bytes.subarray(cut));
    connection.end('the end');
    await Promise.all(answers);
  }
  expect(good).toBeGreaterThan(1000);
  expect(good).toBeLessThan(40_000);
});

describe('a far side that starts and then does something else', () => {
  /** Says what the line asks it to say, then whatever `then` gives. */
  function start(then: (magic: string) => Uint8Array, start = '1000 77 perl - -'): Promise<unknown> {
    const channel = new FakeChannel();
    let step = 0;
    channel.onWrite = () => {
      const parts = /a=(\w+);b=(\w+);/.exec(channel.written);
      const magic = `${parts?.[1]}${parts?.[2]}`;
      if (step++ === 0)
        setImmediate(() => channel.listener?.onData(Buffer.from(`${magic}:start ${start}\n${magic}:ready\n`)));
      else if (step === 2) setImmediate(() => channel.listener?.onData(then(magic)));
    };
    return startReader(channel, { timeoutMs: 300 });
  }

  test.each<readonly [string, (magic: string) => Uint8Array]>([
    ['random bytes', () => Buffer.alloc(100_000, 0xa5)],
    ['an interpreter that fails', () => Buffer.from('syntax error at -e line 1.\n')],
    ['a reader that is none', (magic) => Buffer.from(`${magic} 1 e 8 8 -\n+5\nhello\n`)],
    ['silence', () => new Uint8Array(0)],
  ])('%s', async (_name, then) => {
    const error = await start(then).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(KdbgError);
    expect((error as KdbgError).message).not.toMatch(/[\x00-\x1f\x7f]/);
    expect((error as KdbgError).message.length).toBeLessThan(1000);
  });

  test('a terminal that cannot be made raw', async () => {
    await expect(start(() => new Uint8Array(0), '0 77 perl cooked -')).rejects.toThrow(/terminal/);
  });
});

test('what a far side says is bounded and cannot move a cursor', () => {
  const noise = new Noise();
  noise.hide('s3cret');
  for (let i = 0; i < 1000; i++) noise.add(`\x1b[2J\x9b1mline ${i} \u202e\x07s3cret\r\n`.repeat(10));
  expect(noise.said.length).toBeLessThanOrEqual(600);
  expect(noise.said).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  expect(noise.said).not.toContain('s3cret');
});
