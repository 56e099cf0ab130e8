/**
 * The meaning of complete escape sequences: `ESC [ parameters final` (CSI) and `ESC O final` (SS3), as xterm, tmux,
 * the Linux console, rxvt and terminals with the "fixterms" `u` encoding send them. Sources: xterm's ctlseqs, "PC-Style
 * Function Keys", "Extended coordinates" (SGR 1006) and modifyOtherKeys; the kitty keyboard protocol for `u`.
 */
import { type InputEvent, keyOfCharacter, type Modifiers, PLAIN } from './keys.ts';

const LETTER_KEYS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: 'begin',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};

/** `CSI n ~`. 1 and 4 are home and end of the Linux console and tmux, 7 and 8 those of rxvt. */
const TILDE_KEYS: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
  25: 'f13',
  26: 'f14',
  28: 'f15',
  29: 'f16',
  31: 'f17',
  32: 'f18',
  33: 'f19',
  34: 'f20',
};

/** The keypad in application mode, `SS3 j` to `SS3 y`, in order of the final byte. */
const KEYPAD_TEXT = '*+,-./0123456789';

function namedKey(name: string, modifiers: Modifiers, raw: string): InputEvent {
  return { kind: 'key', name, text: '', ...modifiers, raw };
}

/** xterm's modifier parameter: 1 + a bit mask of shift 1, alt 2, ctrl 4, meta 8; lock bits above are ignored. */
function modifiersOf(parameter: number, alt: boolean): Modifiers {
  const mask = parameter > 1 ? parameter - 1 : 0;
  return { shift: (mask & 1) !== 0, alt: alt || (mask & 0b1010) !== 0, ctrl: (mask & 4) !== 0 };
}

/** A key given by its code point and modifiers: `CSI code ; modifiers u` and `CSI 27 ; modifiers ; code ~`. */
function keyOfCode(code: number, modifiers: Modifiers, raw: string): InputEvent {
  // 57344 and up are kitty's numbers for keys that type nothing; surrogates and beyond-Unicode are no characters.
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xf8ff)) return { kind: 'unknown', raw };
  const character = String.fromCodePoint(code);
  if (code === 0x08) return namedKey('backspace', modifiers, raw);
  if (code < 0x20 || code === 0x7f) {
    const plain = keyOfCharacter(character, PLAIN, raw);
    return plain.kind === 'key' ? { ...plain, ...modifiers, ctrl: plain.ctrl || modifiers.ctrl } : plain;
  }
  // The code is that of the unshifted key; a shifted letter is the capital, as the plain encoding sends it.
  const shifted = modifiers.shift && /^\p{Ll}$/u.test(character) ? character.toUpperCase() : character;
  const letter = modifiers.ctrl ? shifted.toLowerCase() : shifted;
  return keyOfCharacter(letter, { ...modifiers, shift: code === 0x20 && modifiers.shift }, raw);
}

function mouse(parameters: readonly number[], final: string, raw: string): InputEvent {
  const [code = 0, column = 0, row = 0] = parameters;
  if (parameters.length !== 3 || column < 1 || row < 1) return { kind: 'unknown', raw };
  const wheel = (code & 64) !== 0;
  const low = code & 3;
  if (wheel && low > 1) return { kind: 'unknown', raw };
  let action: 'press' | 'release' | 'move' | 'wheel-up' | 'wheel-down' = final === 'M' ? 'press' : 'release';
  if (wheel) action = low === 0 ? 'wheel-up' : 'wheel-down';
  else if ((code & 32) !== 0) action = 'move';
  return {
    kind: 'mouse',
    action,
    button: wheel ? 3 : low,
    x: column - 1,
    y: row - 1,
    shift: (code & 4) !== 0,
    alt: (code & 8) !== 0,
    ctrl: (code & 16) !== 0,
  };
}

/**
 * The event of `CSI parameters final`; `alt` when the sequence was itself preceded by ESC. `raw` is kept in events that
 * mean nothing. Start and end of bracketed paste are the tokeniser's business and unknown here.
 */
export function decodeCsi(parameters: string, final: string, alt: boolean, raw: string): InputEvent {
  const unknown: InputEvent = { kind: 'unknown', raw };
  if (parameters.startsWith('<')) {
    if ((final !== 'M' && final !== 'm') || !/^<\d{1,4}(;\d{1,5}){2}$/.test(parameters)) return unknown;
    return mouse(parameters.slice(1).split(';').map(Number), final, raw);
  }
  if (!/^[\d;:]*$/.test(parameters)) return unknown;
  // A sub-parameter after ':' tells alternatives of the key and press (1), repeat (2) or release (3).
  const fields = parameters.split(';').map((field) => field.split(':').map((part) => (part === '' ? 0 : Number(part))));
  const numbers = fields.map((field) => field[0] ?? 0);
  if (fields[1]?.[1] === 3) return unknown;
  const modifiers = modifiersOf(numbers[1] ?? 1, alt);
  if (final === 'u') return keyOfCode(numbers[0] ?? 0, modifiers, raw);
  if (final === 'Z') return namedKey('tab', { ...modifiers, shift: true }, raw);
  if (final === '~' || final === '^' || final === '@') {
    if (numbers[0] === 27 && numbers.length === 3) return keyOfCode(numbers[2] ?? 0, modifiers, raw);
    const name = TILDE_KEYS[numbers[0] ?? 0];
    if (name === undefined) return unknown;
    // rxvt ends the sequence with ^ for ctrl and @ for ctrl-shift.
    const held = final === '~' ? modifiers : { ...modifiers, ctrl: true, shift: final === '@' };
    return namedKey(name, held, raw);
  }
  const name = LETTER_KEYS[final];
  // `CSI row ; column R` is also the reply that tells the cursor's place: only the first row could be f3.
  if (name !== undefined && numbers.length <= 2 && (numbers[0] ?? 0) <= 1) return namedKey(name, modifiers, raw);
  const rxvtArrow = 'abcd'.includes(final) ? LETTER_KEYS[final.toUpperCase()] : undefined;
  if (rxvtArrow !== undefined && parameters === '') return namedKey(rxvtArrow, { ...modifiers, shift: true }, raw);
  return unknown;
}

/** The event of `SS3 parameters final` (`ESC O A`; some terminals put the modifier in between: `ESC O 5 A`). */
export function decodeSs3(parameters: string, final: string, alt: boolean, raw: string): InputEvent {
  const modifiers = modifiersOf(parameters === '' ? 1 : Number(parameters.split(';').at(-1)), alt);
  const name = LETTER_KEYS[final];
  if (name !== undefined) return namedKey(name, modifiers, raw);
  if (final === 'M') return namedKey('enter', modifiers, raw);
  if (final === 'I') return namedKey('tab', modifiers, raw);
  if (final === 'X') return keyOfCharacter('=', modifiers, raw);
  if ('abcd'.includes(final))
    return namedKey(LETTER_KEYS[final.toUpperCase()] ?? '', { ...modifiers, ctrl: true }, raw);
  const keypad = final >= 'j' && final <= 'y' ? KEYPAD_TEXT[final.charCodeAt(0) - 0x6a] : undefined;
  return keypad === undefined ? { kind: 'unknown', raw } : keyOfCharacter(keypad, modifiers, raw);
}

/** The Linux console's f1 to f5: `ESC [ [ A` to `ESC [ [ E`. */
export function decodeConsoleFunction(final: string, alt: boolean, raw: string): InputEvent {
  if (final < 'A' || final > 'E') return { kind: 'unknown', raw };
  return namedKey(`f${final.charCodeAt(0) - 0x40}`, { ...PLAIN, alt }, raw);
}
