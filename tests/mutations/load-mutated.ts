// Has this process load one file mutated. Given to Node by `--import`, with the mutation in its own address; that is made by
// `mutatedArguments`.

import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Mutation, mutate } from './mutation.ts';

const parameter = 'mutation';

/** What to give to Node before the script, so that it runs with the mutation. */
export function mutatedArguments(mutation: Mutation): string[] {
  const address = new URL(import.meta.url);
  address.searchParams.set(parameter, JSON.stringify(mutation));
  return ['--import', address.href];
}

const root = new URL('../../', import.meta.url);
const given = new URL(import.meta.url).searchParams.get(parameter);
if (given !== null) {
  // mutatedArguments wrote it.
  const mutation = JSON.parse(given) as Mutation;
  const mutated = new URL(mutation.file, root).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== mutated && url !== pathToFileURL(mutation.file).href) return loaded;
      return { ...loaded, source: mutate(String(loaded.source), mutation) };
    },
  });
}
