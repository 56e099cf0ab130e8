/**
 * The cells of a terminal as SVG. Text is set run by run with its exact length, so that columns stand whatever font the
 * viewer has; box drawing is drawn as lines, so that frames are closed whatever its line height is.
 */
import type { IBufferCell } from '@xterm/headless';

/** Pixels of a cell, of the font, and around the text. */
const CELL = { width: 8.4, height: 18 } as const;
const FONT = 14;
const MARGIN = 14;
/** The bar above the text: a window's title. */
const BAR = 30;
const FACE = "ui-monospace, 'DejaVu Sans Mono', 'SF Mono', Menlo, Consolas, monospace";

const BACKGROUND = '#11151c';
const FOREGROUND = '#d3d9e3';
const BAR_COLOUR = '#1c222d';
/** The sixteen colours that programs name, as a terminal with a quiet dark theme has them. */
const COLOURS = [
  '#1b2029',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#3f6fb5',
  '#c792ea',
  '#56b6c2',
  '#d3d9e3',
  '#6b7689',
  '#ff8b92',
  '#b5e28c',
  '#ffd98a',
  '#7aa8f0',
  '#d9a6ff',
  '#7fdbe6',
  '#ffffff',
] as const;
/** Levels of a component in the 6x6x6 cube. */
const LEVELS = [0, 95, 135, 175, 215, 255] as const;

interface Look {
  readonly colour: string;
  readonly background: string;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isUnderlined: boolean;
}

interface Run {
  readonly x: number;
  width: number;
  text: string;
  readonly look: Look;
}

export interface Picture {
  readonly cells: readonly (readonly IBufferCell[])[];
  readonly cursor: { readonly x: number; readonly y: number; readonly isHidden: boolean };
  readonly title: string;
}

