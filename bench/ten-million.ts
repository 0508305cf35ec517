// node bench/ten-million.ts: what a growing store costs. It loads objects of 100 bytes, strict, through the store's own
// interface, in 1,000 folders in turn, and at each size starts the real engine on them: time to serve after a clean close
// and after kill -9, memory, and how fast PUT, GET, LIST and LIST by delimiter are, over HTTP as anybody would.
//   --objects N       default 10,000,000
//   --directory DIR   keep the data there, and go on from what it holds; default: a temporary folder, removed at the end
//   --grow            only load; --measure: only measure what is there
//   --keep            keep the result among bench/results/

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { readOptions } from '../scripts/script-options.ts';
import { growStore } from './growth/grow-store.ts';
import { measureGrown } from './growth/measure-grown.ts';
import { type GrowthResult, keepResult, resultFrame } from './results.ts';

const steps = [0, 1_000, 100_000, 1_000_000, 10_000_000];

async function main(): Promise<void> {
  const { values } = readOptions(import.meta, {
    objects: { type: 'number', default: 10_000_000 },
    directory: { type: 'string' },
    grow: { type: 'boolean' },
    measure: { type: 'boolean' },
    keep: { type: 'boolean' },
  });
  const wanted = values.objects;
  const directory = values.directory ?? (await mkdtemp(join(tmpdir(), 'stowage-growth-')));
  await mkdir(directory, { recursive: true });
  const progress = await Progress.open(join(directory, 'progress.json'));
  try {
    const sizes = [...steps.filter((step) => step < wanted), wanted];
    for (const objects of values.measure ? [progress.objects] : sizes) {
      if (objects < progress.objects) continue;
      if (objects > progress.objects) await grow(directory, objects, progress);
      if (values.grow) continue;
      const step = await measureGrown({ directory, objects, dataBytes: await folderBytes(directory) });
      await progress.add({
        ...progress.state,
        steps: [...progress.state.steps.filter((each) => each.objects !== objects), step],
      });
      console.log(JSON.stringify(step));
    }
    const result: GrowthResult = { ...resultFrame('ten-million'), ...progress.state };
    if (values.keep) console.log(`Kept in ${await keepResult(result)}`);
  } finally {
    if (values.directory === undefined) await rm(directory, { recursive: true, force: true });
  }
}

async function grow(directory: string, objects: number, progress: Progress): Promise<void> {
  await growStore({
    directory: storeFolder(directory),
    from: progress.objects,
    to: objects,
    onLot: async (lot) => {
      await progress.add({ ...progress.state, objects: lot.objects, lots: [...progress.state.lots, lot] });
      process.stderr.write(
        `${lot.objects} objects, ${Math.round(lot.perSecond)}/s, ${Math.round(lot.residentBytes / 1e6)} MB\n`,
      );
    },
  });
}

type State = Pick<GrowthResult, 'lots' | 'steps'> & { readonly objects: number };

/** How far it has come, beside the data. */
class Progress {
  readonly #path: string;
  state: State;

  private constructor(path: string, state: State) {
    this.#path = path;
    this.state = state;
  }

  static async open(path: string): Promise<Progress> {
    try {
      // Proof of the cast: `add` wrote it.
      return new Progress(path, JSON.parse(await readFile(path, 'utf8')) as State);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return new Progress(path, { objects: 0, lots: [], steps: [] });
      }
      throw error;
    }
  }

  get objects(): number {
    return this.state.objects;
  }

  async add(state: State): Promise<void> {
    this.state = state;
    await writeFile(this.#path, JSON.stringify(state));
  }
}

/** Where `stowage engine --data <directory>/data` has its store. */
function storeFolder(directory: string): string {
  return join(directory, 'data', 'engine');
}

async function folderBytes(directory: string): Promise<number> {
  if (process.platform === 'win32') return 0;
  const { stdout } = await promisify(execFile)('du', ['-sk', directory]);
  return Number.parseInt(stdout, 10) * 1024;
}

await main();
