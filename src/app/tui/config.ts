/**
 * What the screen keeps between sessions, in `$XDG_CONFIG_HOME/kdbg/screen.json`: theme, keys, mouse, and the layout of
 * each size of terminal. The file is read as a person may have left it: what is not understood is told and left out.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rcPath } from '../rc.ts';
import { type LayoutNode, layoutText, parseLayout } from './layout.ts';

export interface ScreenConfig {
  /** dark, light or plain; undefined: what fits the terminal. */
  readonly theme: string | undefined;
  readonly mouse: boolean;
  /** Actions, each with its keys. */
  readonly keys: Readonly<Record<string, string>>;
  /** Layouts by the name of the preset that they replace. */
  readonly layouts: ReadonlyMap<string, LayoutNode>;
}

const SIZE_MAX = 64 * 1024;

export function configPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(dirname(rcPath(env)), 'screen.json');
}

/** Reads the file; what is wrong with it goes to `trouble`. */
export function readConfig(path: string, trouble: (message: string) => void): ScreenConfig {
  let object: Readonly<Record<string, unknown>> = {};
  try {
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size !== undefined && size > SIZE_MAX) throw new Error('it is too large');
    if (size !== undefined) object = objectOf(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    trouble(`${path} cannot be read: ${(error as Error).message}; the screen is as it is without it`);
  }
  const layouts = new Map<string, LayoutNode>();
  for (const [name, text] of Object.entries(objectOf(object['layouts']))) {
    const layout = typeof text === 'string' ? parseLayout(text) : undefined;
    if (layout === undefined) trouble(`${path}: the layout "${name}" is no layout; the usual one is used`);
    else layouts.set(name, layout);
  }
  const keys: Record<string, string> = {};
  for (const [action, chords] of Object.entries(objectOf(object['keys']))) {
    if (typeof chords === 'string') keys[action] = chords;
  }
  const theme = object['theme'];
  return { theme: typeof theme === 'string' ? theme : undefined, mouse: object['mouse'] !== false, keys, layouts };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Writes layouts into the file; the rest of it stays. Throws the error of the system call. */
export function writeLayouts(path: string, layouts: ReadonlyMap<string, LayoutNode>): void {
  let object: Readonly<Record<string, unknown>> = {};
  try {
    object = objectOf(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    // A file that a person wrote and that cannot be read is not to be lost.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const texts = Object.fromEntries([...layouts].map(([name, node]) => [name, layoutText(node)]));
  const text = `${JSON.stringify({ ...object, layouts: texts }, undefined, 2)}\n`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.${process.pid}`;
  writeFileSync(next, text, { mode: 0o600 });
  renameSync(next, path);
}
