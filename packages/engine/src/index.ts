// The S3 engine as a library: `const engine = await startEngine()`.

export type { Account } from './accounts.ts';
export { type Engine, type EngineCredentials, type EngineOptions, startEngine } from './engine.ts';
export { operationStatus } from './handlers.ts';
export { defaultLimits, type EngineLimits } from './limits.ts';
export type { EngineLog, LogFields } from './log.ts';
