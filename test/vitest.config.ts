import { defineConfig } from 'vitest/config';

// `unit` runs anywhere in minutes. `lab` boots real kernels in QEMU (test/lab/README.md), one after the other, because a
// guest's two processors keep two of the machine's busy; `lab-trace`, whose guests are emulated by one thread, two at a time.
const lab = { root: import.meta.dirname, pool: 'forks', testTimeout: 300_000, hookTimeout: 600_000 } as const;
const traces = ['lab/trace-*.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          root: import.meta.dirname,
          include: ['**/*.test.ts'],
          exclude: ['lab/**'],
          pool: 'forks',
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...lab,
          name: 'lab',
          include: ['lab/**/*.test.ts'],
          exclude: traces,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...lab, name: 'lab-trace', include: traces, maxWorkers: 2, sequence: { groupOrder: 2 } } },
    ],
  },
});
