/**
 * What the user's ssh configuration says about a destination: OpenSSH itself is asked where it is installed
 * (`ssh -G`, which connects to nothing), so that every keyword means what it means to ssh; without OpenSSH the files
 * are read (configuration-files.ts).
 */
import { execFile } from 'node:child_process';
import { CancelledError, OpenError, UsageError } from '../../core/errors.ts';
import type { Destination } from './destination.ts';
import { opensshArguments, parseSetting, type SshOptions } from './options.ts';
import { serverText } from './server-text.ts';
import { type SettingLine, type SshSettings, settingsOf } from './settings.ts';
import { account } from './tokens.ts';

const OUTPUT_MAX = 1024 * 1024;
/** A `Match exec` of the user's or a name lookup may take its time. */
const TIMEOUT_MS = 20_000;

export interface Configured {
  readonly settings: SshSettings;
  /** What could not be taken from the configuration, for the user. */
  readonly notices: readonly string[];
}

/** Throws OpenError when the configuration cannot be read, UsageError for options that are none. */
export async function readConfiguration(
  destination: Destination,
  options: SshOptions,
  signal: AbortSignal,
): Promise<Configured> {
  for (const setting of options.settings) parseSetting(setting);
  const named = { alias: destination.host, user: account().username, env: process.env };
  const asked = await askOpenssh(opensshArguments(destination, options), signal);
  if (asked !== undefined) return { settings: settingsOf(parseAnswer(asked), named), notices: [] };
  const { readConfigurationFiles } = await import('./configuration-files.ts');
  const { lines, notices } = readConfigurationFiles(destination, options);
  return { settings: settingsOf(lines, named), notices };
}

/** `ssh -G` prints one `keyword value` a line, keywords in lower case. */
export function parseAnswer(text: string): readonly SettingLine[] {
  return text.split('\n').flatMap((line): SettingLine[] => {
    const space = line.indexOf(' ');
    return space < 0 ? [] : [[line.slice(0, space).toLowerCase(), line.slice(space + 1).trim()]];
  });
}

/** Undefined: there is no OpenSSH here, or one older than 6.8, which has no -G. */
function askOpenssh(argv: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const limits = { maxBuffer: OUTPUT_MAX, timeout: TIMEOUT_MS, signal, encoding: 'utf8' } as const;
    const child = execFile('ssh', ['-G', ...argv], limits, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (signal.aborted) return reject(new CancelledError());
      if (error.code === 'ENOENT' || error.code === 'EACCES' || /(?:illegal|unknown) option -- G/.test(stderr)) {
        return resolve(undefined);
      }
      const said = serverText(stderr, 500) || (error.killed === true ? 'it took too long' : error.message);
      if (/^command-line/m.test(stderr)) return reject(new UsageError(`ssh does not take these options: ${said}`));
      reject(new OpenError(`the ssh configuration cannot be used: ${said}`, '-F none leaves it out'));
    });
    child.stdin?.end();
  });
}
