/**
 * `?`: the keys that work here, what they do, and why some of them do nothing now; from the keymap tables alone. Typing
 * narrows the list.
 */
import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import { DEFAULT_KEYMAP, describeKeys } from '../prompt/keymap.ts';
import type { Drawing, Handled, KeyHelp, OverlayPart, Rect, Size } from './contract.ts';
import type { Host } from './host.ts';
import { reasonAgainst } from './screen-actions.ts';
import type { ScreenBinding, Where } from './screen-keys.ts';
import { keyName } from './status.ts';
import { TextField } from './text-field.tsx';
import type { Theme } from './theme.ts';
import { Tint } from './tint.tsx';
import { isWalking } from './walk-actions.ts';

const WIDTH = 116;

/** All keys that mean something where the keys are now. */
export function keysHere(host: Host): readonly KeyHelp[] {
  const isPrompt = host.state.focus === 'prompt';
  const own = (isPrompt ? boundTo(host, 'anywhere') : [...walkKeys(host), ...boundTo(host, 'pane')])
    .filter(({ keys }) => keys.length > 0)
    .map(({ keys, description, action }) => ({
      keys: keys.map(keyName).join(' '),
      description,
      reason: isPrompt ? undefined : reasonAgainst(host, action),
    }));
  if (!isPrompt) {
    const parts = host.state.focus === 'scrollback' ? scrollbackKeys(host) : own;
    const everywhere = host.keys.filter((binding) => binding.where === 'anywhere' && !/^pane-/.test(binding.action));
    return [
      ...parts,
      ...everywhere.map(({ keys, description }) => ({ keys: keys.map(keyName).join(' '), description })),
    ];
  }
  const editing = describeKeys(DEFAULT_KEYMAP).filter((key) => key.when === 'editing');
  return [
    ...editing.map(({ keys, description }) => ({ keys: keys.split(', ').map(keyName).join(' '), description })),
    ...own,
  ];
}

/** The bindings of a place, without the keys that those of a walk have before. */
function boundTo(host: Host, where: Where): readonly ScreenBinding[] {
  const taken = new Set(walkKeys(host).flatMap(({ keys }) => keys));
  const bound = host.keys.filter((binding) => binding.where === where);
  return taken.size === 0
    ? bound
    : bound.map((each) => ({ ...each, keys: each.keys.filter((key) => !taken.has(key)) }));
}

function walkKeys(host: Host): readonly ScreenBinding[] {
  return isWalking(host) ? host.keys.filter(({ where }) => where === 'walk') : [];
}

function scrollbackKeys(host: Host): readonly KeyHelp[] {
  const own = host.scrollback.keys?.() ?? [];
  return own.map((key) => ({ ...key, keys: key.keys.split(' ').map(keyName).join(' ') }));
}

export function keysOverlay(host: Host): OverlayPart {
  const all = keysHere(host);
  let filter = '';
  let top = 0;
  let height = 1;
  const found = (): readonly KeyHelp[] =>
    all.filter(({ keys, description }) => `${keys} ${description}`.toLowerCase().includes(filter.toLowerCase()));
  const overlay: OverlayPart = {
    place({ width, height: rows }: Size): Rect {
      const size = { width: Math.min(WIDTH, width - 2), height: Math.min(all.length + 4, rows - 2) };
      return { x: Math.floor((width - size.width) / 2), y: Math.floor((rows - size.height) / 2), ...size };
    },
    draw(size): Drawing {
      height = Math.max(1, size.height - 4);
      const keys = found();
      top = Math.max(0, Math.min(top, keys.length - height));
      const shown = keys.slice(top, top + height);
      const change = (text: string): void => {
        filter = text;
        top = 0;
        host.redraw(overlay);
      };
      const place = keys.length > height ? `${top + 1}-${top + shown.length} of ${keys.length}` : '';
      return {
        kind: 'ink',
        element: <Keys size={size} theme={host.theme} keys={shown} place={place} onChange={change} />,
      };
    },
    handle(event): Handled {
      if (event.kind === 'mouse') {
        if (event.action === 'wheel-up') top--;
        if (event.action === 'wheel-down') top++;
        return 'taken';
      }
      if (event.kind !== 'key') return 'taken';
      if (event.name === 'escape' || event.name === 'enter' || event.ctrl) host.close();
      else if (event.name === 'up') top--;
      else if (event.name === 'down') top++;
      else if (event.name === 'page-up') top -= height;
      else if (event.name === 'page-down') top += height;
      else if (event.text !== '' || event.name === 'backspace') return 'ink';
      return 'taken';
    },
  };
  return overlay;
}

interface KeysProps {
  readonly size: Size;
  readonly theme: Theme;
  readonly keys: readonly KeyHelp[];
  readonly place: string;
  readonly onChange: (text: string) => void;
}

function Keys({ size, theme, keys, place, onChange }: KeysProps): ReactNode {
  const column = Math.max(12, ...keys.map((key) => key.keys.length));
  return (
    <Box width={size.width} height={size.height} flexDirection="column" borderStyle="single" paddingX={1}>
      <Text wrap="truncate">
        <Tint theme={theme} look="title-focus">
          {' keys '}
        </Tint>
        <Text> </Text>
        <TextField initial="" onChange={onChange} placeholder="type to find; Esc closes" />
        <Tint theme={theme} look="dim">{`  ${place}`}</Tint>
      </Text>
      {keys.map((key) => (
        <Text key={`${key.keys} ${key.description}`} wrap="truncate">
          <Tint theme={theme} look={key.reason === undefined ? 'key' : 'dim'}>
            {key.keys.padEnd(column + 2)}
          </Tint>
          <Tint theme={theme} look={key.reason === undefined ? 'text' : 'dim'}>
            {key.reason === undefined ? key.description : `${key.description} (not now: ${key.reason})`}
          </Tint>
        </Text>
      ))}
    </Box>
  );
}
