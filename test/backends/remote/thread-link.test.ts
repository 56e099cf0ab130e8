/**
 * The engine's thread and the I/O thread: answers, faults and errors cross; a far side that is silent, gone or broken
 * ends the wait; so does the user, at once.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AskedQuestion } from '../../../src/backends/remote/io-messages.ts';
import { startIo } from '../../../src/backends/remote/io-start.ts';
import { remoteStreams } from '../../../src/backends/remote/remote-streams.ts';
import { ThreadLink, type ThreadLinkOptions } from '../../../src/backends/remote/thread-link.ts';
import { BackendError, CancelledError, OpenError, UsageError } from '../../../src/core/errors.ts';
import { Fault } from '../../../src/core/memory/fault.ts';

const SOURCE = resolve(import.meta.dirname, '../../../src');
/** Inside the project: what the bundle leaves out is found in its node_modules. */
const folder = mkdtempSync(join(import.meta.dirname, '.threads-'));
let links: ThreadLink[] = [];

/** The thread's side: what a request's path or address asks the fake reader to do. */
const THREAD = `
  import { workerData } from 'node:worker_threads';
  import { BackendError, OpenError, UsageError } from '${SOURCE}/core/errors.ts';
  import { Fault } from '${SOURCE}/core/memory/fault.ts';
  import { serveIo } from '${SOURCE}/backends/remote/io-server.ts';
  import { askThrough } from '${SOURCE}/backends/remote/questions.ts';
  const { port, shared, spec, questions } = workerData;
  const ask = askThrough(questions);
  const never = new Promise(() => setInterval(() => {}, 1000));
  let connections = 0;
  const reader = {
    facts: { kind: 'perl', uid: 0, release: 'x', bootId: 'b', buildId: undefined, pids: [7], compresses: true },
    wire: { received: 0, sent: 0, requests: 0 },
    onGone: () => {},
    close() {},
    open(path) {
      const stream = { onData() {}, onEnd() {}, taken(n) { if (path === '/dev/kmsg') stream.onEnd('taken ' + n); }, close() {} };
      stream.finish = () => {
        // What was on its way comes, and the end behind it.
        setTimeout(() => stream.onData(new Uint8Array([4])), 30);
        setTimeout(() => stream.onData(new Uint8Array([5, 6])), 60);
        setTimeout(() => stream.onEnd('closed'), 90);
      };
      setTimeout(() => stream.onData(new Uint8Array([1, 2, 3])), 20);
      return stream;
    },
    async request(request) {
      if (request.op === 'read') {
        return request.ranges.map((r) => (r.address === 0n ? new Fault(r, 'unmapped', 'why') : new Uint8Array(r.length).fill(9)));
      }
      if (request.op === 'chase') return { pointers: [5n], fault: new Fault({ ...request.way, space: 'virtual', address: 1n, length: 8 }, 'io') };
      switch (request.path) {
        case '/silent': return never;
        case '/broken': throw new BackendError('the far side talks nonsense', 'try another');
        case '/bug': throw new TypeError('undefined is not a function');
        case '/gone': setTimeout(() => reader.onGone('the connection was reset'), 10); return never;
        case '/crash': setTimeout(() => { throw new Error('out of luck'); }, 10); return never;
        case '/slow': for (let i = 0; i < 10; i++) { await new Promise((r) => setTimeout(r, 100)); reader.wire.received += 100; } return { ok: true, names: ['slow'] };
        default: return { ok: true, names: [request.path] };
      }
    },
  };
  serveIo(port, new Int32Array(shared), async (signal, tell) => {
    const how = spec.destination;
    connections++;
    if (how === 'refused') throw new OpenError('web7 refused', 'look there');
    if (how === 'wrong') throw new UsageError('no such host name');
    if (how === 'never') return new Promise(() => {});
    if (how === 'asks') tell('you said ' + await ask({ kind: 'secret', lines: [], prompt: 'Password: ' }));
    if (how === 'told') tell('connection ' + connections);
    return {
      leave() {},
      async start(first) {
        reader.wire = { received: 10, sent: 5, requests: 0 };
        return { reader, answers: first.map((request) => reader.request(request)) };
      },
    };
  });
`;

