import { describe } from 'vitest';
import { traceTests } from './trace-tests.ts';

describe('tracing on 6.12', () => traceTests('6.12'));
