// What files are called in an archive, so that every unpacker on every system puts each into one place of its own, below where it
// unpacks: no absolute path, no `..`, no device of Windows, nothing that reads as something else. APPNOTE.TXT 6.3.10, 4.4.17.

import { withNumber } from '../database/file-names.ts';
import { withoutDirectionMarks } from './shown-name.ts';

interface ArchiveNames {
  /** The name of an entry for a file at this path of folders and its own name; no two get the same. */
  take(path: readonly string[]): string;
}

/** A folder of the archive: what is taken in it, which number of a name is tried next, and what its folders are called. */
interface ArchiveFolder {
  readonly taken: Set<string>;
  readonly nextNumbers: Map<string, number>;
  readonly folders: Map<string, { readonly name: string; readonly folder: ArchiveFolder }>;
}

/** `fold` makes equal what some system takes for the same name: it would unpack one over the other. */
export function openArchiveNames(fold: (name: string) => string = foldForEverySystem): ArchiveNames {
  const top = emptyFolder();

  function freeName(name: string, { taken, nextNumbers }: ArchiveFolder): string {
    const wanted = fold(name);
    if (!taken.has(wanted)) {
      taken.add(wanted);
      return name;
    }
    // Where the last one of this name left off: from 2 on, each of n equal names would try all those before it.
    for (let number = nextNumbers.get(wanted) ?? 2; ; number += 1) {
      const numbered = withNumber(name, String(number));
      const folded = fold(numbered);
      if (taken.has(folded)) continue;
      taken.add(folded);
      nextNumbers.set(wanted, number + 1);
      return numbered;
    }
  }

  return {
    take: (path) => {
      const parts: string[] = [];
      let place = top;
      for (const given of path.slice(0, -1)) {
        let entry = place.folders.get(given);
        if (entry === undefined) {
          entry = { name: freeName(safeName(given), place), folder: emptyFolder() };
          place.folders.set(given, entry);
        }
        parts.push(entry.name);
        place = entry.folder;
      }
      return [...parts, freeName(safeName(path.at(-1) ?? ''), place)].join('/');
    },
  };
}

function emptyFolder(): ArchiveFolder {
  return { taken: new Set(), nextNumbers: new Map(), folders: new Map() };
}

/** What Windows takes for a device whatever ending stands behind it; superscript digits count as digits there. */
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(?:\.|$)/i;

/** One part of a path. */
function safeName(name: string): string {
  const safe = withoutDirectionMarks(name.toWellFormed())
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029<>:"/\\|?*]/g, '_')
    .replace(/[. ]+$/, '');
  if (safe === '') return '_';
  return device.test(safe) ? `_${safe}` : safe;
}

/** For systems that ignore case, or how a letter is put together. */
function foldForEverySystem(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase();
}
