/**
 * The far side's files. What is large and rarely changes (symbols, BTF) is kept on this machine; each time the far side
 * is asked whether it still has the file of that hash, and sends it when it has not.
 */
import type { FileFailure, FileResult, FileSource, ListResult } from '../../core/memory/backend.ts';
import { FILE_LENGTH_MAX } from '../local/files.ts';
import { refusedFarPath, refusedPath } from '../local/paths.ts';
import { type BuildCache, sha256 } from './build-cache.ts';
import type { Sent } from './link.ts';
import type { WireExchange } from './wire-exchange.ts';

/** The same from boot to shutdown: read once. */
export const BOOT_FILES: readonly string[] = [
  '/proc/sys/kernel/osrelease',
  '/proc/sys/kernel/version',
  '/proc/sys/kernel/arch',
  '/proc/sys/kernel/random/boot_id',
  '/sys/kernel/notes',
];
/** As long as any of them gets. */
export const BOOT_FILE_LENGTH = 64 * 1024;
/** Paths asked for with one request. */
const PATHS_MAX = 4096;

type FilesSent = Sent<{
  readonly op: 'files';
  readonly paths: readonly string[];
  readonly limit: number;
  readonly known?: readonly string[];
}>;

export class RemoteFiles implements FileSource {
  readonly #wire: WireExchange;
  #cache: BuildCache | undefined;
  readonly #boot = new Map<string, FileResult>();
  readonly #ahead = new Map<string, FilesSent>();
  /** Directories listed before anybody asked: each answer is good for one question. */
  readonly #listed = new Map<string, ListResult>();

  constructor(wire: WireExchange, cache: BuildCache | undefined) {
    this.#wire = wire;
    this.#cache = cache;
  }

  /** Takes a file of BOOT_FILES that was read otherwise. */
  learn(path: string, result: FileResult): void {
    if (result.ok) this.#boot.set(path, result);
  }

  /** Takes a directory that was listed when the connection was made. */
  learnList(path: string, result: ListResult): void {
    this.#listed.set(path, result);
  }

  /** What was listed before anybody asked may be something else now. */
  forgetLists(): void {
    this.#listed.clear();
  }

  /** The connection is another one: what was on its way will not come; after a reboot files differ. */
  renew(cache: BuildCache | undefined): void {
    this.#cache = cache;
    this.#ahead.clear();
    this.#boot.clear();
    this.#listed.clear();
  }

  read(path: string, limit?: number): FileResult {
    return this.readMany([path], limit)[0] as FileResult;
  }

  readMany(paths: readonly string[], limit = FILE_LENGTH_MAX): readonly FileResult[] {
    const results = new Map<string, FileResult>();
    for (const path of paths) {
      const refused = refusedFarPath(path);
      const known = refused === undefined ? this.#boot.get(path) : { ok: false as const, failure: refused };
      if (known !== undefined) results.set(path, cut(known, limit));
    }
    const sent: FilesSent[] = [];
    const asked: string[] = [];
    for (const path of new Set(paths)) {
      if (results.has(path)) continue;
      const ahead = this.#ahead.get(path);
      if (ahead === undefined) asked.push(path);
      else sent.push(ahead);
      this.#ahead.delete(path);
    }
    for (let at = 0; at < asked.length; at += PATHS_MAX) sent.push(this.#send(asked.slice(at, at + PATHS_MAX), limit));
    const unusable: string[] = [];
    for (const [n, answer] of this.#wire.collect(sent).entries()) {
      const { request } = sent[n] as FilesSent;
      for (const [i, path] of request.paths.entries()) {
        const result = this.#settle(path, answer[i], request.known?.[i] ?? '');
        if (result === undefined) unusable.push(path);
        else results.set(path, cut(result, limit));
      }
    }
    // What was kept here is damaged: the file is fetched after all.
    const again = unusable.length === 0 ? [] : this.#wire.one({ op: 'files', paths: unusable, limit });
    for (const [i, path] of unusable.entries()) results.set(path, this.#settle(path, again[i], '') ?? lacking(path));
    return paths.map((path) => results.get(path) ?? lacking(path));
  }

  list(path: string): ListResult {
    return this.listMany([path])[0] as ListResult;
  }

  listMany(paths: readonly string[]): readonly ListResult[] {
    // The names in a process's fd are links to anywhere; that they are there is the kernel's to tell.
    const refused = paths.map(refusedPath);
    const early = paths.map((path) => this.#listed.get(path));
    for (const path of paths) this.#listed.delete(path);
    const asked = paths.filter((_, i) => refused[i] === undefined && early[i] === undefined);
    const listed = [...this.#wire.ask(asked.map((path) => ({ op: 'list', path }) as const))];
    return refused.map((failure, i) => {
      return failure === undefined ? (early[i] ?? (listed.shift() as ListResult)) : { ok: false, failure };
    });
  }

  link(path: string): string | undefined {
    const slash = path.lastIndexOf('/');
    if (slash <= 0 || refusedPath(path.slice(0, slash)) !== undefined) return undefined;
    return this.#wire.one({ op: 'link', path });
  }

  /** Sends for these files, whole, and does not wait. */
  prefetch(paths: readonly string[]): void {
    for (const path of paths) {
      if (this.#ahead.has(path) || refusedFarPath(path) !== undefined || this.#wire.link.lost !== undefined) continue;
      this.#ahead.set(path, this.#send([path], FILE_LENGTH_MAX));
    }
  }

  #send(paths: readonly string[], limit: number): FilesSent {
    const known = paths.map((path) => {
      const name = keptName(path);
      return name === undefined ? '' : (this.#cache?.digest(name) ?? '');
    });
    return this.#wire.link.send({
      op: 'files',
      paths,
      limit,
      ...(known.some((digest) => digest !== '') ? { known } : {}),
    });
  }

  /** What an answer means; undefined when it relies on something that is not here any more. */
  #settle(path: string, answer: FileResult | 'same' | undefined, offered: string): FileResult | undefined {
    const name = keptName(path);
    if (answer === 'same') {
      const bytes = name === undefined || offered === '' ? undefined : this.#cache?.load(name, offered);
      return bytes && { ok: true, bytes, truncated: false };
    }
    if (answer === undefined) return lacking(path);
    if (!answer.ok || answer.truncated) return answer;
    if (name !== undefined && (offered === '' || sha256(answer.bytes) !== offered))
      this.#cache?.store(name, answer.bytes);
    if (BOOT_FILES.includes(path)) this.#boot.set(path, answer);
    return answer;
  }
}

/** The name in the cache of a file that is worth keeping. */
function keptName(path: string): string | undefined {
  if (path === '/proc/kallsyms') return 'kallsyms';
  const module = /^\/sys\/kernel\/btf\/([\w-]{1,90})$/.exec(path)?.[1];
  return module === undefined ? undefined : `btf-${module}`;
}

function cut(result: FileResult, limit: number): FileResult {
  if (!result.ok || result.bytes.length <= limit) return result;
  return { ok: true, bytes: result.bytes.subarray(0, limit), truncated: true };
}

function lacking(path: string): { readonly ok: false; readonly failure: FileFailure } {
  return { ok: false, failure: { path, reason: 'io', detail: 'no answer' } };
}
