/**
 * The rows of the line editor's view (../../prompt/view.ts) as ink draws them: the line with its suggestion, a complaint
 * under its column, the search line or the completion menu.
 */
import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import type { Row } from '../../prompt/rows.ts';
import type { Theme } from '../theme.ts';
import { Tint } from '../tint.tsx';

export function PromptView({ rows, theme }: { readonly rows: readonly Row[]; readonly theme: Theme }): ReactNode {
  return (
    <Box flexDirection="column">
      {rows.map((row, y) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has no identity but its place
        <Text key={y} wrap="truncate">
          {row.spans.length === 0
            ? ' '
            : row.spans.map((span, i) => <Piece key={keyOf(i)} span={span} theme={theme} />)}
        </Text>
      ))}
    </Box>
  );
}

function Piece({ span, theme }: { readonly span: Row['spans'][number]; readonly theme: Theme }): ReactNode {
  return (
    <Tint theme={theme} look={span.style}>
      {span.text}
    </Tint>
  );
}

function keyOf(place: number): string {
  return `span ${place}`;
}
