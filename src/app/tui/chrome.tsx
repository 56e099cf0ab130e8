/**
 * What stands around the panes: the status bar, the titles, the lines between columns, and the bottom row. One React
 * tree over the whole screen, rendered only when one of these changes; the panes are laid over it.
 */
import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import { clustersOf, isPlain, showCluster, showText } from '../prompt/graphemes.ts';
import type { Rect, Size } from './contract.ts';
import type { Look, Theme } from './theme.ts';
import { Tint } from './tint.tsx';

const ACROSS = '\u2500';
const DOWN = '\u2502';

/** Text in a look. */
export interface Piece {
  readonly text: string;
  readonly look?: Look;
}

/** The title row of a pane. */
export interface Title {
  readonly rect: Rect;
  /** `2 stacks`. */
  readonly label: string;
  /** The command. */
  readonly command: string;
  readonly info: string;
  readonly isFocused: boolean;
}

export interface ChromeState {
  readonly size: Size;
  readonly theme: Theme;
  readonly status: { readonly left: readonly Piece[]; readonly right: readonly Piece[] };
  readonly titles: readonly Title[];
  /** Columns between panes. */
  readonly dividers: readonly Rect[];
  readonly bottom: readonly Piece[];
}

export function Chrome(state: ChromeState): ReactNode {
  const { size, theme, titles, dividers } = state;
  return (
    <Box width={size.width} height={size.height}>
      <Row y={0} width={size.width} theme={theme} pieces={statusPieces(state)} />
      {dividers.map((rect) => (
        <Box key={`${rect.x},${rect.y}`} position="absolute" marginLeft={rect.x} marginTop={rect.y}>
          <Text>
            <Tint theme={theme} look="border">
              {Array<string>(rect.height).fill(DOWN).join('\n')}
            </Tint>
          </Text>
        </Box>
      ))}
      {titles.map((title) => (
        <Box key={title.label} position="absolute" marginLeft={title.rect.x} marginTop={title.rect.y}>
          <Pieces theme={theme} pieces={titlePieces(title)} />
        </Box>
      ))}
      <Row y={size.height - 1} width={size.width} theme={theme} pieces={state.bottom} />
    </Box>
  );
}

function Row({ y, width, theme, pieces }: { y: number; width: number; theme: Theme; pieces: readonly Piece[] }) {
  return (
    <Box position="absolute" marginTop={y}>
      <Pieces theme={theme} pieces={fitted(pieces, width)} />
    </Box>
  );
}

function Pieces({ theme, pieces }: { theme: Theme; pieces: readonly Piece[] }) {
  return (
    <Text wrap="truncate-end">
      {pieces.map(({ text, look }, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no identity but their place
        <Tint key={i} theme={theme} look={look ?? 'text'}>
          {text}
        </Tint>
      ))}
    </Text>
  );
}

/** Left and right parts with the room between them; of what does not fit, the left parts are cut. */
function statusPieces({ size, status }: ChromeState): readonly Piece[] {
  const right = fitted(status.right, size.width);
  const room = size.width - widthOf(right);
  const left = fitted(status.left, room);
  return [...left, { text: ' '.repeat(room - widthOf(left)), look: 'status' }, ...right];
}

/** `── 2 stacks ── bt 136 ─────── 24 ─`, as wide as its pane. */
function titlePieces({ rect, label, command, info, isFocused }: Title): readonly Piece[] {
  const name: Piece = { text: ` ${label} `, look: isFocused ? 'title-focus' : 'title' };
  const line = (count: number): Piece => ({ text: ACROSS.repeat(Math.max(0, count)), look: 'border' });
  const room = rect.width - 1 - widthOf([name]);
  const shownInfo = info === '' || room < info.length + 4 ? '' : ` ${info} `;
  const commandRoom = room - shownInfo.length - 4;
  const shown = commandRoom < 4 || command === '' ? '' : ` ${showText(command, commandRoom - 2).text} `;
  const pieces: readonly Piece[] = [line(1), name, line(1), { text: shown, look: isFocused ? 'header' : 'text' }];
  const tail: readonly Piece[] = [{ text: shownInfo, look: 'title-info' }, line(1)];
  const between = rect.width - widthOf(pieces) - widthOf(tail);
  return fitted([...pieces, line(between), ...tail], rect.width);
}

/** Pieces made harmless and cut to a width. */
function fitted(pieces: readonly Piece[], width: number): readonly Piece[] {
  const result: Piece[] = [];
  let room = width;
  for (const piece of pieces) {
    if (room <= 0) break;
    const shown = isFrameText(piece.text) ? cut(piece.text, room) : showText(piece.text, room);
    result.push({ ...piece, text: shown.text });
    room -= shown.width;
  }
  return result;
}

/** A line of box drawing is cut, not shortened with dots. */
function isFrameText(text: string): boolean {
  return /^[\u2500-\u257f -]*$/.test(text);
}

function cut(text: string, width: number): { text: string; width: number } {
  return { text: text.slice(0, width), width: Math.min(text.length, width) };
}

function widthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { text }) => sum + (isPlain(text) ? text.length : cells(text)), 0);
}

function cells(text: string): number {
  return clustersOf(text).reduce((sum, cluster) => sum + showCluster(cluster).width, 0);
}
