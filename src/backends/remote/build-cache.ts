/**
 * What is constant of a kernel, kept on this machine by the kernel's build id: BTF, symbols, unwind tables. A second
 * visit asks the target only whether it still is what is kept here.
 *
 *     ~/.cache/kdbg/BUILD-ID/NAME.SHA256.gz
 *
 * The name holds the hash of the content, which is checked whenever it is read: a file that was cut, changed or
 * written by somebody else is none. Files are made under another name and moved into place, so that two kdbg at once
 * never see half a file; one that disappears in between was never there. What was not used for longest goes first.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** All kernels together. A kernel takes some 6 MB. */
const TOTAL_MAX = 256 * 1024 * 1024;
/** Of one thing of one kernel, the symbols of so many boots. */
const VERSIONS_MAX = 3;
/** The largest thing kept, inflated. */
const CONTENT_MAX = 128 * 1024 * 1024;
/** A file that another kdbg was writing when it died. */
const ABANDONED_MS = 3_600_000;

export interface CacheOptions {
  readonly totalMax?: number;
}

/** `$XDG_CACHE_HOME/kdbg` or `~/.cache/kdbg`. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const base = environment['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') === true ? base : join(homedir(), '.cache'), 'kdbg');
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The cache of one kernel build. It never throws: what cannot be kept is fetched again. */
export class BuildCache {
  readonly #root: string;
  readonly #folder: string;
  readonly #totalMax: number;

  /** Undefined for a build id that is none: it came from the target, and becomes part of a path. */
  static of(root: string, buildId: string | undefined, options: CacheOptions = {}): BuildCache | undefined {
    return buildId !== undefined && /^[0-9a-f]{8,128}$/.test(buildId)
      ? new BuildCache(root, buildId, options)
      : undefined;
  }

  private constructor(root: string, buildId: string, options: CacheOptions) {
    this.#root = root;
    this.#folder = join(root, buildId);
    this.#totalMax = options.totalMax ?? TOTAL_MAX;
  }

  /** The hash of what was kept last under this name; undefined when nothing was. */
  digest(name: string): string | undefined {
    return this.#versions(name)[0]?.digest;
  }

  /** The content of this name and hash, when it is there and whole. */
  load(name: string, digest: string): Uint8Array | undefined {
    const path = this.#path(name, digest);
    try {
      const bytes = gunzipSync(readFileSync(path), { maxOutputLength: CONTENT_MAX });
      if (sha256(bytes) !== digest) throw new Error('not what its name says');
      const now = new Date();
      utimesSync(path, now, now);
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    } catch {
      remove(path);
      return undefined;
    }
  }

  /** The content kept last under this name. */
  latest(name: string): Uint8Array | undefined {
    const digest = this.digest(name);
    return digest === undefined ? undefined : this.load(name, digest);
  }

  store(name: string, bytes: Uint8Array): void {
    if (!isName(name) || bytes.length === 0 || bytes.length > CONTENT_MAX) return;
    const path = this.#path(name, sha256(bytes));
    const making = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.part`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(making, gzipSync(bytes, { level: 1 }), { mode: 0o600, flag: 'wx' });
      renameSync(making, path);
      for (const { path: old } of this.#versions(name).slice(VERSIONS_MAX)) remove(old);
      this.#evict(path);
    } catch {
      // A full or read-only disk: the session does not need the cache.
      remove(making);
    }
  }

  #path(name: string, digest: string): string {
    return join(this.#folder, `${name}.${digest}.gz`);
  }

  /** What is kept under a name, the latest used first. */
  #versions(name: string): readonly { readonly path: string; readonly digest: string }[] {
    if (!isName(name)) return [];
    const found: { path: string; digest: string; used: number }[] = [];
    for (const file of listed(this.#folder)) {
      const digest = /^(.+)\.([0-9a-f]{64})\.gz$/.exec(file);
      if (digest?.[1] !== name) continue;
      const path = join(this.#folder, file);
      const status = statusOf(path);
      if (status !== undefined) found.push({ path, digest: digest[2] as string, used: status.mtimeMs });
    }
    return found.sort((a, b) => b.used - a.used);
  }

  /** Removes what was not used for longest, of all kernels, but not what was just kept. */
  #evict(kept: string): void {
    const files: { path: string; size: number; used: number }[] = [];
    for (const build of listed(this.#root)) {
      for (const file of listed(join(this.#root, build))) {
        const path = join(this.#root, build, file);
        const status = statusOf(path);
        if (status === undefined) continue;
        if (file.endsWith('.part') && Date.now() - status.mtimeMs > ABANDONED_MS) remove(path);
        else files.push({ path, size: status.size, used: status.mtimeMs });
      }
    }
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((a, b) => a.used - b.used)) {
      if (total <= this.#totalMax) break;
      if (path === kept || path.endsWith('.part')) continue;
      remove(path);
      total -= size;
      removeIfEmpty(join(path, '..'));
    }
  }
}

/** Names come from kdbg and from the target's modules; they become part of a path. */
function isName(name: string): boolean {
  return /^[\w-]{1,100}$/.test(name);
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function statusOf(path: string): { readonly size: number; readonly mtimeMs: number } | undefined {
  try {
    const status = statSync(path);
    return status.isFile() ? status : undefined;
  } catch {
    return undefined;
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is not ours to remove, or not there.
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Others are in it.
  }
}
