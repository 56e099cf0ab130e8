import { closeSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, runHost } from './cache.ts';
import { dependencyOf, unpack, versionOf } from './debian.ts';

/** The kernel lines that the lab boots, by the Debian package that depends on the newest build of each. */
export const kernelPackages = {
  '6.1': { image: 'linux-image-cloud-amd64', headers: 'linux-headers-cloud-amd64' },
  '6.12': { image: 'linux-image-6.12-cloud-amd64', headers: 'linux-headers-6.12-cloud-amd64' },
} as const;

export type KernelLine = keyof typeof kernelPackages;
export const kernelLines = Object.keys(kernelPackages) as readonly KernelLine[];

/** A Debian kernel, unpacked and not installed. */
export interface Kernel {
  readonly line: KernelLine;
  /** As `uname -r` says it: `6.1.0-56-cloud-amd64`. */
  readonly release: string;
  /** The bootable image. */
  readonly vmlinuz: string;
  /** The ELF file inside the image: no symbol table and no DWARF, but `.BTF` and the ORC tables. */
  readonly vmlinux: string;
  /** `/lib/modules/RELEASE`. */
  readonly modules: string;
  /** The build tree for modules. */
  readonly headers: string;
}

/**
 * Takes the ELF file out of a bzImage. The header (Documentation/arch/x86/boot.rst) gives the number of set-up sectors
 * and, from the end of these, the payload's place; the payload ends with its uncompressed length in four bytes.
 */
const unpackImage = (vmlinuz: string, vmlinux: string): void => {
  const image = readFileSync(vmlinuz);
  const start = (image[0x1f1]! + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  const magic = payload.readUInt32BE(0);
  const programs: Readonly<Record<number, string>> = { 35736600: 'lz4', 682962941: 'zstd', 4248271448: 'xz' };
  const program = programs[magic];
  if (program === undefined) throw new Error(`${vmlinuz}: payload of an unknown kind, magic ${magic.toString(16)}`);
  writeFileSync(`${vmlinux}.payload`, payload);
  writeFileSync(vmlinux, '');
  runHost('sh', ['-c', `${program} -dc < '${vmlinux}.payload' > '${vmlinux}'`]);
  rmSync(`${vmlinux}.payload`);
};

/** Debian's build trees name each other by absolute paths below /usr: point them at where they really are. */
const relocateHeaders = (headers: string, root: string): void => {
  const makefile = join(headers, 'Makefile');
  writeFileSync(makefile, readFileSync(makefile, 'utf8').replace(/ \S*(?=\/usr\/src\/)/g, ` ${root}`));
  // With a vmlinux beside it, kbuild makes the module's BTF with a tool that 6.1's packages lack; kmod.ts makes it.
  rmSync(join(headers, 'vmlinux'), { force: true });
};

const isElf = (path: string): boolean => {
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic, 0, 4, 0) === 4 && magic.readUInt32BE(0) === 0x7f454c46;
  } finally {
    closeSync(file);
  }
};

/** A Debian kernel, downloaded and unpacked on first use (about 90 MB and 10 s). */
export const loadKernel = (line: KernelLine): Kernel => {
  const { image: metaImage, headers: metaHeaders } = kernelPackages[line];
  const image = dependencyOf(metaImage, /^linux-image-\d.*-amd64$/);
  const headers = dependencyOf(metaHeaders, /^linux-headers-\d.*-amd64$/);
  const common = dependencyOf(headers, /-common$/);
  const kbuild = dependencyOf(headers, /^linux-kbuild-/);
  const release = image.replace('linux-image-', '');

  const version = versionOf(image);
  const root = cached(`kernels/${version}`, (path) => {
    unpack([image, headers, common, kbuild], path);
    const vmlinux = join(path, 'vmlinux');
    unpackImage(join(path, 'boot', `vmlinuz-${release}`), vmlinux);
    if (!isElf(vmlinux)) throw new Error(`${image}: the image holds no ELF file`);
  });
  const tree = join(root, 'usr', 'src', headers);
  if (!readFileSync(join(tree, 'Makefile'), 'utf8').includes(root)) relocateHeaders(tree, root);
  return {
    line,
    release,
    vmlinuz: join(root, 'boot', `vmlinuz-${release}`),
    vmlinux: join(root, 'vmlinux'),
    modules: join(root, 'lib', 'modules', release),
    headers: tree,
  };
};
