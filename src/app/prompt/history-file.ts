/**
 * The history's file: `$XDG_STATE_HOME/kdbg/history`, one escaped entry a line, mode 0600. Several kdbg may run at once,
 * so entries are only ever appended, each with one write; what the others added is seen at the next start. A file that
 * has grown far beyond the bound is replaced at start, atomically and without losing what is appended meanwhile. A file
 * that cannot be read or written costs the history and never the prompt.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { escapeEntry, HISTORY_MAX, type History, isKept, remember, rememberAll, unescapeEntry } from './history.ts';

/** Lines beyond the bound that are tolerated before the file is replaced. */
const SLACK = 2_000;
/** Bytes of the file's end that are read: 10,000 long lines are far less. */
const READ_MAX = 8 * 1024 * 1024;
/** Age in milliseconds of a replacement that nobody works on any more. */
const STALE_MS = 60_000;

/** Where the history is kept: XDG Base Directory Specification, "state"; relative paths do not count. */
export function historyPath(env: Readonly<Record<string, string | undefined>>): string {
  const state = env['XDG_STATE_HOME'];
  const base = state !== undefined && isAbsolute(state) ? state : join(env['HOME'] || homedir(), '.local', 'state');
  return join(base, 'kdbg', 'history');
}

/** Opens the history at `path`. `onTrouble` hears once why entries are not read or saved, if they are not. */
export function openHistory(path: string, onTrouble: (message: string) => void = () => {}): History {
  let kept: readonly string[] = [];
  let troubled = false;
  let torn = false;
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (!troubled) onTrouble(`cannot ${what} ${path}: ${error instanceof Error ? error.message : String(error)}`);
      troubled = true;
    }
  };
  attempt('read the history', () => {
    const loaded = load(path);
    kept = loaded.entries;
    torn = loaded.torn;
    if (loaded.lines > HISTORY_MAX + SLACK) replace(path, kept, loaded);
  });
  return {
    get entries() {
      return kept;
    },
    add(line) {
      if (!isKept(line, kept.at(-1))) return;
      kept = remember(kept, line);
      attempt('save the history', () => {
        torn = append(path, `${torn ? '\n' : ''}${escapeEntry(line)}\n`);
      });
    },
  };
}

interface Loaded {
  readonly entries: readonly string[];
  /** Lines in the file, kept or not. */
  readonly lines: number;
  /** The last line has no end: a write was cut short. */
  readonly torn: boolean;
  /** Bytes up to where the file was read. */
  readonly end: number;
  readonly inode: number;
}

const NOTHING: Loaded = { entries: [], lines: 0, torn: false, end: 0, inode: 0 };

function load(path: string): Loaded {
  let file: number;
  try {
    // Without O_NONBLOCK a named pipe in the file's place would keep the prompt waiting.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return NOTHING;
    throw error;
  }
  try {
    const status = fstatSync(file);
    // A link to /dev/null is the usual way to have no history.
    if (!status.isFile()) return NOTHING;
    const from = Math.max(0, status.size - READ_MAX);
    const bytes = readRange(file, from, status.size);
    const lines = bytes.toString('utf8').split('\n');
    const torn = lines.at(-1) !== '';
    if (!torn) lines.pop();
    if (from > 0) lines.shift();
    const lineCount = from > 0 ? Number.POSITIVE_INFINITY : lines.length;
    const entries = rememberAll(lines.slice(-(HISTORY_MAX + SLACK)).map(unescapeEntry));
    return { entries, lines: lineCount, torn, end: from + bytes.length, inode: status.ino };
  } finally {
    closeSync(file);
  }
}

function readRange(file: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, to - from));
  let length = 0;
  while (length < bytes.length) {
    const got = readSync(file, bytes, length, bytes.length - length, from + length);
    if (got === 0) break;
    length += got;
  }
  return bytes.subarray(0, length);
}

/**
 * Appends with one write, so that lines of several processes do not mix. When the file was replaced between opening and
 * writing, the line went to the old one: it is written again to the new. Returns whether the write was cut short.
 */
function append(path: string, line: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const bytes = Buffer.from(line, 'utf8');
  for (let attempts = 0; ; attempts++) {
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
    const file = openSync(path, flags, 0o600);
    try {
      const status = fstatSync(file);
      if (status.isFile() && (status.mode & 0o077) !== 0) fchmodSync(file, 0o600);
      const written = writeSync(file, bytes);
      if (fstatSync(file).nlink > 0 || attempts >= 3) return written < bytes.length;
    } finally {
      closeSync(file);
    }
  }
}

/**
 * Replaces the file by one with only `entries`. Others may append all the while: what they wrote after the file was
 * read is carried over, up to the rename from the path and after it from the old file, which stays open here. The new
 * file's name serves as a lock: two that replace at once would lose what is appended between them.
 */
function replace(path: string, entries: readonly string[], loaded: Loaded): void {
  const target = realpathSync(path);
  const fresh = `${target}.new`;
  const old = openSync(target, constants.O_RDONLY);
  try {
    const created = createFresh(fresh);
    if (created === undefined) return;
    try {
      // Another kdbg may have replaced it since it was read here: then theirs stays.
      if (fstatSync(old).ino !== loaded.inode || statSync(target).ino !== loaded.inode) {
        unlinkSync(fresh);
        return;
      }
      writeSync(created, entries.map((entry) => `${escapeEntry(entry)}\n`).join(''));
      let carried = loaded.end;
      const carry = (): void => {
        const more = readRange(old, carried, fstatSync(old).size);
        carried += more.length;
        if (more.length > 0) writeSync(created, more);
      };
      carry();
      renameSync(fresh, target);
      carry();
    } catch (error) {
      removeQuietly(fresh);
      throw error;
    } finally {
      closeSync(created);
    }
  } finally {
    closeSync(old);
  }
}

/** Creates the file that replaces the history; undefined while another kdbg is at it. */
function createFresh(fresh: string): number | undefined {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
  try {
    return openSync(fresh, flags, 0o600);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Left behind by a kdbg that was killed, if it is old: the next start has the name free.
    const since = statSync(fresh, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > STALE_MS) removeQuietly(fresh);
    return undefined;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Renamed already, or never made: nothing is left behind.
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
