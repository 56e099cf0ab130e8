/**
 * The known_hosts files of a connection, read together, and the line that a new host adds.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { OpenError } from '../../core/errors.ts';
import { hashHost, type KnownHostLine, keyTypeOf, parseKnownHosts } from './known-hosts.ts';

/** 16 MiB are 100,000 hosts. */
const FILE_MAX = 16 * 1024 * 1024;

/** Files that are not there hold nothing. Throws OpenError for one that is there and cannot be read. */
export function readKnownHosts(paths: readonly string[]): readonly KnownHostLine[] {
  return paths.flatMap((path) => parseKnownHosts(readKnownHostsFile(path), path));
}

/** Appends in one write, so that two programs that learn a host at once do not mix their lines. */
export function addKnownHost(path: string, name: string, key: Buffer, isHashed: boolean): void {
  const lowered = name.toLowerCase();
  const line = `${isHashed ? hashHost(lowered) : lowered} ${keyTypeOf(key)} ${key.toString('base64')}\n`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    writeSync(file, endsInLine(file) ? line : `\n${line}`);
  } finally {
    closeSync(file);
  }
}

function endsInLine(file: number): boolean {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  return size === 0 || readSync(file, last, 0, 1, size - 1) === 0 || last[0] === 0x0a;
}

function readKnownHostsFile(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_MAX) throw new Error('it is larger than 16 MiB');
    return bytes.toString('utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new OpenError(`cannot read the known hosts in ${path}: ${message}`);
  }
}
