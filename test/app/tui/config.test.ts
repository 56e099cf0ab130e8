import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configPath, readConfig, writeLayouts } from '../../../src/app/tui/config.ts';
import { type LayoutNode, layoutText, parseLayout } from '../../../src/app/tui/layout.ts';
import { chooseTheme, DARK_THEME, LIGHT_THEME, PLAIN_THEME } from '../../../src/app/tui/theme.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kdbg-config-'));
  path = configPath({ XDG_CONFIG_HOME: folder });
});
afterEach(() => rmSync(folder, { recursive: true }));

function read(): { config: ReturnType<typeof readConfig>; troubles: string[] } {
  const troubles: string[] = [];
  return { config: readConfig(path, (message) => troubles.push(message)), troubles };
}

test('without a file everything is as usual', () => {
  expect(path).toBe(join(folder, 'kdbg', 'screen.json'));
  expect(read()).toEqual({
    config: { theme: undefined, mouse: true, keys: {}, layouts: new Map() },
    troubles: [],
  });
});

test('layouts are kept, and the rest of the file with them', () => {
  const layout = parseLayout('(tasks:3/shell:7):2|log:1') as LayoutNode;
  writeLayouts(path, new Map([['110x34', layout]]));
  const written = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...written, theme: 'light', mouse: false, keys: { pin: 'u' }, own: 1 }));
  writeLayouts(path, new Map([['0x0', layout]]));
  const { config, troubles } = read();
  expect(troubles).toEqual([]);
  expect(config).toMatchObject({ theme: 'light', mouse: false, keys: { pin: 'u' } });
  expect([...config.layouts].map(([name, node]) => [name, layoutText(node)])).toEqual([['0x0', layoutText(layout)]]);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ own: 1 });
});

test.each([
  ['no JSON', '{"theme"', 'cannot be read'],
  ['a list', '[1]', undefined],
  ['a layout that is none', '{"layouts":{"0x0":"tasks/tasks"}}', '"0x0"'],
  ['wrong types', '{"theme":3,"keys":{"pin":1},"layouts":7,"mouse":"no"}', undefined],
])('a file with %s is told and harms nothing', (_, text, trouble) => {
  writeLayouts(path, new Map());
  writeFileSync(path, text);
  const { config, troubles } = read();
  expect(config).toMatchObject({ theme: undefined, keys: {}, layouts: new Map() });
  expect(troubles.join()).toContain(trouble ?? '');
  expect(troubles.length).toBe(trouble === undefined ? 0 : 1);
});

test('a file that cannot be read is not overwritten', () => {
  writeLayouts(path, new Map());
  writeFileSync(path, '{"theme": "dark", // mine\n}');
  expect(() => writeLayouts(path, new Map())).toThrow();
  expect(readFileSync(path, 'utf8')).toContain('// mine');
});

test('the theme fits the terminal unless one is asked for', () => {
  expect(chooseTheme(undefined, {})).toBe(DARK_THEME);
  expect(chooseTheme(undefined, { COLORFGBG: '0;15' })).toBe(LIGHT_THEME);
  expect(chooseTheme(undefined, { COLORFGBG: '15;default;0' })).toBe(DARK_THEME);
  expect(chooseTheme('light', { COLORFGBG: '15;0' })).toBe(LIGHT_THEME);
  expect(chooseTheme('dark', { NO_COLOR: '1' })).toBe(PLAIN_THEME);
  expect(chooseTheme('dark', { NO_COLOR: '' })).toBe(DARK_THEME);
  expect(chooseTheme('plain', { TERM: 'linux' })).toBe(PLAIN_THEME);
  expect(chooseTheme(undefined, { TERM: 'xterm-256color' })).toBe(DARK_THEME);
  expect(chooseTheme(undefined, { TERM: 'xterm', COLORTERM: 'truecolor' })).toBe(DARK_THEME);
  for (const look of Object.values(chooseTheme(undefined, { TERM: 'linux' }))) expect(look).not.toContain('8;5;');
});

test('without colours no look has any, and what matters differs by an attribute', () => {
  for (const sgr of Object.values(PLAIN_THEME)) expect(sgr).toMatch(/^([1247];?)*$/);
  for (const look of ['title-focus', 'cursor-ref', 'selected', 'error', 'match', 'status'] as const) {
    expect(PLAIN_THEME[look]).not.toBe('');
  }
});
