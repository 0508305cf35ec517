// Request ids: sixteen characters as S3's, unique for this engine's life and unlikely to repeat in another's.

/** Half of an id is this engine's own, from `random` (values in [0, 1)); the other half counts. */
export function createRequestIds(random: () => number): () => string {
  const half = Math.floor(random() * 0x1_0000_0000);
  const prefix = half.toString(16).toUpperCase().padStart(8, '0');
  let count = Math.floor(random() * 0x1000_0000);
  return () => {
    count = (count + 1) % 0x1_0000_0000;
    return prefix + count.toString(16).toUpperCase().padStart(8, '0');
  };
}
