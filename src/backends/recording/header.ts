/**
 * The first line of a recording: plain JSON, so that `head -1` and grep tell what a file is without kdbg.
 */
import { OpenError } from '../../core/errors.ts';
import type { KernelIdentity } from './identity.ts';

/** The format that this kdbg writes, and the newest that it reads. */
export const FORMAT_VERSION = 2;
/** The oldest reader that understands what this kdbg writes. */
const MIN_READER = 1;
export const HEADER_LENGTH_MAX = 64 * 1024;
const START = '{"kdbg":';

export interface RecordingHeader {
  /** Version of the format. */
  readonly version: number;
  /** The program that wrote it: "kdbg 0.1.0". */
  readonly tool: string;
  /** When the recording started, ISO 8601, UTC. */
  readonly created: string;
  readonly target: {
    readonly name: string;
    readonly liveness: 'live' | 'frozen';
    /** What the recorded backend had at all. */
    readonly serves: readonly ('memory' | 'files')[];
    /** The PID that commands without a task meant. */
    readonly pid?: number;
  };
  readonly kernel: KernelIdentity;
  /** True when user memory, environments and command lines of processes are in it. */
  readonly userData: boolean;
}

export function encodeHeader(header: Omit<RecordingHeader, 'version'>): Uint8Array {
  const { tool, created, target, kernel, userData } = header;
  const json = JSON.stringify({
    kdbg: FORMAT_VERSION,
    minReader: MIN_READER,
    tool,
    created,
    target,
    kernel,
    userData,
  });
  return Buffer.from(`${json}\n`);
}

/** True when the bytes start as a recording does. */
export function isRecording(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, START.length)).toString('latin1') === START;
}

/** The header line without its newline. Throws OpenError when it is none, or of a format too new. */
export function decodeHeader(line: Buffer, path: string): RecordingHeader {
  let json: unknown;
  try {
    json = JSON.parse(line.toString('utf8'));
  } catch {
    throw new OpenError(`${path} starts as a recording but its first line is damaged`);
  }
  const top = record(json);
  const minReader = top['minReader'];
  if (typeof top['kdbg'] !== 'number' || typeof minReader !== 'number') {
    throw new OpenError(`${path} starts as a recording but its first line says no version`);
  }
  const tool = text(top['tool']) ?? 'another program';
  if (minReader > FORMAT_VERSION) {
    throw new OpenError(
      `${path} was written by ${printable(tool)} in a format (${minReader}) newer than this kdbg reads (${FORMAT_VERSION})`,
      'use a newer kdbg',
    );
  }
  const target = record(top['target']);
  const kernel = record(top['kernel']);
  const serves = Array.isArray(target['serves']) ? (target['serves'] as readonly unknown[]) : [];
  return {
    version: top['kdbg'],
    tool,
    created: text(top['created']) ?? '',
    target: {
      name: text(target['name']) ?? 'unknown',
      liveness: target['liveness'] === 'frozen' ? 'frozen' : 'live',
      serves: (['memory', 'files'] as const).filter((name) => serves.includes(name)),
      ...(Number.isSafeInteger(target['pid']) ? { pid: target['pid'] as number } : {}),
    },
    kernel: {
      release: text(kernel['release']),
      version: text(kernel['version']),
      arch: text(kernel['arch']),
      buildId: text(kernel['buildId']),
      bootId: text(kernel['bootId']),
    },
    userData: top['userData'] === true,
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function printable(value: string): string {
  return value.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}
