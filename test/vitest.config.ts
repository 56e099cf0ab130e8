import { defineConfig } from 'vitest/config';

// Two projects: `unit` runs anywhere in seconds; `lab` boots real kernels in QEMU (test/lab/README.md).
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
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'lab',
          root: import.meta.dirname,
          include: ['lab/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
