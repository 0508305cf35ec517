// The code that documents show: every fenced block of README.md, docs/ and the packages' READMEs, with its language and place.

import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DocumentBlock {
  /** Of the document, from the root. */
  readonly path: string;
  /** Where the block's code begins, counted from 1. */
  readonly line: number;
  /** What stands behind the fence: `ts`, `sh`. */
  readonly language: string;
  /** The heading that it stands below, without `#`. */
  readonly heading: string;
  readonly text: string;
}

export async function readBlocks(root: string): Promise<readonly DocumentBlock[]> {
  const blocks: DocumentBlock[] = [];
  for await (const path of glob(['README.md', 'docs/*.md', 'packages/*/README.md'], { cwd: root })) {
    blocks.push(...blocksOf(path, await readFile(join(root, path), 'utf8')));
  }
  return blocks.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line);
}

function blocksOf(path: string, document: string): readonly DocumentBlock[] {
  const blocks: DocumentBlock[] = [];
  let heading = '';
  let open: { readonly language: string; readonly line: number; readonly lines: string[] } | undefined;
  for (const [index, line] of document.split('\n').entries()) {
    if (open === undefined) {
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
      const language = /^```(\w*)/.exec(line)?.[1];
      if (language !== undefined) open = { language, line: index + 2, lines: [] };
    } else if (line === '```') {
      blocks.push({ path, heading, language: open.language, line: open.line, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else {
      open.lines.push(line);
    }
  }
  return blocks;
}
