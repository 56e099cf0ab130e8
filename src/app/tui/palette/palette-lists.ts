/**
 * What the palette offers besides symbols and types: commands with what they do, lines that were run, tasks, and
 * recordings that lie in the folder.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { App } from '../contract.ts';
import type { ListedItem } from './palette-item.ts';

const HISTORY_SHOWN = 200;
const TASKS_MAX = 20_000;
const RECORDINGS_MAX = 200;

/** Lines that were run, the last first, each once. */
export function historyItems(entries: readonly string[]): readonly ListedItem[] {
  const lines = new Set<string>();
  for (let i = entries.length - 1; i >= 0 && lines.size < HISTORY_SHOWN; i--) {
    const line = entries[i] as string;
    if (!line.includes('\n')) lines.add(line);
  }
  return [...lines].map((line) => ({ kind: 'history', label: line, detail: 'run before', line }));
}

/** Commands and aliases. */
export async function commandItems(app: App): Promise<readonly ListedItem[]> {
  const { candidates } = await app.complete('', 0);
  return candidates.map(({ text, detail }) => ({ kind: 'command', label: text, detail: detail ?? '', line: text }));
}

/** The tasks that run programs, and the kernel's own. */
export async function taskItems(app: App): Promise<readonly ListedItem[]> {
  const rows = await app.rows('ps');
  return rows.slice(0, TASKS_MAX).flatMap(({ pid, comm, state, task }): readonly ListedItem[] => {
    if (typeof pid !== 'number' || typeof comm !== 'string') return [];
    const address = typeof task === 'string' && /^0x[0-9a-f]+$/.test(task) ? { task: BigInt(task) } : {};
    const ref = { kind: 'task', pid, ...address } as const;
    return [{ kind: 'task', label: `${comm} ${pid}`, detail: String(state ?? ''), line: `bt ${pid}`, ref }];
  });
}

/** Recordings here and in `recordings/`: each is replayed by a kdbg of its own, which has the terminal meanwhile. */
export function recordingItems(folder: string): readonly ListedItem[] {
  return [folder, join(folder, 'recordings')].flatMap((each) => recordingsIn(each)).slice(0, RECORDINGS_MAX);
}

function recordingsIn(folder: string): readonly ListedItem[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[\w.@:+-]+\.kdbg$/.test(entry.name))
      .map((entry) => ({
        kind: 'recording' as const,
        label: entry.name,
        detail: 'recording',
        line: `!${program()} replay ${shellWord(join(folder, entry.name))}`,
      }));
  } catch {
    // No such folder: no recordings.
    return [];
  }
}

/** How the user's shell starts this program: by its name where it is installed under that, else as it was started. */
function program(): string {
  const [node = 'node', entry = 'kdbg'] = process.argv;
  return basename(entry) === 'kdbg' ? 'kdbg' : `${shellWord(node)} ${shellWord(entry)}`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
