/**
 * The palette as ink draws it: what is typed, what is found with its letters marked, what Enter does, and a look at it.
 */
import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import { clustersOf, showText } from '../../prompt/graphemes.ts';
import type { Size } from '../contract.ts';
import { TextField } from '../text-field.tsx';
import type { Theme } from '../theme.ts';
import { Tint } from '../tint.tsx';
import type { PaletteItem } from './palette-item.ts';

export interface PaletteViewProps {
  readonly size: Size;
  readonly theme: Theme;
  readonly items: readonly PaletteItem[];
  readonly selected: number;
  /** The item shown first. */
  readonly first: number;
  /** What is behind it: how many symbols, how long it took. */
  readonly remark: string;
  /** The beginning of what Enter would print; undefined while it is not known. */
  readonly preview: readonly string[] | undefined;
  readonly onChange: (text: string) => void;
}

/** Rows besides the items: the frame, the input, what Enter does. */
export const PALETTE_CHROME = 4;
/** With this many columns there is room for a preview beside the items. */
export const PREVIEW_WIDTH = 100;
/** Cells of the mark and the tag; the part of the rest that labels may take where details want room too. */
const MARK_CELLS = 7;
const LABEL_PART = 0.65;
const TAG: Readonly<Record<PaletteItem['kind'], string>> = {
  command: 'cmd ',
  history: 'ran ',
  task: 'task',
  symbol: 'sym ',
  type: 'type',
  recording: 'rec ',
};

export function PaletteView(props: PaletteViewProps): ReactNode {
  const { size, theme, items, selected, first, remark, preview, onChange } = props;
  const room = size.width - 4;
  const listWidth = size.width >= PREVIEW_WIDTH ? Math.floor(room / 2) - 1 : room;
  const height = size.height - PALETTE_CHROME;
  const shown = items.slice(first, first + height);
  const labels = Math.max(...shown.map(({ label }) => showText(label).width), 0);
  const chosen = items[selected];
  return (
    <Box width={size.width} height={size.height} flexDirection="column" borderStyle="single" paddingX={1}>
      <Box width={room} height={1}>
        <Text wrap="truncate-start">
          <Tint theme={theme} look="title-focus">
            {' find '}
          </Tint>
          <Text> </Text>
          <TextField initial="" onChange={onChange} placeholder="a command, symbol, task, type or recording" />
        </Text>
        <Box flexGrow={1} />
        <Text wrap="truncate">
          <Tint theme={theme} look="dim">
            {remark}
          </Tint>
        </Text>
      </Box>
      <Box height={height}>
        <Box flexDirection="column" width={listWidth}>
          {shown.map((item, i) => (
            <Item
              key={`${item.kind} ${item.label} ${item.line}`}
              item={item}
              isChosen={first + i === selected}
              width={listWidth}
              labels={labels}
              theme={theme}
            />
          ))}
        </Box>
        {size.width >= PREVIEW_WIDTH && (
          <Box flexDirection="column" width={room - listWidth - 2} marginLeft={2}>
            <Preview lines={preview ?? []} width={room - listWidth - 2} height={height} theme={theme} />
          </Box>
        )}
      </Box>
      <Text wrap="truncate">
        <Tint theme={theme} look="key">
          Enter
        </Tint>
        <Tint theme={theme} look="text">
          {chosen === undefined ? ' nothing is found' : ` runs ${plain(chosen.line)}`}
        </Tint>
        <Tint theme={theme} look="key">
          {'  Tab'}
        </Tint>
        <Tint theme={theme} look="dim">
          {' '}
          puts it into the prompt
        </Tint>
        <Tint theme={theme} look="key">
          {'  Esc'}
        </Tint>
        <Tint theme={theme} look="dim">
          {' '}
          closes
        </Tint>
      </Text>
    </Box>
  );
}

interface ItemProps {
  readonly item: PaletteItem;
  readonly isChosen: boolean;
  readonly width: number;
  /** Cells of the widest label. */
  readonly labels: number;
  readonly theme: Theme;
}

/** `> sym  vfs_unlink      ffffffff81... (T)`: the chosen one is marked by a sign too. */
function Item({ item, isChosen, width, labels, theme }: ItemProps): ReactNode {
  const room = Math.max(8, width - MARK_CELLS);
  const labelRoom = Math.max(8, Math.min(labels, Math.floor(room * LABEL_PART)));
  const label = showText(item.label, labelRoom);
  const detail = showText(item.detail, Math.max(0, room - labelRoom - 2)).text;
  const gap = ' '.repeat(Math.max(1, labelRoom - label.width + 2));
  return (
    <Text wrap="truncate">
      <Tint theme={theme} look={isChosen ? 'selected' : 'dim'}>{`${isChosen ? '>' : ' '} ${TAG[item.kind]} `}</Tint>
      {isChosen ? (
        <Tint theme={theme} look="selected">
          {label.text}
        </Tint>
      ) : (
        <Marked text={label.text} positions={label.escaped ? [] : item.positions} theme={theme} />
      )}
      <Tint theme={theme} look={isChosen ? 'selected' : 'detail'}>
        {gap + detail}
      </Tint>
    </Text>
  );
}

/** A text with the letters at some positions marked. */
function Marked({ text, positions, theme }: { text: string; positions: readonly number[]; theme: Theme }): ReactNode {
  const marked = new Set(positions);
  const pieces: { text: string; isMarked: boolean }[] = [];
  for (const [i, character] of clustersOf(text).entries()) {
    const last = pieces.at(-1);
    if (last?.isMarked === marked.has(i)) last.text += character;
    else pieces.push({ text: character, isMarked: marked.has(i) });
  }
  return pieces.map((piece, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
    <Tint key={i} theme={theme} look={piece.isMarked ? 'key' : 'text'}>
      {piece.text}
    </Tint>
  ));
}

interface PreviewProps {
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
}

function Preview({ lines, width, height, theme }: PreviewProps): ReactNode {
  return lines.slice(0, height).map((line, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their place
    <Text key={i} wrap="truncate">
      <Tint theme={theme} look="detail">
        {showText(line.replaceAll('\t', '  '), width).text || ' '}
      </Tint>
    </Text>
  ));
}

function plain(text: string): string {
  return showText(text).text;
}
