import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * What the lab makes once and keeps, in `.lab/` at the project's root: unpacked kernels, the built module, initramfs
 * parts. A name in it carries everything that the content depends on (a package version, a hash of the sources), so an
 * entry is never stale and never rewritten; deleting `.lab/` costs only time.
 */

/** The project's root: the nearest folder above this file with a package.json. */
export const projectRoot = (() => {
  let at = import.meta.dirname;
  while (!existsSync(join(at, 'package.json'))) {
    if (at === dirname(at)) throw new Error(`no package.json above ${import.meta.dirname}`);
    at = dirname(at);
  }
  return at;
})();

/** The lab's own sources. */
export const labRoot = join(projectRoot, 'test', 'lab');

const cacheRoot = resolve(process.env['KDBG_LAB_DIR'] ?? join(projectRoot, '.lab'));

/**
 * The path of a cache entry, made by `make` if it is not there yet. `make` fills a path beside it, which is renamed when
 * complete: two runs at once are safe, and an interrupted one leaves nothing that looks finished.
 */
export const cached = (name: string, make: (path: string) => void): string => {
  const path = join(cacheRoot, name);
  if (existsSync(path)) return path;
  // The kernel's build system takes neither in a path.
  if (/[\s:]/.test(cacheRoot))
    throw new Error(`${cacheRoot} has a space or a colon; set KDBG_LAB_DIR to another folder`);
  mkdirSync(dirname(path), { recursive: true });
  const scratch = mkdtempSync(`${path}.making-`);
  try {
    const made = join(scratch, 'made');
    make(made);
    try {
      renameSync(made, path);
    } catch (error) {
      // Another run was first; its entry is as good as this one.
      if (!existsSync(path)) throw error;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return path;
};

/** A short hash of texts and bytes, for names of cache entries. */
export const keyOf = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 16);
};

/** Runs a program to its end and returns what it printed; what it said on stderr is in the error if it fails. */
export const runHost = (
  program: string,
  args: readonly string[],
  options: { cwd?: string; timeoutMs?: number } = {},
): string =>
  execFileSync(program, args, {
    cwd: options.cwd,
    encoding: 'utf8',
    timeout: options.timeoutMs ?? 300_000,
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
