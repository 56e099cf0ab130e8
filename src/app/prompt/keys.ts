/**
 * What a terminal sends, as events: keys, pastes, mouse reports. One tokeniser (tokenizer.ts) makes them from stdin and
 * one table (keymap.ts) gives keys their meaning, for the line prompt and for the panes alike.
 */

/** Keys that have a name instead of a character. */
export type NamedKey =
  | 'enter'
  | 'tab'
  | 'backspace'
  | 'escape'
  | 'space'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'page-up'
  | 'page-down'
  | 'insert'
  | 'delete'
  | 'begin'
  | `f${number}`;

/** Modifier keys held down. `shift` is set only where the key's text does not already tell (`A` is not shift-a). */
export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
}

/** One key press. */
export interface KeyEvent extends Modifiers {
  readonly kind: 'key';
  /** A `NamedKey`, or the character itself: `a`, `A`, `é`. */
  readonly name: string;
  /** What the key types: one code point, or empty when it types nothing. */
  readonly text: string;
  /** The characters as the terminal sent them, for quoted insert. */
  readonly raw: string;
}

/** Text between the marks of bracketed paste. A paste beyond `PASTE_MAX` arrives as several events in order. */
export interface PasteEvent {
  readonly kind: 'paste';
  readonly text: string;
}

/** One SGR (1006) mouse report. `x` and `y` are 0-based cells. */
export interface MouseEvent extends Modifiers {
  readonly kind: 'mouse';
  readonly action: 'press' | 'release' | 'move' | 'wheel-up' | 'wheel-down';
  /** 0 left, 1 middle, 2 right, 3 none; as the terminal numbers them. */
  readonly button: number;
  readonly x: number;
  readonly y: number;
}

/** A sequence that means nothing here: a terminal's late reply, a key it invented. It types nothing. */
export interface UnknownEvent {
  readonly kind: 'unknown';
  readonly raw: string;
}

export type InputEvent = KeyEvent | PasteEvent | MouseEvent | UnknownEvent;

/** No modifier held. */
export const PLAIN: Modifiers = { ctrl: false, alt: false, shift: false };

/**
 * The event of one character outside any escape sequence. C0 controls become the keys that type them: 01 is ctrl-a,
 * 0d enter, 09 tab, 7f backspace. C1 controls are unknown: in UTF-8 no key sends them.
 */
export function keyOfCharacter(character: string, modifiers: Modifiers = PLAIN, raw = character): InputEvent {
  const code = character.codePointAt(0) ?? 0;
  const key = (name: string, text: string, ctrl = modifiers.ctrl): KeyEvent => {
    return { kind: 'key', name, text: ctrl || modifiers.alt ? '' : text, ...modifiers, ctrl, raw };
  };
  if (code === 0x0d) return key('enter', '');
  if (code === 0x09) return key('tab', '');
  if (code === 0x1b) return key('escape', '');
  if (code === 0x7f) return key('backspace', '');
  if (code === 0x20) return key('space', ' ');
  if (code === 0) return key('space', '', true);
  if (code <= 0x1a) return key(String.fromCharCode(code + 0x60), '', true);
  if (code < 0x20) return key(String.fromCharCode(code + 0x40), '', true);
  if (code >= 0x80 && code < 0xa0) return { kind: 'unknown', raw };
  return key(character, character);
}

/** A key's name as the keymap writes it: `ctrl-a`, `alt-shift-left`, `f1`, `ctrl-_`, `alt-.`. */
export function chordOf(key: KeyEvent): string {
  return `${key.ctrl ? 'ctrl-' : ''}${key.alt ? 'alt-' : ''}${key.shift ? 'shift-' : ''}${key.name}`;
}
