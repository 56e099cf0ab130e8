/**
 * The user's rc file: `$XDG_CONFIG_HOME/kdbg/rc`, command lines run before anything else. A line that fails is told
 * with its number and the rest still run.
 */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { EngineClient } from '../engine/client.ts';
import { readTextFile } from '../engine/text-file.ts';
import { wantsColour } from './paint.ts';
import { complain, type Printed, print } from './printer.ts';
import { streamSink } from './sink.ts';

/** More than this is no rc file but something in its place. */
const ERRORS_MAX = 20;

/** Where it is: XDG Base Directory Specification, "configuration"; relative paths do not count. */
export function rcPath(env: Readonly<Record<string, string | undefined>>): string {
  const config = env['XDG_CONFIG_HOME'];
  const base = config !== undefined && isAbsolute(config) ? config : join(env['HOME'] || homedir(), '.config');
  return join(base, 'kdbg', 'rc');
}

/** Runs it if it is there. Its output goes to stderr where stdout is for JSON. Errors in it fail nothing. */
export async function runRc(engine: EngineClient, options: { readonly json: boolean }): Promise<Printed['exit']> {
  const path = rcPath(process.env);
  let text: string;
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    text = readTextFile(path);
  } catch (error) {
    complain([error instanceof Error ? error.message : String(error), 'it was not run; --no-rc leaves it out']);
    return undefined;
  }
  const stream = options.json ? process.stderr : process.stdout;
  const screen = streamSink(stream, wantsColour(stream));
  let errors = 0;
  const printed = await print(engine.run(text, { json: false, rc: true, origin: path }), {
    screen: () => screen,
    refuse: (statement) => engine.refuse(statement),
    shell: true,
    json: options.json,
    complain: (lines) => {
      if (errors < ERRORS_MAX) complain(lines.filter((line) => !line.startsWith('  ')));
      if (++errors === ERRORS_MAX) {
        complain([`${path}: too many errors; the rest of it is not run`]);
        engine.cancel();
      }
    },
  });
  return printed.exit;
}
