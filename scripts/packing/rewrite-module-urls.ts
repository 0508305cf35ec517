// tsc rewrites the endings of imports, not of `new URL('./child.ts', import.meta.url)`, by which worker threads and child
// processes are found. This rewrites those, and refuses any other string that still names a TypeScript file nearby.

const moduleUrl = /(new URL\(\s*)(['"`])((?:\.{1,2}\/)?[\w./-]+)\.tsx?\2(,\s*import\.meta\.url)/g;
const leftover = /(['"`])\.{1,2}\/[\w./-]+(?<!\.d)\.tsx?\1/;

export function rewriteModuleUrls(text: string, path: string): string {
  const rewritten = text.replace(moduleUrl, '$1$2$3.js$2$4');
  const code = rewritten.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  const found = leftover.exec(code)?.[0];
  if (found !== undefined) {
    throw new Error(`${path} names ${found}, which no tarball holds: write it as new URL(${found}, import.meta.url).`);
  }
  return rewritten;
}
