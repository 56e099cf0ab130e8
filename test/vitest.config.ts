import { defineConfig } from 'vitest/config';

// Two projects: `unit` runs anywhere in minutes; `lab` boots real kernels in QEMU (test/lab/README.md), two at a time:
// an emulated processor keeps one of the machine's busy.
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
          name: 'lab',
          root: import.meta.dirname,
          include: ['lab/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
