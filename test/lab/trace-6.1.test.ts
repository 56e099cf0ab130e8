import { describe } from 'vitest';
import { traceTests } from './trace-tests.ts';

describe('tracing on 6.1', () => traceTests('6.1'));
