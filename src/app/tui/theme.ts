/**
 * How meanings look. Parts name looks, themes give them SGR parameters of the 16 colours that every terminal has; a
 * look differs from plain text by an attribute wherever its meaning matters, so that it is seen without colours and by
 * people who see colours differently (no meaning hangs on red against green).
 */
import type { Tone } from '../../core/output/line.ts';
import type { Style } from '../prompt/rows.ts';

/** Meanings that only the screen itself has. */
export type ChromeLook =
  | 'title' // a pane's name
  | 'title-focus' // of the pane that has the keys
  | 'title-info'
  | 'border'
  | 'status'
  | 'status-strong'
  | 'cursor-line' // the line that is chosen in a pane that has the keys
  | 'cursor-line-idle' // in one that has not
  | 'cursor-ref' // the object in it that Enter follows
  | 'key'
  | 'overlay';

export type Look = Tone | Style | ChromeLook;

/** SGR parameters of each look. */
export type Theme = Readonly<Record<Look, string>>;

/** Attributes only: for NO_COLOR and terminals without colours. */
export const PLAIN_THEME: Theme = {
  header: '1',
  dim: '2',
  address: '',
  symbol: '',
  task: '1',
  type: '',
  good: '',
  warn: '1',
  error: '1',
  match: '1;4',
  prompt: '1',
  text: '',
  control: '7',
  ghost: '2',
  candidate: '',
  detail: '2',
  selected: '7',
  note: '2',
  title: '',
  'title-focus': '1;7',
  'title-info': '2',
  border: '2',
  status: '7',
  'status-strong': '1;7',
  'cursor-line': '4',
  'cursor-line-idle': '',
  'cursor-ref': '7',
  key: '1',
  overlay: '',
};

/** For dark backgrounds: cyan, yellow, blue and magenta carry meanings; red and green only beside a glyph or word. */
export const DARK_THEME: Theme = {
  ...PLAIN_THEME,
  header: '1',
  dim: '90',
  address: '36',
  symbol: '33',
  task: '1;37',
  type: '35',
  good: '1;34',
  warn: '1;33',
  error: '1;31',
  // Reversed, so that it stays readable in the chosen line, which has a background of its own.
  match: '1;7;33',
  prompt: '1;36',
  ghost: '90',
  detail: '90',
  note: '36',
  title: '36',
  'title-focus': '1;30;46',
  'title-info': '90',
  border: '90',
  status: '37;44',
  'status-strong': '1;97;44',
  'cursor-line': '48;5;236',
  'cursor-ref': '30;46',
  key: '1;36',
};

/** For light backgrounds: no yellow and no bright colours on white. */
export const LIGHT_THEME: Theme = {
  ...DARK_THEME,
  dim: '90',
  address: '34',
  symbol: '35',
  task: '1;30',
  type: '35',
  warn: '1;35',
  match: '1;7;35',
  prompt: '1;34',
  note: '34',
  title: '34',
  'title-focus': '1;97;44',
  status: '97;44',
  'cursor-line': '48;5;254',
  'cursor-ref': '97;44',
  key: '1;34',
};

export const THEMES = { dark: DARK_THEME, light: LIGHT_THEME, plain: PLAIN_THEME } as const;
export type ThemeName = keyof typeof THEMES;

/**
 * The theme asked for, or the one that fits: plain under NO_COLOR (https://no-color.org), light where the terminal says
 * that its background is (COLORFGBG, `foreground;background`), dark otherwise. Where there are 16 colours and no shade of
 * the background among them, the chosen line is reversed.
 */
export function chooseTheme(asked: string | undefined, env: Readonly<Record<string, string | undefined>>): Theme {
  if ((env['NO_COLOR'] ?? '') !== '') return PLAIN_THEME;
  const background = Number(env['COLORFGBG']?.split(';').at(-1) ?? '0');
  const fitting = background === 7 || background >= 9 ? LIGHT_THEME : DARK_THEME;
  const theme = asked !== undefined && asked in THEMES ? THEMES[asked as ThemeName] : fitting;
  return theme === PLAIN_THEME || !isOf16Colours(env) ? theme : { ...theme, 'cursor-line': '7' };
}

/** Names of terminals that promise no more than 16 colours. */
const OLD_TERMINALS = /^(?:linux|screen|xterm|rxvt|ansi|cons25|vt\d+)(?:-16color)?$/;

function isOf16Colours(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['COLORTERM'] ?? '') === '' && OLD_TERMINALS.test(env['TERM'] ?? '');
}
