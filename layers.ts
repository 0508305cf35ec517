// Who may import whom, as data. tests/tidy holds the tree to it; ARCHITECTURE.md says why.
// A package may import only what its row names, and nothing that stands in a later row.

export const layers: Readonly<Record<string, readonly string[]>> = {
  s3: [],
  contract: [],
  store: ['s3'],
  engine: ['store', 's3'],
  files: ['contract', 's3'],
  client: ['contract'],
  react: ['client', 'contract'],
  console: ['react', 'client', 'contract'],
  cli: ['contract', 's3', 'store', 'engine', 'files'],
};

/** Packages that also run in a browser: no `node:` module may be imported, tests aside. */
export const browserPackages: readonly string[] = ['contract', 'client', 'react', 'console'];