export function svgOf({ cells, cursor, title }: Picture): string {
  const columns = cells[0]?.length ?? 0;
  const width = Math.round(columns * CELL.width + 2 * MARGIN);
  const height = Math.round(cells.length * CELL.height + 2 * MARGIN + BAR);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="9" fill="${BACKGROUND}"/>`,
    `<path d="M0 ${BAR}V9a9 9 0 0 1 9-9H${width - 9}a9 9 0 0 1 9 9V${BAR}z" fill="${BAR_COLOUR}"/>`,
    ...['#e06c75', '#e5c07b', '#98c379'].map(
      (colour, i) => `<circle cx="${18 + i * 19}" cy="${BAR / 2}" r="5.5" fill="${colour}"/>`,
    ),
    `<text x="${width / 2}" y="${BAR / 2 + 4.5}" text-anchor="middle" fill="#8b95a7" font-family="${FACE}" font-size="12.5">${escaped(title)}</text>`,
    `<g transform="translate(${MARGIN} ${BAR + MARGIN})" font-family="${FACE}" font-size="${FONT}" xml:space="preserve">`,
  ];
  for (const [y, row] of cells.entries()) parts.push(...rowOf(runsOf(row), y));
  if (!cursor.isHidden) {
    parts.push(
      `<rect x="${place(cursor.x)}" y="${cursor.y * CELL.height + 1}" width="${CELL.width}" height="${CELL.height - 2}" fill="#7fdbe6" opacity="0.8"/>`,
    );
  }
  return `${[...parts, '</g>', '</svg>'].join('\n')}\n`;
}

function rowOf(runs: readonly Run[], y: number): readonly string[] {
  const parts: string[] = [];
  for (const { x, width, look } of runs) {
    if (look.background === BACKGROUND) continue;
    parts.push(
      `<rect x="${place(x)}" y="${y * CELL.height}" width="${place(width)}" height="${CELL.height}" fill="${look.background}" shape-rendering="crispEdges"/>`,
    );
  }
  for (const run of runs) {
    if (isFrame(run.text)) parts.push(lines(run, y));
    else if (run.text.trim() !== '') parts.push(text(run, y));
  }
  return parts;
}

function text({ x, width, text, look }: Run, y: number): string {
  const lead = text.length - text.trimStart().length;
  const shown = text.trim();
  const style = [
    `fill="${look.colour}"`,
    look.isBold ? 'font-weight="bold"' : '',
    look.isDim ? 'opacity="0.65"' : '',
    look.isUnderlined ? 'text-decoration="underline"' : '',
  ].filter((part) => part !== '');
  // A wide character takes two cells and is one: only text of one-cell characters has a length to be told.
  const cells = width === text.length ? ` textLength="${place(shown.length)}" lengthAdjust="spacingAndGlyphs"` : '';
  return `<text x="${place(x + lead)}" y="${y * CELL.height + 13.2}"${cells} ${style.join(' ')}>${escaped(shown)}</text>`;
}

/** Lines from the middle of a cell to its sides: up, right, down, left. */
const STROKES: Readonly<Record<string, string>> = {
  '\u2500': 'rl',
  '\u2502': 'ud',
  '\u250c': 'rd',
  '\u2510': 'dl',
  '\u2514': 'ur',
  '\u2518': 'ul',
  '\u251c': 'urd',
  '\u2524': 'udl',
  '\u252c': 'rdl',
  '\u2534': 'url',
  '\u253c': 'urdl',
};

function isFrame(text: string): boolean {
  return text !== '' && [...text].every((character) => STROKES[character] !== undefined);
}

function lines({ x, text, look }: Run, y: number): string {
  let path = '';
  for (const [i, character] of [...text].entries()) {
    const left = (x + i) * CELL.width;
    const [middle, centre] = [left + CELL.width / 2, y * CELL.height + CELL.height / 2];
    const ends: Readonly<Record<string, string>> = {
      u: `V${round(y * CELL.height)}`,
      d: `V${round((y + 1) * CELL.height)}`,
      l: `H${round(left)}`,
      r: `H${round(left + CELL.width)}`,
    };
    for (const side of STROKES[character] ?? '') path += `M${round(middle)} ${round(centre)}${ends[side]}`;
  }
  return `<path d="${path}" stroke="${look.colour}" stroke-width="1.2" fill="none"/>`;
}

/** Cells with the same look, side by side; frames by themselves. */
function runsOf(row: readonly IBufferCell[]): readonly Run[] {
  const runs: Run[] = [];
  for (const [x, cell] of row.entries()) {
    const width = cell.getWidth();
    if (width === 0) continue;
    const text = cell.getChars() || ' ';
    const look = lookOf(cell);
    const last = runs.at(-1);
    const joins = last !== undefined && isSame(last.look, look) && width === 1 && isFrame(last.text) === isFrame(text);
    if (joins && last.width === last.text.length) {
      last.text += text;
      last.width += width;
    } else runs.push({ x, width, text, look });
  }
  return runs;
}

function lookOf(cell: IBufferCell): Look {
  const colour = cell.isFgDefault() ? FOREGROUND : colourOf(cell.getFgColor(), cell.isFgRGB());
  const background = cell.isBgDefault() ? BACKGROUND : colourOf(cell.getBgColor(), cell.isBgRGB());
  const isInverse = cell.isInverse() !== 0;
  return {
    colour: isInverse ? background : colour,
    background: isInverse ? colour : background,
    isBold: cell.isBold() !== 0,
    isDim: cell.isDim() !== 0,
    isUnderlined: cell.isUnderline() !== 0,
  };
}

function colourOf(number: number, isRgb: boolean): string {
  if (isRgb) return `#${number.toString(16).padStart(6, '0')}`;
  const named = COLOURS[number];
  if (named !== undefined) return named;
  if (number >= 232) return rgb(8 + (number - 232) * 10, 8 + (number - 232) * 10, 8 + (number - 232) * 10);
  const cube = number - 16;
  return rgb(LEVELS[Math.floor(cube / 36)] ?? 0, LEVELS[Math.floor(cube / 6) % 6] ?? 0, LEVELS[cube % 6] ?? 0);
}

function rgb(...parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function isSame(one: Look, other: Look): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function place(cells: number): string {
  return round(cells * CELL.width);
}

function round(pixels: number): string {
  return String(Math.round(pixels * 100) / 100);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
