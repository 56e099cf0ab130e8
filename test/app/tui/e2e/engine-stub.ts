/**
 * The program with an engine of its own making: one that crashes when told to, or prints whatever a hostile kernel could
 * make a command print.
 */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../../../support/program.ts';

/** Lines by the command that prints them. */
export type Prints = Readonly<Record<string, readonly string[]>>;

/**
 * The program with that engine. `crash` throws in the engine's thread, `vanish` ends the thread without a word, `nonsense`
 * sends what the screen cannot take.
 */
export function withStub(program: Program, prints: Prints = {}): Pick<Program, 'entry' | 'folder' | 'env'> {
  const dist = join(program.folder, 'dist-stub');
  cpSync(join(program.folder, 'dist'), dist, { recursive: true });
  writeFileSync(
    join(dist, 'engine.js'),
    `import { parentPort } from 'node:worker_threads';
     const prints = ${JSON.stringify(prints)};
     const send = (message) => parentPort.postMessage(message);
     send({ kind: 'opened', opened: { name: 'stub', liveness: 'frozen', notices: [], commands: ['exit'] } });
     parentPort.on('message', ({ kind, id, line, mode, cursor }) => {
       const output = (batch) => send({ kind: 'output', id, batch });
       if (kind === 'close') { send({ kind: 'closed', id, failures: [] }); parentPort.close(); }
       if (kind === 'complete') {
         const completion = { start: cursor, end: cursor, candidates: [], partial: false };
         send({ kind: 'completed', id, completion });
       }
       if (kind === 'names') send({ kind: 'named', id, names: { generation: 1 } });
       if (kind !== 'run') return;
       if (line === 'crash' && !mode.pane) throw new Error('the engine is broken');
       if (line === 'vanish' && !mode.pane) process.exit();
       if (line === 'nonsense' && !mode.pane) output(null);
       const begin = { kind: 'begin', source: line, sink: undefined, page: false, statement: id };
       const lines = mode.json ? [] : (prints[line] ?? []);
       output([begin, { kind: 'lines', lines }, ...(mode.json ? [{ kind: 'json', line: '{"rows":[]}' }] : [])]);
       output([{ kind: 'end', status: 0 }]);
       send({ kind: 'done', id });
     });`,
  );
  return { entry: join(dist, 'kdbg.js'), folder: program.folder, env: program.env };
}
