/** Kernels whose types are BTF as real ones have it: prototypes, per-CPU variables, modules with types of their own. */
import { BtfTable } from '../../src/core/types/btf-table.ts';
import { createGlobals } from '../../src/core/types/globals.ts';
import { btf } from './btf-builder.ts';
import { FakeKernel } from './fake-kernel.ts';

export interface TypedKernel {
  readonly fake: FakeKernel;
  /** The modules whose BTF was read, in order. */
  readonly modulesRead: string[];
}

/** A kernel of these C declarations; `modules` are those of each module. */
export function typedKernel(source: string, modules: Readonly<Record<string, string>> = {}): TypedKernel {
  const fake = new FakeKernel();
  const vmlinux = btf(source);
  const table = new BtfTable(vmlinux.bytes, 'BTF of a test');
  const modulesRead: string[] = [];
  table.addModules(Object.keys(modules), (names) => {
    modulesRead.push(...names);
    return names.map((name) => btf(modules[name] as string, { base: vmlinux }).bytes);
  });
  const globals = createGlobals(table);
  fake.c(source);
  fake.types.kernelTypes = () => ({
    table,
    globals,
    typeOfGlobal: (name, module) => globals.typeOf(name, module),
    declare: (text) => {
      globals.declare(text);
    },
  });
  return { fake, modulesRead };
}
