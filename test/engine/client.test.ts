/** The engine as the screen sees it when its thread misbehaves: crashes, hangs, or talks to nobody. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { interrupts } from '../../src/app/interrupt.ts';
import { EngineClient, EngineDied, EngineFailed } from '../../src/engine/client.ts';
import { type Output, PENDING_MAX, SHARED } from '../../src/engine/protocol.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-client-'));
let engine: EngineClient | undefined;
afterEach(() => engine?.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** An engine whose thread opens and then answers a request (`message`, `send`, `shared`) with this code. */
function thread(
  answer: string,
  opening = `send({ kind: 'opened', opened: { name: 'x', liveness: 'live', notices: [], commands: [] } });`,
): URL {
  const path = join(folder, `thread-${files++}.mjs`);
  writeFileSync(
    path,
    `import { parentPort, workerData } from 'node:worker_threads';
     const shared = new Int32Array(workerData.shared);
     const send = (message) => parentPort.postMessage(message);
     ${opening}
     parentPort.on('message', (message) => {
       if (message.kind === 'close') { send({ kind: 'closed', id: message.id, failures: [] }); parentPort.close(); return; }
       ${answer}
     });`,
  );
  return pathToFileURL(path);
}

const SPEC = { backend: { kind: 'local' }, record: undefined, recordUser: false, tool: 'test' } as const;
const MODE = { json: false, rc: false };

async function open(answer: string): Promise<EngineClient> {
  engine = await EngineClient.start(SPEC, thread(answer));
  return engine;
}

const LINES = `send({ kind: 'output', id: message.id, batch: [{ kind: 'lines', lines: ['kept'] }] });`;

async function take(outputs: AsyncIterable<Output>): Promise<{ readonly seen: Output[]; readonly error: unknown }> {
  const seen: Output[] = [];
  try {
    for await (const output of outputs) seen.push(output);
  } catch (error) {
    return { seen, error };
  }
  return { seen, error: undefined };
}

describe('a thread that dies', () => {
  it('while it opens is an error that says why', async () => {
    await expect(EngineClient.start(SPEC, thread('', `throw new Error('no luck');`))).rejects.toThrow(EngineDied);
    await expect(EngineClient.start(SPEC, thread('', 'process.exit(1);'))).rejects.toThrow('the engine ended');
    const failed = thread('', `send({ kind: 'failed', lines: ['no such target'], status: 3 });`);
    await expect(EngineClient.start(SPEC, failed)).rejects.toThrow(EngineFailed);
  });

  it('while a command runs keeps what came, and every later request fails at once', async () => {
    const client = await open(`${LINES} setTimeout(() => { throw new Error('a bug'); }, 50);`);
    const { seen, error } = await take(client.run('x', MODE));
    expect(seen).toEqual([{ kind: 'lines', lines: ['kept'] }]);
    expect(error).toBeInstanceOf(EngineDied);
    expect((error as EngineDied).message).toBe('a bug');
    expect((await take(client.run('y', MODE))).error).toBe(error);
    await expect(client.complete('x', 1)).rejects.toBe(error);
    expect(await client.close()).toMatchObject({ ended: true });
  });
});

describe('a thread that hangs', () => {
  it('is stopped by the third Ctrl-C, and says so at the second', async () => {
    const client = await open(`${LINES} for (;;);`);
    const told: string[] = [];
    let now = 0;
    const control = interrupts(
      client,
      (text) => told.push(text),
      () => now,
    );
    const taken = take(client.run('x', MODE));
    await new Promise((done) => setTimeout(done, 100));
    control.press();
    now = 1_000;
    control.press();
    expect(told).toEqual([]);
    now = 2_500;
    control.press();
    expect(told).toEqual(['the target does not answer; Ctrl-C again ends the session']);
    control.press();
    const { seen, error } = await taken;
    expect(seen).toHaveLength(1);
    expect(error).toMatchObject({ isAbandoned: true });
    expect(await client.close()).toMatchObject({ ended: true });
  });

  it('begins anew with the next command', () => {
    const told: string[] = [];
    let now = 0;
    const control = interrupts(
      { cancel: () => undefined, abandon: () => told.push('ended') },
      (text) => told.push(text),
      () => now,
    );
    control.press();
    control.reset();
    now = 10_000;
    control.press();
    expect(told).toEqual([]);
  });
});

describe('requests', () => {
  it('are stopped by their number: what comes later is not', async () => {
    const client = await open(`
      const stop = () => Atomics.load(shared, ${SHARED.cancelled}) >= message.id;
      const end = Date.now() + 300;
      while (Date.now() < end && !stop());
      send({ kind: 'output', id: message.id, batch: [{ kind: 'end', status: stop() ? 130 : 0 }] });
      send({ kind: 'done', id: message.id });`);
    const first = take(client.run('x', MODE));
    await new Promise((done) => setTimeout(done, 50));
    client.cancel();
    expect((await first).seen).toEqual([{ kind: 'end', status: 130 }]);
    expect((await take(client.run('y', MODE))).seen).toEqual([{ kind: 'end', status: 0 }]);
  });

  it('stop completing when nobody wants to know any more', async () => {
    const client = await open(`
      const end = Date.now() + 5000;
      while (Date.now() < end && Atomics.load(shared, ${SHARED.cancelled}) < message.id);
      send({ kind: 'completed', id: message.id, completion: { start: 0, end: 0, candidates: [], partial: Date.now() < end } });`);
    const control = new AbortController();
    const answer = client.complete('x', 1, control.signal);
    setTimeout(() => control.abort(), 50);
    expect(await answer).toMatchObject({ partial: true });
  });

  it('whose output nobody takes do not stop those after them', async () => {
    const client = await open(`
      for (let i = 0; i < ${PENDING_MAX * 3}; i++) {
        while (Atomics.load(shared, ${SHARED.pending}) >= ${PENDING_MAX}) {
          if (Atomics.load(shared, ${SHARED.cancelled}) >= message.id) break;
          Atomics.wait(shared, ${SHARED.pending}, ${PENDING_MAX}, 20);
        }
        Atomics.add(shared, ${SHARED.pending}, 1);
        send({ kind: 'output', id: message.id, batch: [{ kind: 'lines', lines: [String(i)] }] });
      }
      send({ kind: 'done', id: message.id });`);
    for await (const output of client.run('x', MODE)) if (output.kind === 'lines') break;
    expect((await take(client.run('y', MODE))).seen).toHaveLength(PENDING_MAX * 3);
  });
});
