/**
 * Text in one of the theme's looks, for what ink draws. ink's own colour props are not used: they know nothing of themes
 * and of NO_COLOR.
 */
import { Transform } from 'ink';
import type { ReactNode } from 'react';
import type { Look, Theme } from './theme.ts';

export function Tint({ theme, look, children }: { theme: Theme; look: Look; children: ReactNode }): ReactNode {
  const sgr = theme[look];
  if (sgr === '') return <Transform transform={(text) => text}>{children}</Transform>;
  return <Transform transform={(text) => `\x1b[${sgr}m${text}\x1b[0m`}>{children}</Transform>;
}
