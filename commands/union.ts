import { structCommand } from '../src/core/command/struct-view.ts';

export default structCommand({
  name: 'union',
  summary: 'the definition of a union, or what is at an address as one',
  examples: [
    { line: 'union sigval', shows: 'the definition' },
    { line: 'union sigval -o', shows: 'with offsets' },
  ],
});
