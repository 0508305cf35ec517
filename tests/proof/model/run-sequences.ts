// Runs sequences from seeds, one after the other in one world, each in a tenant of its own; a sequence that fails is shrunk by
// leaving commands out, as long as it fails.

import { existsSync } from 'node:fs';
import type { FileServiceOptions, Seal } from '@stowage/files';
import { ProofWorld } from '../proof-world.ts';
import { type Step, sequenceOf } from './commands.ts';
import { Coverage } from './coverage.ts';
import { Life } from './life.ts';
import { clockOffsets, keptVersionsOf, limits } from './model-state.ts';

export interface SequencesOptions {
  readonly firstSeed: number;
  readonly count: number;
  /** Default: SQLite. */
  readonly database?: FileServiceOptions['database'];
  /** Default 1. */
  readonly instances?: number;
  /** Default: all. */
  readonly seals?: readonly Seal[];
  /** Asked before each sequence but the first. Default: always. */
  readonly goesOn?: () => boolean;
  /** Told of a failure before it is shrunk, which takes a while. */
  readonly onFailure?: (seed: number, fault: string) => void;
  /** Told after each sequence. */
  readonly onSequence?: (done: number) => void;
}

interface SequenceFailure {
  readonly seed: number;
  readonly fault: string;
  /** The shortest sequence that failed. */
  readonly steps: readonly Step[];
  /** What it failed with. */
  readonly shortestFault: string;
}

interface SequencesOutcome {
  /** That held. */
  readonly sequences: number;
  readonly coverage: Coverage;
  readonly failure: SequenceFailure | undefined;
}

/** Linux keeps it in memory: what a disk does to SQLite is not what is proven here, and waiting for one costs most of the time. */
const memoryFolder = '/dev/shm';
const dayMs = 24 * 60 * 60 * 1000;
/** Every fourth sequence tries every door. */
const doorsEvery = 4;
/** Runs that shrinking may take. */
const maxShrinkRuns = 120;
/** A race does not go the same way each time: so often a shorter sequence is tried. */
const tries = 2;

/** Runs until one fails, or all have held. */
export async function runSequences(options: SequencesOptions): Promise<SequencesOutcome> {
  const coverage = new Coverage();
  const world = await openModelWorld(options, coverage);
  try {
    const stranger = await world.addTenant();
    let index = 0;
    for (; index < options.count; index++) {
      if (index > 0 && options.goesOn?.() === false) break;
      const seed = options.firstSeed + index;
      const steps = sequenceOf(seed);
      const offsetsMs = offsetsOf(seed);
      const life = { world, stranger, coverage, offsetsMs, triesDoors: index % doorsEvery === 0 };
      const fault = await attempt(steps, life);
      if (fault !== undefined) {
        options.onFailure?.(seed, fault);
        const shrunk = await shrink(steps, fault, { ...life, triesDoors: true });
        const failure = { seed, fault, steps: shrunk.steps, shortestFault: shrunk.fault };
        return { sequences: index, coverage, failure };
      }
      options.onSequence?.(index + 1);
    }
    return { sequences: index, coverage, failure: undefined };
  } finally {
    await world.close();
  }
}

function openModelWorld({ database, instances, seals }: SequencesOptions, coverage: Coverage): Promise<ProofWorld> {
  return ProofWorld.open({
    ...(database === undefined ? {} : { database }),
    ...(instances === undefined ? {} : { instances }),
    ...(seals === undefined ? {} : { seals }),
    ...(existsSync(memoryFolder) ? { parentDirectory: memoryFolder } : {}),
    limits: {
      urlLifeMs: limits.urlLifeMs,
      uploadLifeMs: limits.uploadLifeMs,
      scanHoldMs: limits.scanHoldMs,
      scanMaxBytes: limits.scanMaxBytes,
      multipartThresholdBytes: limits.multipartThresholdBytes,
      minPartSizeBytes: 5 * 1024 * 1024,
      idempotencyLifeMs: limits.idempotencyLifeMs,
      completionGraceMs: limits.completionGraceMs,
    },
    policies: {
      available: { scan: 'when-available' },
      unscanned: { scan: 'off' },
      kept: { retentionMs: dayMs },
      few: { keepVersions: keptVersionsOf('few') },
    },
    onLog: (level, message, fields) => {
      if (message === 'File moved.' && 'from' in fields && 'to' in fields)
        coverage.moved(String(fields.from), String(fields.to));
      if (level === 'error') coverage.count(`log ${message}`);
    },
  });
}

/** Where the clocks of the instances stand when the sequence begins: two of them, of which one may be all there is. */
function offsetsOf(seed: number): readonly number[] {
  const { length } = clockOffsets;
  return [clockOffsets[seed % length] ?? 0, clockOffsets[Math.floor(seed / length) % length] ?? 0];
}

/** What went wrong; `undefined`: nothing. */
async function attempt(steps: readonly Step[], options: Parameters<typeof Life.begin>[0]): Promise<string | undefined> {
  const { world } = options;
  try {
    const life = await Life.begin(options);
    for (const [index, step] of steps.entries()) {
      try {
        await life.take(step);
      } catch (error) {
        throw new Error(`step ${index + 1}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
    await life.end();
    return undefined;
  } catch (error) {
    // What it left must not be worked on in the middle of another.
    world.scanner.isUp = true;
    for (let round = 0; round < 4; round++) {
      world.advance(31 * dayMs);
      await world.tick();
    }
    return error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
  }
}

async function shrink(
  whole: readonly Step[],
  firstFault: string,
  options: Parameters<typeof Life.begin>[0],
): Promise<{ readonly steps: readonly Step[]; readonly fault: string }> {
  let steps = whole;
  let fault = firstFault;
  let runs = 0;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at + size <= steps.length && runs < maxShrinkRuns; ) {
      const shorter = [...steps.slice(0, at), ...steps.slice(at + size)];
      const found = await tryAgain(shorter, options, () => runs++);
      if (found === undefined) at += size;
      else [steps, fault] = [shorter, found];
    }
  }
  return { steps, fault };
}

async function tryAgain(
  steps: readonly Step[],
  options: Parameters<typeof Life.begin>[0],
  onRun: () => void,
): Promise<string | undefined> {
  for (let round = 0; round < tries; round++) {
    onRun();
    const fault = await attempt(steps, { ...options, coverage: new Coverage() });
    if (fault !== undefined) return fault;
  }
  return undefined;
}

export function renderFailure({ seed, fault, steps, shortestFault }: SequenceFailure): string {
  return [
    `Sequence ${seed} failed: ${fault}`,
    `Shrunk to ${steps.length} commands:`,
    ...steps.map((step) => `  ${JSON.stringify(step)}`),
    `which fail with: ${shortestFault}`,
  ].join('\n');
}
