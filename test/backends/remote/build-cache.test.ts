/** What is kept of kernels on this machine: found again, never trusted unseen, bounded, safe when two write at once. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BuildCache, cacheFolder, sha256 } from '../../../src/backends/remote/build-cache.ts';
import { seededRandom } from '../../support/mutations.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-cache-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BUILD = 'aabbccdd00112233';
let roots = 0;
const newRoot = (): string => join(folder, String(roots++));
const open = (root: string, totalMax?: number): BuildCache =>
  BuildCache.of(root, BUILD, totalMax === undefined ? {} : { totalMax }) as BuildCache;
/** Bytes that do not compress. */
const bytes = (length: number, seed = 1): Uint8Array => {
  const next = seededRandom(seed);
  return Uint8Array.from({ length }, () => Math.floor(next() * 256));
};
const filesOf = (root: string): readonly string[] => readdirSync(join(root, BUILD));

describe('the cache of a build', () => {
  it('gives back what was stored, to another kdbg too', () => {
    const root = newRoot();
    open(root).store('kallsyms', bytes(10_000));
    expect(open(root).latest('kallsyms')).toEqual(bytes(10_000));
    expect(open(root).digest('kallsyms')).toBe(sha256(bytes(10_000)));
    expect(open(root).latest('btf-vmlinux')).toBeUndefined();
    expect(statSync(join(root, BUILD)).mode & 0o77).toBe(0);
  });

  it('takes no path for a build id, and none for a name', () => {
    for (const id of ['', '..', '../../etc', 'AABBCCDD0011', 'zz', 'a'.repeat(200), undefined]) {
      expect(BuildCache.of(newRoot(), id)).toBeUndefined();
    }
    const root = newRoot();
    for (const name of ['../x', 'a/b', '', 'x.y', 'n'.repeat(101)]) {
      open(root).store(name, bytes(10));
      expect(open(root).latest(name)).toBeUndefined();
    }
    expect(existsSync(root)).toBe(false);
  });

  it.each([
    ['cut short', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 50))],
    ['changed', (path: string) => writeFileSync(path, gzipSync(bytes(10_000, 7)))],
    ['empty', (path: string) => writeFileSync(path, '')],
    ['no gzip', (path: string) => writeFileSync(path, 'hello')],
    ['too large when inflated', (path: string) => writeFileSync(path, gzipSync(Buffer.alloc(140 * 1024 * 1024)))],
  ])('drops a file that is %s', (_, damage) => {
    const root = newRoot();
    const cache = open(root);
    cache.store('kallsyms', bytes(10_000));
    damage(join(root, BUILD, filesOf(root)[0] as string));
    expect(cache.latest('kallsyms')).toBeUndefined();
    expect(filesOf(root)).toEqual([]);
  });

  it('keeps the last few versions of a thing', () => {
    const root = newRoot();
    for (let boot = 1; boot <= 6; boot++) open(root).store('kallsyms', bytes(100, boot));
    expect(filesOf(root)).toHaveLength(3);
    expect(open(root).load('kallsyms', sha256(bytes(100, 6)))).toEqual(bytes(100, 6));
  });

  it('removes what was not used for longest when it is full, of any build', () => {
    const root = newRoot();
    const old = BuildCache.of(root, 'ffffffffffff') as BuildCache;
    old.store('kallsyms', bytes(3000));
    const past = new Date(Date.now() - 1e6);
    for (const file of readdirSync(join(root, 'ffffffffffff')))
      utimesSync(join(root, 'ffffffffffff', file), past, past);
    const cache = open(root, 1500);
    cache.store('btf-vmlinux', bytes(3000, 3));
    expect(cache.latest('btf-vmlinux')).toBeDefined();
    expect(old.latest('kallsyms')).toBeUndefined();
    expect(readdirSync(root)).toEqual([BUILD]);
  });

  it('leaves files that another kdbg is writing, and removes those that it left', () => {
    const root = newRoot();
    mkdirSync(join(root, BUILD), { recursive: true });
    const fresh = join(root, BUILD, 'kallsyms.x.gz.1-a.part');
    const left = join(root, BUILD, 'kallsyms.x.gz.2-b.part');
    for (const path of [fresh, left]) writeFileSync(path, 'half');
    utimesSync(left, new Date(0), new Date(0));
    open(root).store('btf-vmlinux', bytes(100));
    expect(existsSync(fresh)).toBe(true);
    expect(existsSync(left)).toBe(false);
  });

  it('does without a place to write', () => {
    const root = join(folder, 'a-file');
    writeFileSync(root, '');
    open(root).store('kallsyms', bytes(100));
    expect(open(root).latest('kallsyms')).toBeUndefined();
  });

  it('is where the user keeps caches', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/home/mo/c' })).toBe('/home/mo/c/kdbg');
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/kdbg$/);
    expect(cacheFolder({})).toMatch(/\/\.cache\/kdbg$/);
  });
});
