/**
 * The ssh configuration where no OpenSSH is there to be asked: the command line, the user's file, the system's, with
 * Include, Host and Match. The files are taken apart by ssh-config; which of their sections apply is decided here,
 * since its own evaluation runs commands and knows no Include.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import sshConfig, { type Directive, type Section } from 'ssh-config';
import { OpenError } from '../../core/errors.ts';
import type { Destination } from './destination.ts';
import { globFiles } from './glob.ts';
import { matchesPattern } from './known-hosts.ts';
import { parseSetting, type SshOptions } from './options.ts';
import type { SettingLine } from './settings.ts';
import { account, expandTokens } from './tokens.ts';

const SYSTEM_FILE = '/etc/ssh/ssh_config';
const FILE_MAX = 4 * 1024 * 1024;
/** As OpenSSH. */
const INCLUDE_DEPTH_MAX = 16;
const FILES_MAX = 1000;

export interface ConfigurationLines {
  readonly lines: readonly SettingLine[];
  readonly notices: readonly string[];
}

/** Where `~` and relative Includes of the user's file lead; another one in tests. */
export interface ConfigurationPlaces {
  readonly home: string;
  readonly systemFile: string;
}

interface Reading {
  readonly alias: string;
  readonly home: string;
  /** The command line's come first. */
  readonly lines: SettingLine[];
  readonly notices: Set<string>;
  files: number;
}

/** Throws OpenError for a file that cannot be read or is malformed. */
export function readConfigurationFiles(
  destination: Destination,
  options: SshOptions,
  places: ConfigurationPlaces = { home: account().homedir, systemFile: SYSTEM_FILE },
): ConfigurationLines {
  const { home, systemFile } = places;
  const reading: Reading = {
    alias: destination.host,
    home,
    lines: commandLine(destination, options),
    notices: new Set(),
    files: 0,
  };
  if (options.configFile !== undefined) {
    if (options.configFile.toLowerCase() !== 'none') readFile(reading, options.configFile, `${home}/.ssh`, 0, true);
  } else {
    readFile(reading, `${home}/.ssh/config`, `${home}/.ssh`, 0, false);
    readFile(reading, systemFile, dirname(systemFile), 0, false);
  }
  return { lines: reading.lines, notices: [...reading.notices] };
}

function commandLine(destination: Destination, options: SshOptions): SettingLine[] {
  const user = options.user ?? destination.user;
  const port = options.port ?? destination.port;
  return [
    ...options.identityFiles.map((file): SettingLine => ['identityfile', file]),
    ...(options.jump === undefined ? [] : [['proxyjump', options.jump] as const]),
    ...(user === undefined ? [] : [['user', user] as const]),
    ...(port === undefined ? [] : [['port', String(port)] as const]),
    ...options.settings.map(parseSetting),
  ];
}

function readFile(reading: Reading, path: string, base: string, depth: number, mustExist: boolean): void {
  if (depth > INCLUDE_DEPTH_MAX || ++reading.files > FILES_MAX) {
    throw new OpenError(`the ssh configuration includes too many files, ${path} among them`);
  }
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!mustExist && (code === 'ENOENT' || code === 'ENOTDIR')) return;
    throw new OpenError(`cannot read the ssh configuration ${path}: ${message}`);
  }
  if (text.length > FILE_MAX) throw new OpenError(`the ssh configuration ${path} is larger than 4 MiB`);
  let parsed: Iterable<unknown>;
  try {
    parsed = sshConfig.parse(text);
  } catch (error) {
    throw new OpenError(`the ssh configuration ${path} is malformed: ${(error as Error).message}`);
  }
  readLines(reading, parsed, base, depth);
}

function readLines(reading: Reading, lines: Iterable<unknown>, base: string, depth: number): void {
  for (const line of lines) {
    if (!isDirective(line)) continue;
    const key = line.param.toLowerCase();
    if (key === 'host' || key === 'match') {
      const words = wordsOf(line);
      const applies = key === 'host' ? matchesList(words, reading.alias) : matches(reading, words);
      if (applies) readLines(reading, (line as Section).config, base, depth);
    } else if (key === 'include') {
      for (const pattern of wordsOf(line)) {
        for (const path of globFiles(included(pattern, base, reading.home)))
          readFile(reading, path, base, depth + 1, true);
      }
    } else if (key !== '') {
      reading.lines.push([key, textOf(line)]);
    }
  }
}

function included(pattern: string, base: string, home: string): string {
  if (pattern.startsWith('~/')) return home + pattern.slice(1);
  return pattern.startsWith('/') ? pattern : `${base}/${pattern}`;
}

function isDirective(line: unknown): line is Directive {
  return typeof line === 'object' && line !== null && 'param' in line && typeof line.param === 'string';
}

function wordsOf({ value }: Directive): readonly string[] {
  return typeof value === 'string' ? [value] : value.map((word) => word.val);
}

/** The value as one text again, for ProxyCommand with the quotes that hold its words together. */
function textOf({ value, param }: Directive): string {
  if (typeof value === 'string') return value;
  return value
    .map(({ val, separator, quoted }, index) => {
      const escaped = /^proxycommand$/i.test(param) ? val.replaceAll('"', '\\"') : val;
      return `${index === 0 ? '' : separator}${quoted === true ? `"${escaped}"` : escaped}`;
    })
    .join('');
}

/** Patterns of which one matches, and none that excludes with `!`. */
function matchesList(patterns: readonly string[], name: string): boolean {
  let isMatched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(pattern.slice(1), name)) return false;
    } else if (matchesPattern(pattern, name)) {
      isMatched = true;
    }
  }
  return isMatched;
}

/** Whether all criteria of a Match hold. What would run a command or a second pass does not, and is told. */
function matches(reading: Reading, words: readonly string[]): boolean {
  const names = namesSoFar(reading);
  for (let index = 0; index < words.length; index++) {
    const word = (words[index] as string).toLowerCase();
    const isNegated = word.startsWith('!');
    const criterion = isNegated ? word.slice(1) : word;
    if (criterion === 'all') continue;
    const name = names[criterion];
    if (name === undefined) {
      reading.notices.add(`without OpenSSH here, "Match ${criterion}" of the ssh configuration is left out`);
      return false;
    }
    const patterns = (words[++index] ?? '').split(',');
    if (matchesList(patterns, name) === isNegated) return false;
  }
  return true;
}

/** What the criteria look at, as far as the lines before have set it. */
function namesSoFar({ lines, alias }: Reading): Readonly<Record<string, string>> {
  const first = (key: string): string | undefined => lines.find(([name]) => name === key)?.[1];
  const { username } = account();
  return {
    host: expandTokens(first('hostname') ?? alias, { h: alias }),
    originalhost: alias,
    user: first('user') ?? username,
    localuser: username,
  };
}
