// The name that somebody may have meant: by edit distance, and only when it is near.

const maxLength = 64;

/** `undefined` when nothing is near. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const folded = fold(given);
  const near = names
    .map((name) => ({ name, other: fold(name) }))
    .map(({ name, other }) => ({
      name,
      other,
      far: Math.max(1, Math.floor(Math.max(other.length, folded.length) / 3)),
    }))
    // What differs more in length than it may at all need not be compared.
    .filter(({ other, far }) => Math.abs(other.length - folded.length) <= far)
    .map(({ name, other, far }) => ({ name, far, distance: distanceOf(folded, other) }))
    .filter(({ far, distance }) => distance <= far)
    .sort((one, other) => one.distance - other.distance);
  return near[0]?.name;
}

/** Case and what stands between words are what people get wrong first. */
function fold(name: string): string {
  return name
    .slice(0, maxLength)
    .toLowerCase()
    .replace(/[_\-. ]/g, '');
}

/** Letters put in, taken out, changed, or swapped with the next: the restricted edit distance. */
function distanceOf(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= one.length; row += 1) {
    const next = [row];
    rows.push(next);
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      next.push(
        Math.min(
          at(row - 1, column - 1) + (same ? 0 : 1),
          at(row - 1, column) + 1,
          (next[column - 1] ?? 0) + 1,
          swapped && row > 1 && column > 1 ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
  }
  return at(one.length, other.length);
}
