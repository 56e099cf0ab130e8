/**
 * tracefs, the files by which the kernel's tracer is driven and read (Documentation/trace/ftrace.rst). It is mounted at
 * /sys/kernel/tracing, on older machines only below debugfs. Each directory in `instances` is a trace buffer of its
 * own with tracer, filters and events of its own; the top directory is the buffer that everybody shares.
 */
import { UnsupportedError } from '../errors.ts';
import type { FileFailure } from '../memory/backend.ts';
import { decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';

const ROOTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'] as const;
/** Where instances are on every kernel of today. */
export const INSTANCES = `${ROOTS[0]}/instances`;
const FILE_MAX = 1024 * 1024;

export class Tracefs {
  readonly root: string;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, root: string) {
    this.#kernel = kernel;
    this.root = root;
  }

  /** The directory of an instance, or of the buffer that everybody shares. */
  directory(instance: string | undefined): string {
    return instance === undefined ? this.root : `${this.root}/instances/${instance}`;
  }

  /** Files as text without the newline at their end, in one request; undefined for those that cannot be read. */
  texts(paths: readonly string[], limit = FILE_MAX): readonly (string | undefined)[] {
    return this.#kernel.files
      .readMany(paths, limit)
      .map((result) => (result.ok ? decodeText(result.bytes).replace(/\n+$/, '') : undefined));
  }

  text(path: string, limit?: number): string | undefined {
    return this.texts([path], limit)[0];
  }

  /** Names in a directory; none where it cannot be read. */
  names(path: string): readonly string[] {
    const listed = this.#kernel.files.list(path);
    return listed.ok ? listed.names : [];
  }

  instances(): readonly string[] {
    return this.names(`${this.root}/instances`);
  }
}

/** Throws UnsupportedError where the target has no tracefs, or does not let this user in. */
export function tracefs(kernel: Kernel): Tracefs {
  return kernel.memo('tracefs', 'session', () => {
    const found = ROOTS.map((root) => kernel.files.read(`${root}/current_tracer`, 256));
    const at = found.findIndex((result) => result.ok);
    if (at >= 0) return new Tracefs(kernel, ROOTS[at] as string);
    const failures = found.flatMap((result) => (result.ok ? [] : [result.failure]));
    const { detail, help } = explain(failures);
    throw new UnsupportedError(`${kernel.backend.name} gives no access to tracefs: ${detail}`, help);
  });
}

function explain(failures: readonly FileFailure[]): { readonly detail: string; readonly help: string } {
  const denied = failures.find(({ reason }) => reason === 'denied');
  if (denied !== undefined) {
    const help = 'root can read it, unless the kernel is locked down for confidentiality';
    return { detail: `${denied.path}: ${denied.detail}`, help };
  }
  const first = failures[0];
  if (first?.reason === 'not-recorded') {
    return {
      detail: `${first.path}: ${first.detail}`,
      help: 'the commands that the session ran show what they showed then',
    };
  }
  const help =
    'is it mounted? "mount -t tracefs nodev /sys/kernel/tracing" does it; a kernel without CONFIG_FTRACE has none';
  return { detail: first === undefined ? 'no answer' : `${first.path}: ${first.detail}`, help };
}
