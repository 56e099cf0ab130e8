/**
 * Paths of directory entries, for naming the files that locks belong to: names up to the root of the file system, then
 * where that is mounted. Many at a time, level by level, so that the requests are as many as the deepest path has names.
 */
import { isKernelAddress } from '../../memory/address.ts';
import { decodeText } from '../../memory/text.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { defineStruct, embedded, int, pointer } from '../struct.ts';
import { attempt } from './lock-reading.ts';

const Dentry = defineStruct('dentry', {
  parent: pointer('d_parent'),
  sb: pointer('d_sb'),
  name: pointer('d_name.name'),
  nameLength: int('d_name.len'),
});
const SuperBlock = defineStruct('super_block', { root: pointer('s_root'), mounts: embedded('s_mounts') });
const Mount = defineStruct('mount', { parent: pointer('mnt_parent'), mountpoint: pointer('mnt_mountpoint') });

const LEVELS_MAX = 128;
const MOUNTS_MAX = 32;
const NAME_MAX = 255;

/** The file system's super_block of a dentry; undefined when it cannot be read. */
function superBlockOf(kernel: Kernel, dentry: bigint): bigint | undefined {
  return attempt(() => kernel.struct(Dentry).at(dentry).sb);
}

/** `/var/lib/x` for each dentry; undefined for one whose names cannot be read. */
export function dentryPaths(kernel: Kernel, dentries: readonly bigint[]): readonly (string | undefined)[] {
  const within = pathsWithin(kernel, dentries);
  return dentries.map((dentry, i) => {
    const path = within[i];
    if (path === undefined) return undefined;
    const sb = superBlockOf(kernel, dentry);
    const mount = sb === undefined ? '' : mountPath(kernel, sb);
    return `${mount}${path}` || '/';
  });
}

interface Climb {
  at: bigint;
  readonly names: bigint[];
  done: boolean;
}

/** Paths from each file system's root: '' for the root itself. */
function pathsWithin(kernel: Kernel, dentries: readonly bigint[]): readonly (string | undefined)[] {
  const struct = kernel.struct(Dentry);
  const climbs: Climb[] = dentries.map((at) => ({ at, names: [], done: false }));
  for (let level = 0; level < LEVELS_MAX; level++) {
    const open = climbs.filter(({ done }) => !done);
    if (open.length === 0) break;
    struct.prefetch(open.map(({ at }) => at));
    for (const climb of open) {
      const parent = attempt(() => struct.at(climb.at).parent);
      if (parent === undefined || parent === climb.at) {
        climb.done = true;
        continue;
      }
      climb.names.push(climb.at);
      climb.at = parent;
    }
  }
  const all = new Set(climbs.flatMap(({ names }) => names));
  const texts = new Map([...all].map((dentry) => [dentry, attempt(() => struct.at(dentry).name)]));
  kernel.memory.prefetch(
    [...texts.values()].flatMap((address) =>
      address === undefined ? [] : [{ space: 'virtual', address, length: NAME_MAX, what: 'dentry name' } as const],
    ),
  );
  return climbs.map(({ names, done }) => {
    const parts = names.map((dentry) => attempt(() => nameOf(kernel, dentry)));
    if (!done || parts.includes(undefined)) return undefined;
    return parts
      .reverse()
      .map((name) => `/${name}`)
      .join('');
  });
}

function nameOf(kernel: Kernel, dentry: bigint): string {
  const { name, nameLength } = kernel.struct(Dentry).at(dentry);
  return decodeText(kernel.memory.read(name, Math.min(nameLength, NAME_MAX), 'dentry name'));
}

/** Where a file system is mounted first; '' for the root, and for one that is mounted nowhere. */
function mountPath(kernel: Kernel, sb: bigint): string {
  return kernel.memo(`mount of ${sb}`, 'command', () => attempt(() => climbMounts(kernel, sb)) ?? '');
}

function climbMounts(kernel: Kernel, sb: bigint): string {
  const { mounts } = kernel.struct(SuperBlock).at(sb);
  const first = kernel.memory.u64(mounts, 'super_block.s_mounts');
  if (first === mounts || !isKernelAddress(first)) return '';
  const struct = kernel.struct(Mount);
  let path = '';
  // A list by mnt_instance; on kernels without that member s_mounts points at the first mount.
  const instance = findStructMember(kernel, 'mount', 'mnt_instance');
  let at = first - BigInt(instance?.offset ?? 0);
  for (let i = 0; i < MOUNTS_MAX; i++) {
    const { parent, mountpoint } = struct.at(at);
    if (parent === at || !isKernelAddress(parent)) break;
    path = `${pathsWithin(kernel, [mountpoint])[0] ?? ''}${path}`;
    at = parent;
  }
  return path;
}
