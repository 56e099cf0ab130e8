import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cached, keyOf, labRoot, projectRoot, runHost } from './cache.ts';
import { type ArchiveFile, file, link, packArchive } from './cpio.ts';
import type { Kernel } from './kernel.ts';
import { loginsPart } from './logins.ts';

/**
 * The guest's root file system, in parts that the kernel unpacks one after another, so that a later one's files win: the
 * system (busybox, sshd, the agent, drivers, the lab's module), where asked for the users (logins.ts), node, and the built
 * project. All but the last seldom change and come from the cache.
 */

/** The drivers in the order in which they load; one that is built into the kernel is skipped. */
const drivers = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'failover',
  'net_failover',
  'virtio_net',
  'fuse',
  'qemu_fw_cfg',
];

/** Programs of the host that the guest has too. Perl is there for what enters over ssh: it is on every Debian. */
const systemPrograms = ['/usr/sbin/sshd', '/usr/bin/perl'];

const read = (path: string): Uint8Array => readFileSync(path);

/** Programs and the shared libraries that they load, each under its own path. */
const programs = (paths: readonly string[]): readonly ArchiveFile[] => {
  const files = new Map<string, ArchiveFile>();
  for (const path of paths) {
    files.set(path, file(path.slice(1), read(path), 0o755));
    for (const [, library] of runHost('ldd', [path]).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)) {
      files.set(library!, file(library!.slice(1), read(library!), 0o755));
    }
  }
  return [...files.values()];
};

const driverFiles = (kernel: Kernel): readonly ArchiveFile[] => {
  const files = readdirSync(join(kernel.modules, 'kernel'), { recursive: true, encoding: 'utf8' });
  const present = drivers.flatMap((name): readonly ArchiveFile[] => {
    const path = files.find((each) => each.endsWith(`/${name}.ko`) || each.endsWith(`/${name}.ko.xz`));
    if (path === undefined) return [];
    const source = join(kernel.modules, 'kernel', path);
    const content = path.endsWith('.xz') ? execFileSync('xz', ['-dc', source], { maxBuffer: 1 << 28 }) : read(source);
    return [file(`modules/${name}.ko`, content)];
  });
  const order = present.map((each) => each.path.replace('modules/', ''));
  return [...present, file('modules/order', order.map((name) => `${name}\n`).join(''))];
};

/** A static program from one of the C files in guest/. */
const buildProgram = (name: string): string => {
  const source = join(labRoot, 'guest', `${name}.c`);
  return cached(`programs/${name}-${keyOf(read(source))}`, (path) => {
    runHost('gcc', ['-O2', '-Wall', '-static', '-pthread', '-s', '-o', path, source]);
  });
};

/** The folder with the key pairs of the lab's guests and of the one who enters them. */
const keysFolder = (): string =>
  cached('ssh', (path) => {
    mkdirSync(path);
    for (const name of ['id', 'host_key']) {
      runHost('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `kdbg-lab-${name}`, '-f', join(path, name)]);
      chmodSync(join(path, name), 0o600);
    }
  });

/** The private key that opens every guest of the lab. */
export const sshKeyPath = (): string => join(keysFolder(), 'id');

/** The public key by which every guest of the lab is known. */
export const hostKeyPath = (): string => join(keysFolder(), 'host_key.pub');

const systemPart = (kernel: Kernel, module: string): string => {
  const [init, hang, sshdConfig] = ['init', 'hang', 'sshd_config'].map((name) => join(labRoot, 'guest', name)) as [
    string,
    string,
    string,
  ];
  const agent = buildProgram('agent');
  const states = buildProgram('states');
  const sharefs = buildProgram('sharefs');
  const keys = keysFolder();
  const recipe = ['initramfs.ts', 'cpio.ts'].map((name) => join(labRoot, name));
  const inputs = [
    init,
    hang,
    sshdConfig,
    agent,
    states,
    sharefs,
    module,
    join(keys, 'id.pub'),
    '/bin/busybox',
    ...systemPrograms,
    ...recipe,
  ];
  const key = keyOf(...inputs.map(read));
  return cached(`initramfs/system-${kernel.release}-${key}.cpio`, (path) => {
    writeFileSync(
      path,
      packArchive([
        file('bin/busybox', read('/bin/busybox'), 0o755),
        link('bin/sh', 'busybox'),
        file('init', read(init), 0o755),
        file('sbin/lab-agent', read(agent), 0o755),
        file('sbin/lab-states', read(states), 0o755),
        file('sbin/hang', read(hang), 0o755),
        file('sbin/sharefs', read(sharefs), 0o755),
        file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nsshd:x:100:100:sshd:/run/sshd:/bin/false\n'),
        file('etc/group', 'root:x:0:\nsshd:x:100:\n'),
        file('etc/hosts', '127.0.0.1 localhost lab\n'),
        file('etc/ssh/sshd_config', read(sshdConfig)),
        file('etc/ssh/host_key', read(join(keys, 'host_key')), 0o600),
        file('root/.ssh/authorized_keys', read(join(keys, 'id.pub')), 0o600),
        file('modules/kdbg_lab.ko', read(module)),
        ...programs(systemPrograms),
        ...driverFiles(kernel),
      ]),
    );
  });
};

const nodePart = (): string =>
  cached(`initramfs/node-${keyOf(process.execPath, process.version)}.cpio`, (path) => {
    const node = realpathSync(process.execPath);
    writeFileSync(
      path,
      packArchive([...programs([node]), ...(node === '/usr/bin/node' ? [] : [link('usr/bin/node', node)])]),
    );
  });

const tree = (folder: string, under: string): readonly ArchiveFile[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return file(join(under, relative(folder, path)), read(path));
    });

/**
 * WebAssembly is compiled once: where a thread puts better code in the place of what another one runs, QEMU's multi-threaded
 * emulation now and then runs neither, and node ends with a segmentation fault.
 */
const NODE_FLAGS = '--liftoff-only';

/** The built project as it is now, under /kdbg with `kdbg` in the PATH; nothing where it is not built. */
const projectPart = (): Uint8Array => {
  const dist = join(projectRoot, 'dist');
  if (!existsSync(dist)) return new Uint8Array();
  const packages = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const modules = Object.keys(packages.dependencies).map((name) => join('node_modules', name));
  return packArchive([
    file('kdbg/package.json', read(join(projectRoot, 'package.json'))),
    file('usr/bin/kdbg', `#!/bin/sh\nexec /usr/bin/node ${NODE_FLAGS} /kdbg/dist/kdbg.js "$@"\n`, 0o755),
    ...tree(dist, 'kdbg/dist'),
    ...modules.flatMap((path) => tree(join(projectRoot, path), join('kdbg', path))),
  ]);
};

/** Writes a kernel's whole initramfs to a file. */
export const writeInitramfs = (
  kernel: Kernel,
  module: string,
  options: { readonly node: boolean; readonly logins: boolean },
  path: string,
): void => {
  const parts: Uint8Array[] = [read(systemPart(kernel, module))];
  if (options.logins) parts.push(read(loginsPart(keysFolder())));
  if (options.node) parts.push(read(nodePart()), projectPart());
  writeFileSync(path, Buffer.concat(parts));
};
