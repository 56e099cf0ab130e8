import { describe, expect, test } from 'vitest';
import { Tokenizer } from '../../../src/app/prompt/tokenizer.ts';
import { rebindScreen, SCREEN_KEYS, screenAction, type Where } from '../../../src/app/tui/screen-keys.ts';
import { keyName } from '../../../src/app/tui/status.ts';

function actionOf(raw: string, where: Where, table = SCREEN_KEYS) {
  const tokenizer = new Tokenizer();
  const events = [...tokenizer.feed(raw), ...tokenizer.flush()];
  return events.map((event) => screenAction(table, event, where));
}

describe('keys of the screen', () => {
  test.each([
    ['j', 'down'],
    ['\x1b[B', 'down'],
    ['\r', 'follow-object'],
    ['\x7f', 'back'],
    [' ', 'unfold'],
    ['\x1b[Z', 'previous-pane'],
    ['G', 'last'],
    ['?', 'keys'],
    ['\x1b', 'to-prompt'],
    ['u', undefined],
  ])('%j in a pane', (raw, action) => expect(actionOf(raw, 'pane')).toEqual([action]));

  test('Alt with a digit goes to a pane from everywhere', () => {
    expect(actionOf('\x1b2', 'anywhere')).toEqual(['pane-2']);
    expect(actionOf('2', 'anywhere')).toEqual([undefined]);
  });

  test('no key means two things in one place', () => {
    for (const where of ['anywhere', 'pane'] as const) {
      const keys = SCREEN_KEYS.filter((binding) => binding.where === where).flatMap((binding) => binding.keys);
      expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
    }
  });

  test('are bound anew by their action; the key is taken from what it meant', () => {
    const { table, troubles } = rebindScreen(SCREEN_KEYS, { pin: 'ctrl-o u', nonsense: 'x', hide: 'j' });
    expect(troubles).toEqual([expect.stringContaining('"nonsense"')]);
    expect(actionOf('u\x0f', 'pane', table)).toEqual(['pin', 'pin']);
    expect(actionOf('P', 'pane', table)).toEqual([undefined]);
    expect(actionOf('j\x1b[B', 'pane', table)).toEqual(['hide', 'down']);
  });

  test.each([
    ['ctrl-r', 'Ctrl-R'],
    ['page-up', 'PgUp'],
    ['alt-<', 'Alt-<'],
    ['shift-tab', 'Shift-Tab'],
    ['G', 'G'],
    ['f1', 'F1'],
  ])('%s is written %s', (chord, name) => expect(keyName(chord)).toBe(name));
});
