// What files are called in an archive, so that every unpacker on every system puts each into one place of its own, below where it
// unpacks: no absolute path, no `..`, no device of Windows, nothing that reads as something else. APPNOTE.TXT 6.3.10, 4.4.17.

import { withNumber } from '../database/file-names.ts';
import { withoutDirectionMarks } from './shown-name.ts';

interface ArchiveNames {
  /** The name of an entry for a file at this path of folders and its own name; no two get the same. */
  take(path: readonly string[]): string;
}

/** A folder of the archive: what is taken in it, and what its folders are called. */
interface ArchiveFolder {
  readonly taken: Set<string>;
  readonly folders: Map<string, { readonly name: string; readonly folder: ArchiveFolder }>;
}

export function openArchiveNames(): ArchiveNames {
  const top = emptyFolder();
  return {
    take: (path) => {
      const parts: string[] = [];
      let place = top;
      for (const given of path.slice(0, -1)) {
        let entry = place.folders.get(given);
        if (entry === undefined) {
          entry = { name: freeName(safeName(given), place.taken), folder: emptyFolder() };
          place.folders.set(given, entry);
        }
        parts.push(entry.name);
        place = entry.folder;
      }
      return [...parts, freeName(safeName(path.at(-1) ?? ''), place.taken)].join('/');
    },
  };
}

function emptyFolder(): ArchiveFolder {
  return { taken: new Set(), folders: new Map() };
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

/** Systems that ignore case, or how a letter is put together, would unpack one over the other. */
function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(folded(free)); number += 1) free = withNumber(name, String(number));
  taken.add(folded(free));
  return free;
}

function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase();
}
