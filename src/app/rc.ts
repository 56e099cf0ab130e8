/**
 * The user's rc file: `$XDG_CONFIG_HOME/kdbg/rc`, command lines run before the first prompt. A line that fails is
 * told with its number and the rest still run.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { EngineClient } from '../engine/client.ts';
import { wantsColour } from './paint.ts';
import { complain } from './printer.ts';
import { streamSink } from './sink.ts';

const RC_SIZE_MAX = 256 * 1024;

export async function readRc(engine: EngineClient): Promise<void> {
  const path = join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'kdbg', 'rc');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      complain([`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`]);
    }
    return;
  }
  if (text.length > RC_SIZE_MAX) {
    complain([`${path} is too large for an rc file and was not read`]);
    return;
  }
  const screen = streamSink(process.stdout, wantsColour(process.stdout));
  for (const [i, line] of text.split('\n').entries()) {
    for await (const output of engine.run(line, { json: false, rc: true })) {
      if (output.kind === 'lines') await screen.write(output.lines);
      if (output.kind === 'error')
        complain([`${path}:${i + 1}: ${output.lines.filter((each) => !each.startsWith('  ')).join('; ')}`]);
    }
  }
}
