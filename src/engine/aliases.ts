/**
 * The shortcuts that are there from the start: those that crash has and whose commands exist here, and the
 * words that move a walk along locks and answer a lesson.
 */
import type { Alias } from '../core/command/scope.ts';

const SHORTCUTS: Readonly<Record<string, string>> = {
  man: 'help',
  '?': 'help',
  q: 'exit',
  quit: 'exit',
  Q: 'exit',
  dmesg: 'log',
  lsmod: 'mod',
  last: 'ps -l',
  for: 'foreach',
  size: '*',
  px: 'p -x',
  pd: 'p -d',
  hex: 'set radix 16',
  dec: 'set radix 10',
  sf: 'set scroll off',
  sn: 'set scroll on',
  h: 'history',
  next: 'walk next',
  prev: 'walk prev',
  up: 'walk up',
  down: 'walk down',
  back: 'walk back',
  answer: 'lesson answer',
};

export const BUILTIN_ALIASES: readonly Alias[] = Object.entries(SHORTCUTS).map(([name, line]) => ({
  name,
  line,
  origin: 'builtin',
}));