let entry: URL;
beforeAll(async () => {
  const source = join(folder, 'thread.mjs');
  writeFileSync(source, THREAD);
  const outfile = join(folder, 'io.mjs');
  await build({ entryPoints: [source], outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'silent' });
  entry = pathToFileURL(outfile);
});
afterEach(() => {
  for (const link of links) link.close();
  links = [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Making extends Partial<ThreadLinkOptions> {
  readonly questions?: MessagePort;
}

const NO_SSH = {
  identityFiles: [],
  jump: undefined,
  configFile: undefined,
  user: undefined,
  port: undefined,
  settings: [],
};

function made(destination = 'web7', { questions, ...options }: Making = {}): ThreadLink {
  const spec = { kind: 'ssh', destination, ssh: NO_SSH, sudo: false, reader: undefined, cache: false } as const;
  const link = new ThreadLink({
    name: 'web7',
    io: startIo(entry, spec, questions),
    cancelled: () => false,
    ...options,
  });
  links.push(link);
  return link;
}

function connected(destination?: string, options?: Making): ThreadLink {
  const link = made(destination, options);
  link.connect(() => undefined, []);
  return link;
}

const list = (path: string) => ({ op: 'list', path }) as const;
const range = (address: bigint) => ({ space: 'virtual', address, length: 4, what: 'a test' }) as const;

describe('a link through a thread', () => {
  it('connects, and brings answers in any order', () => {
    const link = made('told');
    const told: string[] = [];
    expect(link.lost).toBeDefined();
    const { facts, sent: first } = link.connect((notice) => told.push(notice), [list('/first'), list('/broken')]);
    expect(facts).toMatchObject({ kind: 'perl', pids: [7] });
    expect(link.take(first[0])).toMatchObject({ names: ['/first'] });
    expect(() => link.take(first[1])).toThrow('the far side talks nonsense');
    expect(told).toEqual(['connection 1']);
    expect(link.lost).toBeUndefined();
    const sent = ['/a', '/b', '/c'].map((path) => link.send(list(path)));
    expect(sent.reverse().map((each) => link.take(each))).toMatchObject([
      { names: ['/c'] },
      { names: ['/b'] },
      { names: ['/a'] },
    ]);
    expect(link.wire).toMatchObject({ received: 10, sent: 5 });
    expect(link.wire.latency?.min).toBeGreaterThanOrEqual(0);
  });

  it('brings faults as faults', () => {
    const link = connected();
    const [bytes, fault] = link.take(link.send({ op: 'read', ranges: [range(0x1000n), range(0n)] }));
    expect(bytes).toEqual(new Uint8Array(4).fill(9));
    expect(fault).toBeInstanceOf(Fault);
    expect((fault as Fault).message).toBe('cannot read a test (4 bytes at 0000000000000000): not mapped (why)');
    const way = { start: 1n, offsets: [0], flags: 0, what: 'way' };
    expect(link.take(link.send({ op: 'chase', way })).fault).toBeInstanceOf(Fault);
  });

  it('says in the same words why there is no connection', () => {
    expect(() => connected('refused')).toThrow(OpenError);
    expect(() => connected('refused')).toThrow('web7 refused');
    expect(() => connected('wrong')).toThrow(UsageError);
  });

  it('tells what the far side breaks, and a bug of our own from it', () => {
    const link = connected();
    expect(() => link.take(link.send(list('/broken')))).toThrow(BackendError);
    expect(() => link.take(link.send(list('/bug')))).toThrow(/TypeError/);
    expect(link.take(link.send(list('/fine')))).toMatchObject({ names: ['/fine'] });
  });

  it('ends a wait at once when the user wants no more, and goes on', () => {
    const clock = { end: Number.POSITIVE_INFINITY };
    const link = connected('web7', { cancelled: () => performance.now() > clock.end });
    clock.end = performance.now() + 100;
    const started = performance.now();
    expect(() => link.take(link.send(list('/silent')))).toThrow(CancelledError);
    expect(performance.now() - started).toBeLessThan(250);
    clock.end = Number.POSITIVE_INFINITY;
    expect(link.take(link.send(list('/fine')))).toMatchObject({ names: ['/fine'] });
  });

  it('ends the wait for a connection too', () => {
    const clock = { end: performance.now() + 600 };
    const link = made('never', { cancelled: () => performance.now() > clock.end });
    expect(() => link.connect(() => undefined, [])).toThrow(CancelledError);
  });

  it('does not wait for ever for a far side that is silent', () => {
    const link = connected('web7', { silenceMs: 200 });
    expect(() => link.take(link.send(list('/silent')))).toThrow('web7 sent nothing for 0 s (asked for list)');
    expect(link.take(link.send(list('/fine')))).toMatchObject({ names: ['/fine'] });
  });

  it('waits as long as bytes come', () => {
    const link = connected('web7', { silenceMs: 500 });
    expect(link.take(link.send(list('/slow')))).toMatchObject({ names: ['slow'] });
  });

  it.each(['/gone', '/crash'])('ends all waits when the connection ends: %s', (path) => {
    const link = connected('told');
    const other = link.send(list('/silent'));
    expect(() => link.take(link.send(list(path)))).toThrow(/the connection to web7 was lost: .*(reset|luck)/);
    expect(() => link.take(other)).toThrow(BackendError);
    expect(() => link.send(list('/a'))).toThrow(BackendError);
    const told: string[] = [];
    link.connect((notice) => told.push(notice), []);
    expect(told).toEqual(['connection 2']);
    expect(link.take(link.send(list('/fine')))).toMatchObject({ names: ['/fine'] });
    // The bytes of both connections count.
    expect(link.wire.received).toBeGreaterThanOrEqual(10);
  });

  it('lets a file flow', () => {
    const link = connected();
    const stream = link.open('/dev/kmsg');
    expect(stream.take()).toBeUndefined();
    expect(stream.wait(20_000)).toBe(true);
    expect(stream.take()).toEqual(new Uint8Array([1, 2, 3]));
    // Only what was taken counts against what the far side may send.
    expect(stream.wait(20_000)).toBe(true);
    expect(stream.ended).toBe('taken 3');
    stream.close();
  });

  it('waits for what is on its way of a file that is finished, also when the user wants no more', () => {
    let isCancelled = false;
    const link = connected('web7', { cancelled: () => isCancelled });
    const stream = remoteStreams(link).open('/sys/kernel/tracing/instances/kdbg-1/trace_pipe');
    if ('reason' in stream) throw new Error(stream.detail);
    expect(stream.wait(20_000)).toBe(true);
    expect(stream.take()).toEqual(new Uint8Array([1, 2, 3]));
    isCancelled = true;
    expect(() => stream.wait(20_000)).toThrow(CancelledError);
    expect([...stream.finish()]).toEqual([4, 5, 6]);
    expect(stream.finish()).toHaveLength(0);
  });

  it('has the user asked on the other side of the port', () => {
    const { port1, port2 } = new MessageChannel();
    const prompts: string[] = [];
    // While the link waits it looks whether it is cancelled: the place to answer from in a test of one thread.
    const answer = (): boolean => {
      const asked = receiveMessageOnPort(port1) as { readonly message: AskedQuestion } | undefined;
      if (asked === undefined) return false;
      prompts.push(asked.message.question.prompt);
      port1.postMessage({ id: asked.message.id, answer: 'a secret' });
      return false;
    };
    const told: string[] = [];
    made('asks', { questions: port2, cancelled: answer }).connect((text) => told.push(text), []);
    expect(prompts).toEqual(['Password: ']);
    expect(told).toEqual(['you said a secret']);
    port1.close();
  });

  it('gives undefined when there is nobody to ask', () => {
    const told: string[] = [];
    made('asks').connect((notice) => told.push(notice), []);
    expect(told).toEqual(['you said undefined']);
  });
});
