/**
 * The shell's variables, as `set -v` lists them. crash's names are kept where crash has the variable.
 */
import { NotFoundError, UsageError } from '../errors.ts';

export interface Settings {
  /**
   * 10 or 16 after `set radix`, `hex` or `dec`: then all numbers follow it. Until then offsets and sizes are hex, as
   * in an oops, and the values of struct members decimal, as crash prints them.
   */
  readonly radix: 'auto' | '10' | '16';
  /** Array elements and characters printed of one value. */
  readonly print_max: number;
  /** One array element a line. */
  readonly print_array: boolean;
  /** Long output goes through a pager. */
  readonly scroll: boolean;
  /** Show round trips, bytes and time after each command. */
  readonly timing: boolean;
  /** Disassembly syntax. */
  readonly syntax: 'att' | 'intel';
  /** `list` ends at a NULL pointer quietly. */
  readonly 'null-stop': boolean;
  /** Most entries that a walk of a list or tree follows. */
  readonly walk_max: number;
}

export const DEFAULT_SETTINGS: Settings = {
  radix: 'auto',
  print_max: 256,
  print_array: false,
  scroll: true,
  timing: false,
  syntax: 'att',
  'null-stop': false,
  walk_max: 1_000_000,
};

/** What each variable is, for `set -v` and completion. */
export const SETTING_DOCS: Readonly<Record<keyof Settings, string>> = {
  radix: 'auto, 10 or 16: offsets are hex and values decimal unless set',
  print_max: 'array elements and characters printed of one value',
  print_array: 'on: one array element a line',
  scroll: 'on: long output goes through a pager',
  timing: 'on: show round trips, bytes and time after each command',
  syntax: 'att or intel: how dis writes instructions',
  'null-stop': 'on: list ends at a NULL pointer quietly',
  walk_max: 'most entries that a walk of a list or tree follows',
};

/** Radix of offsets, sizes and symbol+offset. */
export function offsetRadix(settings: Settings): 10 | 16 {
  return settings.radix === '10' ? 10 : 16;
}

/** Radix of the values of integers. */
export function valueRadix(settings: Settings): 10 | 16 {
  return settings.radix === '16' ? 16 : 10;
}

/** The settings with one variable changed from its text. Throws NotFoundError or UsageError. */
export function withSetting(settings: Settings, name: string, text: string): Settings {
  if (!Object.hasOwn(settings, name)) throw new NotFoundError('variable', name, nearSettings(name));
  const key = name as keyof Settings;
  return { ...settings, [key]: parseSetting(key, settings[key], text) };
}

function parseSetting(key: keyof Settings, current: Settings[keyof Settings], text: string): unknown {
  if (typeof current === 'boolean') {
    if (['on', '1', 'yes', 'true'].includes(text)) return true;
    if (['off', '0', 'no', 'false'].includes(text)) return false;
    throw new UsageError(`${key} is on or off, not "${text}"`);
  }
  if (typeof current === 'number') {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`${key} is a positive number, not "${text}"`);
    return value;
  }
  const allowed = key === 'radix' ? ['auto', '10', '16'] : ['att', 'intel'];
  if (!allowed.includes(text)) throw new UsageError(`${key} is ${allowed.join(', ')}, not "${text}"`);
  return text;
}

function nearSettings(name: string): readonly string[] {
  return Object.keys(DEFAULT_SETTINGS).filter((key) => key.includes(name) || name.includes(key));
}
