import { describe, expect, it } from 'vitest';
import { actionOf, DEFAULT_KEYMAP, describeKeys, rebind } from '../../../src/app/prompt/keymap.ts';
import { chordOf, type InputEvent, type KeyEvent } from '../../../src/app/prompt/keys.ts';
import { Tokenizer } from '../../../src/app/prompt/tokenizer.ts';

function event(bytes: string): InputEvent {
  const tokenizer = new Tokenizer();
  const [first] = [...tokenizer.feed(bytes), ...tokenizer.flush()];
  if (first === undefined) throw new Error('no event');
  return first;
}

describe('the keymap', () => {
  it('binds no chord twice in a mode', () => {
    const seen = DEFAULT_KEYMAP.flatMap((binding) => binding.keys.map((key) => `${binding.when} ${key}`));
    expect(seen.filter((each, i) => seen.indexOf(each) !== i)).toEqual([]);
  });

  it('writes chords as the tokeniser names them', () => {
    const names =
      'enter|tab|backspace|escape|space|up|down|left|right|home|end|page-up|page-down|insert|delete|f\\d+|.';
    for (const { keys } of DEFAULT_KEYMAP) {
      for (const key of keys) expect(key).toMatch(new RegExp(`^(ctrl-)?(alt-)?(shift-)?(${names})$`, 'u'));
    }
    expect(chordOf(event('\x1b[1;8A') as KeyEvent)).toBe('ctrl-alt-shift-up');
  });

  it('gives every key a description of one line', () => {
    for (const { description } of describeKeys(DEFAULT_KEYMAP)) expect(description).toMatch(/^[a-z].*[^.]$/);
    expect(describeKeys(DEFAULT_KEYMAP)[0]).toEqual({
      when: 'editing',
      keys: 'enter, ctrl-j',
      description: 'run the line',
    });
  });

  it('falls back from the menu and the search to editing', () => {
    expect(actionOf(DEFAULT_KEYMAP, event('\t'), 'menu')).toEqual({ name: 'menu-next' });
    expect(actionOf(DEFAULT_KEYMAP, event('\x01'), 'menu')).toEqual({ name: 'line-start' });
    expect(actionOf(DEFAULT_KEYMAP, event('\x03'), 'search')).toEqual({ name: 'interrupt' });
    expect(actionOf(DEFAULT_KEYMAP, event('x'), 'search')).toEqual({ name: 'insert', text: 'x' });
  });

  it('types nothing for keys without a meaning', () => {
    for (const bytes of ['\x1bx', '\x1b[15~', '\x1b[<0;1;1M', '\x1b[99~', '\x18']) {
      expect(actionOf(DEFAULT_KEYMAP, event(bytes), 'editing')).toBeUndefined();
    }
  });

  it('can be rebound', () => {
    const keymap = rebind(DEFAULT_KEYMAP, 'editing', 'ctrl-a', 'undo');
    expect(actionOf(keymap, event('\x01'), 'editing')).toEqual({ name: 'undo' });
    expect(actionOf(keymap, event('\x1b[H'), 'editing')).toEqual({ name: 'line-start' });
    expect(actionOf(rebind(keymap, 'editing', 'ctrl-a', undefined), event('\x01'), 'editing')).toBeUndefined();
    expect(actionOf(rebind(keymap, 'search', 'ctrl-x', 'undo'), event('\x18'), 'search')).toEqual({ name: 'undo' });
    expect(actionOf(DEFAULT_KEYMAP, event('\x01'), 'editing')).toEqual({ name: 'line-start' });
  });
});
