/** Prints the budgets that can be measured: figure, budget and ratio. Arguments: the built program, the recordings. */
import { cpus } from 'node:os';
import { type Figure, tableOf } from './figure.ts';
import { kernelFigures } from './kernel-figures.ts';
import { programFigures } from './program-figures.ts';
import { screenFigures } from './screen-figures.ts';
import { searchFigures } from './search-figures.ts';
import { tableFigures } from './table-figures.ts';

const [program = '', recordings = ''] = process.argv.slice(2);
const figures: Figure[] = [
  ...programFigures(program, recordings),
  ...tableFigures(),
  ...kernelFigures(),
  ...(await screenFigures(program, recordings)),
  ...(await searchFigures(program)),
];
console.log(`node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`);
for (const line of tableOf(figures)) console.log(line);
const over = figures.filter(({ value, budget }) => budget !== undefined && value > budget).length;
console.log(over === 0 ? 'all within budget' : `${over} over budget`);
