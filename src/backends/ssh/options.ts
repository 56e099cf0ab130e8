/**
 * What the command line says about the connection, in ssh's own letters. It is plain data: it goes to the I/O thread.
 */
import { UsageError } from '../../core/errors.ts';
import type { Destination } from './destination.ts';

export interface SshOptions {
  /** `-i KEY`, in order. */
  readonly identityFiles: readonly string[];
  /** `-J JUMP[,JUMP...]`. */
  readonly jump: string | undefined;
  /** `-F CONFIG`: read instead of the user's and the system's configuration. */
  readonly configFile: string | undefined;
  /** `-l USER`, `-p PORT`. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** `-o KEY=VALUE`, in order; the first of a key counts. */
  readonly settings: readonly string[];
}

export const NO_SSH_OPTIONS: SshOptions = {
  identityFiles: [],
  jump: undefined,
  configFile: undefined,
  user: undefined,
  port: undefined,
  settings: [],
};

/** `-o KEY=VALUE` or `-o "KEY VALUE"`: the key in lower case, and its value. Throws UsageError. */
export function parseSetting(text: string): readonly [key: string, value: string] {
  const match = /^\s*([A-Za-z][A-Za-z0-9]*)\s*(?:=|\s)\s*(.*?)\s*$/s.exec(text);
  if (match === null || match[2] === '') throw new UsageError(`"-o ${text}" is not KEY=VALUE`);
  return [(match[1] as string).toLowerCase(), match[2] as string];
}

/** The arguments that make OpenSSH's own `ssh` mean the same connection. The destination cannot be an option. */
export function opensshArguments(destination: Destination, options: SshOptions): string[] {
  const user = options.user ?? destination.user;
  const port = options.port ?? destination.port;
  return [
    ...(options.configFile === undefined ? [] : ['-F', options.configFile]),
    ...options.identityFiles.flatMap((file) => ['-i', file]),
    ...(options.jump === undefined ? [] : ['-J', options.jump]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...options.settings.flatMap((setting) => ['-o', setting]),
    '--',
    destination.host,
  ];
}
