import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, keyOf, labRoot, runHost } from './cache.ts';
import type { Kernel } from './kernel.ts';

/**
 * The lab's module (test/lab/kmod), built for a kernel; returns the path of kdbg_lab.ko.
 *
 * Kbuild would make the module's BTF with tools that Debian's 6.1 packages do not ship, so pahole makes it here, against
 * the kernel's own BTF as base.
 */
export const buildModule = (kernel: Kernel): string => {
  const sources = join(labRoot, 'kmod');
  const names = readdirSync(sources).sort();
  const key = keyOf(...names.flatMap((name) => [name, readFileSync(join(sources, name))]));
  const folder = cached(`kmod/${kernel.release}-${key}`, (path) => {
    mkdirSync(path);
    for (const name of names) copyFileSync(join(sources, name), join(path, name));
    runHost('make', ['-j2', '-C', kernel.headers, `M=${path}`, 'modules']);
    const module = join(path, 'kdbg_lab.ko');
    runHost('pahole', ['-J', '--btf_gen_floats', '--btf_base', kernel.vmlinux, module]);
    runHost('strip', ['--strip-debug', module]);
  });
  return join(folder, 'kdbg_lab.ko');
};
